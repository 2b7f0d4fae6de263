import { z } from 'zod';

/** What `createRouter({ schedule })` takes. */
export interface ScheduleOptions {
  /**
   * Calls that may wait for one provider, account and model. Default: 500, once a limit is known: while the router only feels
   * its way up, nobody is turned away for it.
   */
  maxQueue?: number | undefined;
  /**
   * What happens to a call that comes when so many wait. `reject`: it is refused (`ERR_QUEUE_FULL`). `passthrough`: it is sent
   * at once, past queue and limits. `drop-lowest`: the latest of the least urgent that wait is refused in its place, if it is
   * less urgent. Default: `reject`.
   */
  whenFull?: 'reject' | 'passthrough' | 'drop-lowest' | undefined;
  /** How long a call waits for its turn at most, in milliseconds; then it is refused (`ERR_QUEUE_TIMEOUT`). Default: none. */
  maxWaitMs?: number | undefined;
  /**
   * The same for calls of low priority. Default: 2000 where a limit of the user's own applies, which says how much there is to
   * share; none where only the provider's limit is in the way, since it would be met again.
   */
  lowMaxWaitMs?: number | undefined;
  /**
   * A call is due `agingMs` after it came for each class below `urgent`, in milliseconds. Up to a quarter of what is sent goes
   * to overdue calls out of turn, 1 in 20 while urgent ones wait. Default: 5000.
   */
  agingMs?: number | undefined;
  /** Shares of tenants among calls of one priority, relative to the others' 1. Default: all 1. */
  weights?: Readonly<Record<string, number>> | undefined;
}

/** Settings with their defaults. */
export interface ScheduleSettings {
  readonly maxQueue: number;
  /** It holds also while no limit is known. */
  readonly isQueueFirm: boolean;
  readonly whenFull: 'reject' | 'passthrough' | 'drop-lowest';
  readonly maxWaitMs: number | undefined;
  readonly lowMaxWaitMs: number | undefined;
  readonly agingMs: number;
  readonly weights: Readonly<Record<string, number>>;
}

const milliseconds = z.number().min(0).max(86_400_000);

export const scheduleSchema: z.ZodType<ScheduleOptions> = z.strictObject({
  maxQueue: z.int().min(0).max(10_000_000).optional(),
  whenFull: z.enum(['reject', 'passthrough', 'drop-lowest']).optional(),
  maxWaitMs: milliseconds.optional(),
  lowMaxWaitMs: milliseconds.optional(),
  agingMs: z.number().min(1).max(86_400_000).optional(),
  weights: z.record(z.string(), z.number().min(0.001).max(1_000_000)).optional(),
});

/** Under a limit of the user's own. */
export const LOW_MAX_WAIT_MS = 2000;

export function scheduleSettings(options: ScheduleOptions = {}): ScheduleSettings {
  return {
    maxQueue: options.maxQueue ?? 500,
    isQueueFirm: options.maxQueue !== undefined,
    whenFull: options.whenFull ?? 'reject',
    maxWaitMs: options.maxWaitMs,
    lowMaxWaitMs: options.lowMaxWaitMs,
    agingMs: options.agingMs ?? 5000,
    weights: options.weights ?? {},
  };
}
