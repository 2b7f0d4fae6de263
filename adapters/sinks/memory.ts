import { RouterError } from '../../src/errors.ts';
import type { Sink, UsageRecord } from '../../src/types.ts';
import { checkOptionNames } from '../../src/util/option-names.ts';

export interface MemorySinkOptions {
  /** How many records are kept; when more come the oldest go. Default 10,000. */
  maxRecords?: number | undefined;
}

export interface MemorySink extends Sink {
  /** What is kept, oldest first. A live view: it changes with every write. */
  readonly records: readonly UsageRecord[];
  /** How many records went because more than `maxRecords` came. */
  readonly dropped: number;
  /** Forgets the records and their count of dropped ones. */
  clear(): void;
}

/**
 * Keeps the latest records in memory: for tests, dashboards and a first look. Idempotent by id among the records
 * that are kept. `records` can still be read after `close`.
 */
export function memorySink(options: MemorySinkOptions = {}): MemorySink {
  checkOptionNames('memorySink', options, { maxRecords: true });
  const { maxRecords = 10_000 } = options;
  if (!Number.isSafeInteger(maxRecords) || maxRecords < 1) {
    throw new RouterError(
      'ERR_OPTIONS',
      `memorySink: maxRecords must be a whole number from 1 up, got ${String(maxRecords)}`,
    );
  }
  const records: UsageRecord[] = [];
  const ids = new Set<string>();
  let dropped = 0;
  let closed = false;

  return {
    name: 'memory',
    records,
    get dropped(): number {
      return dropped;
    },
    async write(batch: readonly UsageRecord[]): Promise<void> {
      if (closed) throw new Error('memorySink: write after close; make a new sink');
      for (const record of batch) {
        if (ids.has(record.id)) continue;
        ids.add(record.id);
        records.push(record);
      }
      // Once a batch, because taking from an array's front moves all the rest.
      const excess = Math.max(0, records.length - maxRecords);
      for (const record of records.splice(0, excess)) ids.delete(record.id);
      dropped += excess;
    },
    async close(): Promise<void> {
      closed = true;
    },
    clear(): void {
      records.length = 0;
      ids.clear();
      dropped = 0;
    },
  };
}
