import type { UsageRecord } from '../../../src/types.ts';

export interface Column {
  readonly name: string;
  readonly type: 'text' | 'boolean' | 'integer' | 'bigint' | 'double precision' | 'numeric';
  readonly read: (record: UsageRecord) => unknown;
  /** Where the value stands in a record. */
  readonly path: readonly string[];
  /** Part of a key: compared byte by byte, whatever the database's language. */
  readonly isKey?: boolean;
}

/**
 * Of the table `requests`, in its order, but for `started_at`, `details` and `seq`. Names are part of what users query, the same as of
 * `sqliteSink`; only `user` is `user_id`, because `user` is a function of PostgreSQL.
 */
export const COLUMNS: readonly Column[] = [
  key('id', 'id', (r) => r.id),
  text('call_id', 'callId', (r) => r.callId),
  integer('attempt', 'attempt', (r) => r.attempt),
  boolean('final', 'final', (r) => r.final),
  key('provider', 'provider', (r) => r.provider),
  text('api', 'api', (r) => r.api),
  key('request_model', 'requestModel', (r) => r.requestModel),
  key('response_model', 'responseModel', (r) => r.responseModel),
  text('route', 'route', (r) => r.route),
  text('target', 'target', (r) => r.target),
  boolean('stream', 'stream', (r) => r.stream),
  text('outcome', 'outcome', (r) => r.outcome),
  integer('status', 'status', (r) => r.status),
  text('error_code', 'errorCode', (r) => r.errorCode),
  text('provider_request_id', 'providerRequestId', (r) => r.providerRequestId),
  tokens('input_tokens', 'usage.inputTokens.total', (r) => r.usage.inputTokens.total),
  tokens('uncached_tokens', 'usage.inputTokens.uncached', (r) => r.usage.inputTokens.uncached),
  tokens('cache_read_tokens', 'usage.inputTokens.cacheRead', (r) => r.usage.inputTokens.cacheRead),
  tokens(
    'cache_write_tokens',
    'usage.inputTokens.cacheWrite',
    (r) => r.usage.inputTokens.cacheWrite,
  ),
  tokens(
    'cache_write_1h_tokens',
    'usage.inputTokens.cacheWrite1h',
    (r) => r.usage.inputTokens.cacheWrite1h,
  ),
  tokens('output_tokens', 'usage.outputTokens.total', (r) => r.usage.outputTokens.total),
  tokens('reasoning_tokens', 'usage.outputTokens.reasoning', (r) => r.usage.outputTokens.reasoning),
  text('usage_grade', 'usage.grade', (r) => r.usage.grade),
  dollars('cost_usd', 'cost.usd', (r) => r.cost.usd),
  text('price', 'cost.price', (r) => r.cost.price),
  text('price_date', 'cost.priceDate', (r) => r.cost.priceDate),
  dollars('saved_cache_usd', 'saved.cacheUsd', (r) => r.saved.cacheUsd),
  dollars('saved_dedupe_usd', 'saved.dedupeUsd', (r) => r.saved.dedupeUsd),
  ms('queued_ms', 'timing.queuedMs', (r) => r.timing.queuedMs),
  ms('held_ms', 'timing.heldMs', (r) => r.timing.heldMs),
  ms('time_to_headers_ms', 'timing.timeToHeadersMs', (r) => r.timing.timeToHeadersMs),
  ms('time_to_first_chunk_ms', 'timing.timeToFirstChunkMs', (r) => r.timing.timeToFirstChunkMs),
  ms('duration_ms', 'timing.durationMs', (r) => r.timing.durationMs),
  text('dedupe_role', 'dedupe.role', (r) => r.dedupe?.role),
  text('cache_miss', 'cache.miss.reason', (r) => r.cache?.miss?.reason),
  tokens('expected_read_tokens', 'cache.expectedRead', (r) => r.cache?.expectedRead),
  tokens('lost_tokens', 'cache.miss.lostTokens', (r) => r.cache?.miss?.lostTokens),
  dollars('lost_usd', 'cache.miss.lostUsd', (r) => r.cache?.miss?.lostUsd),
  key('tenant', 'context.tenant', (r) => r.context.tenant),
  key('user_id', 'context.user', (r) => r.context.user),
  text('priority', 'context.priority', (r) => r.context.priority),
  text('session', 'context.session', (r) => r.context.session),
];

type Read = Column['read'];

function text(name: string, path: string, read: Read): Column {
  return { name, type: 'text', read, path: path.split('.') };
}

function key(name: string, path: string, read: Read): Column {
  return { ...text(name, path, read), isKey: true };
}

function boolean(name: string, path: string, read: Read): Column {
  return { name, type: 'boolean', read, path: path.split('.') };
}

function integer(name: string, path: string, read: Read): Column {
  return { name, type: 'integer', read, path: path.split('.') };
}

function tokens(name: string, path: string, read: Read): Column {
  return { name, type: 'bigint', read, path: path.split('.') };
}

function dollars(name: string, path: string, read: Read): Column {
  return { name, type: 'numeric', read, path: path.split('.') };
}

function ms(name: string, path: string, read: Read): Column {
  return { name, type: 'double precision', read, path: path.split('.') };
}
