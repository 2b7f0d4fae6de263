import { z } from 'zod';
import type { Durability } from './spool/types.ts';

/** The option `delivery`: how records reach sinks, and what is left of them when the process dies. */
export interface DeliverySettings {
  /**
   * What is left of a record when the process dies without notice. `memory`: nothing. `batched`: it is on the disk within 5 ms or
   * 256 records. `process`: it is there before its call ends. `disk`: as `process`, also when the power fails. Default: `memory`.
   */
  durability?: Durability | undefined;
  /** The folder of the outbox, on a local disk; it is made. Needed for every durability but `memory`. */
  spoolDir?: string | undefined;
  /** How much may wait on the disk, in bytes; then the oldest records are dropped and counted. Default: 268435456. */
  maxSpoolBytes?: number | undefined;
  /** How many records may wait on the disk. Default: as many as go into `maxSpoolBytes`. */
  maxSpoolRecords?: number | undefined;
  /** Records a sink gets at once, at most. Default: 200. */
  batchSize?: number | undefined;
  /** How long a record waits for company, in milliseconds. Default: 250. */
  flushIntervalMs?: number | undefined;
  /** Records kept in memory for a sink that does not take them; beyond, the oldest are dropped and counted. Default: 10000. */
  maxMemoryRecords?: number | undefined;
}

export const deliverySchema: z.ZodType<DeliverySettings> = z.strictObject({
  durability: z.enum(['memory', 'batched', 'process', 'disk']).optional(),
  spoolDir: z.string().min(1).optional(),
  maxSpoolBytes: z.int().min(1).optional(),
  maxSpoolRecords: z.int().min(1).optional(),
  batchSize: z.int().min(1).max(100_000).optional(),
  flushIntervalMs: z.number().min(0).max(3_600_000).optional(),
  maxMemoryRecords: z.int().min(1).optional(),
});
