import type { Clock } from '../types.ts';

/** Calls that wait until a prefix, which another call is writing, can be read. */
export interface WarmUps {
  /** Resolves when the prefix is ready or given up, after `ms`, or when the signal fires. Never rejects. */
  wait(hash: string, ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** Wakes those that wait for these prefixes. */
  wake(hashes: readonly string[]): void;
  /** Wakes all: the calls have been ended. */
  wakeAll(): void;
  /** How many wait now. */
  readonly waiting: number;
}

/** One set of waiters for each prefix, which goes with its last waiter; one timer for each waiter. */
export function createWarmUps(clock: Clock): WarmUps {
  const waiters = new Map<string, Set<() => void>>();
  let waiting = 0;
  return {
    wait(hash, ms, signal) {
      if (signal?.aborted === true || ms <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const others = waiters.get(hash) ?? new Set();
        const end = (): void => {
          if (!others.delete(end)) return;
          if (others.size === 0 && waiters.get(hash) === others) waiters.delete(hash);
          waiting--;
          clock.clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = clock.setTimeout(end, ms);
        signal?.addEventListener('abort', end, { once: true });
        others.add(end);
        waiters.set(hash, others);
        waiting++;
      });
    },
    wake(hashes) {
      for (const hash of hashes) waiters.get(hash)?.forEach((end) => end());
    },
    wakeAll() {
      this.wake([...waiters.keys()]);
    },
    get waiting() {
      return waiting;
    },
  };
}
