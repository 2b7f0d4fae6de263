import type { UsageRecord } from '../types.ts';

/** A record as JSON. A provider's raw usage that has no JSON form (a cycle, a bigint) is left out rather than the record. */
export function recordJson(record: UsageRecord): string {
  try {
    return JSON.stringify(record);
  } catch {
    return JSON.stringify({ ...record, usage: { ...record.usage, raw: undefined } });
  }
}
