import type { UsageRecord } from '../../types.ts';
import type { DropReason } from '../drop-reporter.ts';
import type { ErrorLabel } from '../error-label.ts';
import type { RecordSource } from '../record-source.ts';
import type { SpoolFault } from './fault.ts';

/** How safe a record is from the moment it is pushed. docs/delivery.md compares them. */
export type Durability = 'memory' | 'batched' | 'process' | 'disk';

/** Something is wrong with the spool. Calls and delivery go on. */
export interface SpoolFaultReport {
  readonly fault: SpoolFault;
  /** The damaged file, which was put aside with `.corrupt` behind its name; of a damaged log (`…-wal`) a copy was. */
  readonly file?: string | undefined;
  readonly error: ErrorLabel;
}

export interface SpoolSnapshot {
  /** `failing`: new records are kept in memory, as with durability `memory`, until the spool can be written again. */
  readonly state: 'open' | 'failing' | 'closed';
  /** Files that are held: the own one and those of processes that died. */
  readonly files: number;
  /** Records in them. */
  readonly records: number;
  /** What they take up on the disk. */
  readonly bytes: number;
  /** Records that processes that died had left. */
  readonly adopted: number;
  /**
   * Records that were kept in memory because the spool could not take them, by the reason; and as `unavailable` those that
   * waited in its file when that was taken away.
   */
  readonly unspooled: Readonly<Record<SpoolFault, number>>;
  /** Damaged files and logs that were put aside. */
  readonly corruptFiles: number;
  /** Files of dead processes that are kept for sinks that this delivery does not have, or for a newer release. */
  readonly unclaimedFiles: number;
  /** Poison that was kept as dead letters. */
  readonly deadLetters: number;
  /** The latest; stays when all is well again. */
  readonly lastError?: ErrorLabel | undefined;
}

/** What the spool needs of a sink's lane. */
export interface SpoolLane {
  /** Names the sink in the files: no two lanes have the same. */
  readonly key: string;
  /** Takes a record into memory. */
  push(record: UsageRecord): void;
  /** Records have come to one of its sources. */
  arrived(): void;
  addSource(source: RecordSource, place: 'first' | 'last'): void;
  removeSource(source: RecordSource): void;
  /** So many records of its sources will not come. */
  lost(reason: DropReason, count: number): void;
}
