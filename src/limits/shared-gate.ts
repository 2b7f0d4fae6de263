import type { Store } from '../stores/types.ts';
import type { Clock, Random } from '../types.ts';
import type { Demand, Limiter, LimiterSnapshot, LimitState, Permit } from './types.ts';

export interface SharedGateOptions {
  readonly store: Store;
  /** Names the router: what it said itself it does not listen to. */
  readonly holder: string;
  /** What the gate is for: provider, account and model. */
  readonly key: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * When a provider tells one router to come again later, the others that share its store stay away as long, without having to be
 * refused themselves. It never makes a call wait for the store: it looks there beside the calls, once a second at most, and a
 * store that does not answer says nothing.
 */
export function createSharedGate(options: SharedGateOptions): Limiter {
  return new SharedGate(options);
}

class SharedGate implements Limiter {
  readonly #options: SharedGateOptions;
  #closedUntil = -Infinity;
  #lookedAt = -Infinity;
  /** The same for all requests: it remembers none. */
  readonly #permit: Permit = {
    begin: () => {},
    progress: () => {},
    end: ({ verdict: { kind, retryAfterMs = 0 } }) => {
      if ((kind === 'rate' || kind === 'overload') && retryAfterMs > 0) this.#close(retryAfterMs);
    },
  };

  constructor(options: SharedGateOptions) {
    this.#options = options;
  }

  get state(): LimitState {
    return this.#closedUntil > this.#options.clock.now() ? 'retreat' : 'normal';
  }

  waitMs(_demand: Demand, now: number): number {
    if (now - this.#lookedAt >= LOOK_MS) this.#look(now);
    return Math.max(0, this.#closedUntil - now);
  }

  admit(): Permit {
    return this.#permit;
  }

  snapshot(now: number): LimiterSnapshot {
    return {
      name: 'shared gate',
      state: this.state,
      requestsPerMinute: undefined,
      refusedShare: 0,
      inFlight: 0,
      maxInFlight: undefined,
      closedMs: Math.max(0, this.#closedUntil - now),
      meters: [],
    };
  }

  /** Tells the others. This router's own limits know already. */
  #close(retryAfterMs: number): void {
    const { store, key, holder, clock } = this.#options;
    const ms = Math.min(retryAfterMs, LONGEST_MS);
    void store
      .set(key, `${holder} ${clock.wallNow() + ms}`, { ttlMs: Math.ceil(ms) })
      .catch(() => {});
  }

  #look(now: number): void {
    const { store, key, holder, clock, random } = this.#options;
    this.#lookedAt = now;
    void store
      .get(key)
      .then((value) => {
        const [by, until] = value?.split(' ') ?? [];
        if (by === undefined || by === holder) return;
        const ms = Number(until) - clock.wallNow();
        if (!(ms > 0 && ms <= LONGEST_MS)) return;
        // Not all at the same moment.
        this.#closedUntil = clock.now() + ms + random() * SPREAD_MS;
      })
      .catch(() => {});
  }
}

const LOOK_MS = 1000;
const SPREAD_MS = 250;
/** Whoever asks for more is given back to its host at once (`retry`), and clocks may differ. */
const LONGEST_MS = 120_000;
