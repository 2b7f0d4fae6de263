import type { Call } from './call.ts';
import type { Clock, Outcome, UsageRecord } from './types.ts';

/** Calls since the router was made. */
export interface CallCounts {
  /** Without their final record yet. */
  readonly active: number;
  /** Of these, the ones that asked for a stream. */
  readonly activeStreams: number;
  /** By how they ended. */
  readonly finished: Readonly<Partial<Record<Outcome, number>>>;
}

/** Keeps count of calls, and knows when none is left. */
export interface Tally {
  readonly active: Set<Call>;
  count(record: UsageRecord): void;
  snapshot(): CallCounts;
  /** Resolves when no call is active, or after `onTimeout` has run. */
  idle(clock: Clock, timeoutMs: number, onTimeout: () => void): Promise<void>;
  /** Ends every call that is still under way. */
  cut(error: Error): void;
}

export function createTally(): Tally {
  const active = new Set<Call>();
  const finished: Partial<Record<Outcome, number>> = {};
  let onIdle: (() => void) | undefined;
  return {
    active,
    count(record) {
      if (!record.final) return;
      finished[record.outcome] = (finished[record.outcome] ?? 0) + 1;
      if (active.size === 0) onIdle?.();
    },
    snapshot: () => ({
      active: active.size,
      activeStreams: [...active].filter(({ stream }) => stream).length,
      finished: { ...finished },
    }),
    idle(clock, timeoutMs, onTimeout) {
      if (active.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = clock.setTimeout(() => {
          onTimeout();
          resolve();
        }, timeoutMs);
        onIdle = () => {
          clock.clearTimeout(timer);
          resolve();
        };
      });
    },
    cut(error) {
      for (const call of active) call.cut(error);
    },
  };
}
