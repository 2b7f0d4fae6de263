import type { UsageRecord } from '../types.ts';

/** A record on its way to one sink. */
export interface Waiting {
  readonly record: UsageRecord;
  readonly source: RecordSource;
  /** Its place among all records of its source: each is one more than the one before. */
  readonly position: number;
}

/**
 * Where the records of one sink wait, in the order of their positions: in memory (record-queue.ts) or in a file
 * (spool/spool-cursor.ts). settled <= taken <= end.
 */
export interface RecordSource {
  /** The position of the next record to come. */
  readonly end: number;
  /** The position of the next record to be taken. */
  readonly taken: number;
  /** Every record before this position is stored in the sink, or dropped. */
  readonly settled: number;
  /** How many wait to be taken. */
  readonly length: number;
  /** The oldest `count`, or fewer: what there is, what can be read, what is not too much for memory. */
  take(count: number): Waiting[];
  /** Says that every record before this position is stored or dropped. */
  settle(before: number): void;
}
