/** A column of the table `requests`, which `postgresSink` writes and `postgresRecords` reads. */
export interface PostgresColumn {
  readonly name: string;
  readonly type: 'text' | 'boolean' | 'integer' | 'bigint' | 'double precision' | 'numeric';
  /** Where the value stands in a record. */
  readonly path: readonly string[];
  /** Part of a key: compared byte by byte, whatever the database's language. */
  readonly isKey: boolean;
}

/**
 * In the order of the table, but for `started_at`, `details` and `seq`. Names are part of what users query, the same as of `sqliteSink`;
 * only `user` is `user_id`, because `user` is a function of PostgreSQL.
 */
export const POSTGRES_COLUMNS: readonly PostgresColumn[] = [
  key('id', 'id'),
  column('text', 'call_id', 'callId'),
  column('integer', 'attempt', 'attempt'),
  column('boolean', 'final', 'final'),
  key('provider', 'provider'),
  column('text', 'api', 'api'),
  key('request_model', 'requestModel'),
  key('response_model', 'responseModel'),
  column('text', 'route', 'route'),
  column('text', 'target', 'target'),
  column('boolean', 'stream', 'stream'),
  column('text', 'outcome', 'outcome'),
  column('integer', 'status', 'status'),
  column('text', 'error_code', 'errorCode'),
  column('text', 'provider_request_id', 'providerRequestId'),
  column('bigint', 'input_tokens', 'usage.inputTokens.total'),
  column('bigint', 'uncached_tokens', 'usage.inputTokens.uncached'),
  column('bigint', 'cache_read_tokens', 'usage.inputTokens.cacheRead'),
  column('bigint', 'cache_write_tokens', 'usage.inputTokens.cacheWrite'),
  column('bigint', 'cache_write_1h_tokens', 'usage.inputTokens.cacheWrite1h'),
  column('bigint', 'output_tokens', 'usage.outputTokens.total'),
  column('bigint', 'reasoning_tokens', 'usage.outputTokens.reasoning'),
  column('text', 'usage_grade', 'usage.grade'),
  column('numeric', 'cost_usd', 'cost.usd'),
  column('text', 'price', 'cost.price'),
  column('text', 'price_date', 'cost.priceDate'),
  column('numeric', 'saved_cache_usd', 'saved.cacheUsd'),
  column('numeric', 'saved_dedupe_usd', 'saved.dedupeUsd'),
  column('double precision', 'queued_ms', 'timing.queuedMs'),
  column('double precision', 'held_ms', 'timing.heldMs'),
  column('double precision', 'time_to_headers_ms', 'timing.timeToHeadersMs'),
  column('double precision', 'time_to_first_chunk_ms', 'timing.timeToFirstChunkMs'),
  column('double precision', 'duration_ms', 'timing.durationMs'),
  column('text', 'dedupe_role', 'dedupe.role'),
  column('text', 'cache_miss', 'cache.miss.reason'),
  column('bigint', 'expected_read_tokens', 'cache.expectedRead'),
  column('bigint', 'lost_tokens', 'cache.miss.lostTokens'),
  column('numeric', 'lost_usd', 'cache.miss.lostUsd'),
  key('tenant', 'context.tenant'),
  key('user_id', 'context.user'),
  column('text', 'priority', 'context.priority'),
  column('text', 'session', 'context.session'),
];

function column(type: PostgresColumn['type'], name: string, path: string): PostgresColumn {
  return { name, type, path: path.split('.'), isKey: false };
}

function key(name: string, path: string): PostgresColumn {
  return { ...column('text', name, path), isKey: true };
}
