import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';

/**
 * Where records come from: a list, anything that gives them one by one, a `memorySink`, or a reader of what sinks wrote
 * (`fileRecords`, `sqliteRecords`, `postgresRecords`). Each record comes once.
 */
export type RecordSource =
  | Iterable<UsageRecord>
  | AsyncIterable<UsageRecord>
  | { readonly records: Iterable<UsageRecord> }
  | RecordReader;

/** A store that can leave out what is not asked for. */
export interface RecordReader extends AsyncIterable<UsageRecord> {
  /** All records of that time; a few more do no harm. */
  between(range: TimeRange): AsyncIterable<UsageRecord>;
  /** How many entries the latest reading left out because they are no records: torn lines, other people's rows. */
  readonly skipped: number;
}

/** In milliseconds since the epoch. */
export interface TimeRange {
  /** The first that belongs to it. */
  readonly from: number;
  /** The first after it. */
  readonly to: number;
}

export const ALWAYS: TimeRange = { from: -Infinity, to: Infinity };

export function recordsIn(
  source: RecordSource,
  range: TimeRange,
): Iterable<UsageRecord> | AsyncIterable<UsageRecord> {
  if ('between' in source) return range === ALWAYS ? source : source.between(range);
  if (Symbol.asyncIterator in source || Symbol.iterator in source) return source;
  if ('records' in source) return source.records;
  throw new RouterError(
    'ERR_OPTIONS',
    'report: expected records, a memorySink or a reader such as fileRecords as its source',
  );
}

/** Whether a value is a record, as far as questions look at it. Every member they read is there. */
export function isRecord(value: unknown): value is UsageRecord {
  if (!isObject(value) || value['schemaVersion'] !== 1) return false;
  const { usage } = value;
  return (
    TEXTS.every((name) => typeof value[name] === 'string') &&
    OBJECTS.every((name) => isObject(value[name])) &&
    typeof value['final'] === 'boolean' &&
    isObject(usage) &&
    isObject(usage['inputTokens']) &&
    isObject(usage['outputTokens'])
  );
}

const TEXTS = ['id', 'callId', 'startedAt', 'provider', 'outcome'];
const OBJECTS = ['cost', 'saved', 'timing', 'context'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A record in JSON; `undefined` for what is none. */
export function parseRecord(json: unknown): UsageRecord | undefined {
  if (typeof json !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
