/**
 * Where the columns of `requests` belong in a record. Everything else of it is in the column `details`, under the record's own
 * paths, and so are values that did not fit into their columns.
 */
const COLUMNS: ReadonlyArray<readonly [column: string, path: string]> = [
  ['id', 'id'],
  ['call_id', 'callId'],
  ['attempt', 'attempt'],
  ['final', 'final'],
  ['provider', 'provider'],
  ['api', 'api'],
  ['request_model', 'requestModel'],
  ['response_model', 'responseModel'],
  ['route', 'route'],
  ['target', 'target'],
  ['stream', 'stream'],
  ['outcome', 'outcome'],
  ['status', 'status'],
  ['error_code', 'errorCode'],
  ['provider_request_id', 'providerRequestId'],
  ['input_tokens', 'usage.inputTokens.total'],
  ['uncached_tokens', 'usage.inputTokens.uncached'],
  ['cache_read_tokens', 'usage.inputTokens.cacheRead'],
  ['cache_write_tokens', 'usage.inputTokens.cacheWrite'],
  ['cache_write_1h_tokens', 'usage.inputTokens.cacheWrite1h'],
  ['output_tokens', 'usage.outputTokens.total'],
  ['reasoning_tokens', 'usage.outputTokens.reasoning'],
  ['usage_grade', 'usage.grade'],
  // As texts: as JSON's numbers they would be rounded.
  ['cost_usd::text', 'cost.usd'],
  ['price', 'cost.price'],
  ['price_date', 'cost.priceDate'],
  ['saved_cache_usd::text', 'saved.cacheUsd'],
  ['saved_dedupe_usd::text', 'saved.dedupeUsd'],
  ['queued_ms', 'timing.queuedMs'],
  ['held_ms', 'timing.heldMs'],
  ['time_to_headers_ms', 'timing.timeToHeadersMs'],
  ['time_to_first_chunk_ms', 'timing.timeToFirstChunkMs'],
  ['duration_ms', 'timing.durationMs'],
  ['dedupe_role', 'dedupe.role'],
  ['cache_miss', 'cache.miss.reason'],
  ['expected_read_tokens', 'cache.expectedRead'],
  ['lost_tokens', 'cache.miss.lostTokens'],
  ['lost_usd::text', 'cache.miss.lostUsd'],
  ['tenant', 'context.tenant'],
  ['user_id', 'context.user'],
  ['priority', 'context.priority'],
  ['session', 'context.session'],
];

const PATHS = COLUMNS.map(([, path]) => path.split('.'));

/** What is selected, in the order in which `recordOfRow` reads it. */
export const ROW_CELLS: readonly string[] = COLUMNS.map(([column]) => column);

/** Always there, also when nothing is known. */
const OBJECTS = [
  ['usage', 'inputTokens'],
  ['usage', 'outputTokens'],
  ['cost'],
  ['saved'],
  ['timing'],
  ['context'],
];

/** The record of a row with `at`, `cells` and `details`; `undefined` when it is none. */
export function recordOfRow(row: unknown): object | undefined {
  if (!isObject(row)) return undefined;
  const { at, cells: cellsJson, details } = row;
  try {
    const record: unknown = JSON.parse(typeof details === 'string' ? details : '{}');
    const cells: unknown = JSON.parse(String(cellsJson));
    if (!isObject(record) || !Array.isArray(cells)) return undefined;
    record['schemaVersion'] = 1;
    // Records have milliseconds.
    record['startedAt'] ??= `${String(at).slice(0, 23)}Z`;
    for (const path of OBJECTS) objectAt(record, path);
    for (const [index, path] of PATHS.entries()) {
      const value: unknown = cells[index];
      if (value === null || value === undefined) continue;
      const name = path.at(-1) ?? '';
      // What is in `details` is the value as it was.
      objectAt(record, path.slice(0, -1))[name] ??= value;
    }
    objectAt(record, ['cost'])['usd'] ??= null;
    return record;
  } catch {
    return undefined;
  }
}

/** The object at that path; it is made where there is none. */
function objectAt(
  record: Record<string, unknown>,
  path: readonly string[],
): Record<string, unknown> {
  let current = record;
  for (const member of path) {
    const inner = current[member];
    const next = isObject(inner) ? inner : {};
    current[member] = next;
    current = next;
  }
  return current;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
