import type { RuleLimiter } from './rule-limiter.ts';

/** What is counted under a key. */
export interface Counting {
  /** Whether somebody is under way with it. */
  readonly inFlight: number;
  /** Nothing is under way and nothing counted: one made anew would be just the same. */
  isIdle(now: number): boolean;
}

/**
 * Limiters by key, made on first use. Idle ones are let go when there are many; one that somebody still holds is found again
 * under its key, so that no key ever has two.
 */
export class LimiterStore<T extends Counting = RuleLimiter> {
  readonly #max: number;
  readonly #kept: Map<string, T> = new Map();
  /** Let go, but perhaps held by a call that waits. */
  readonly #released: Map<string, WeakRef<T>> = new Map();

  constructor(max: number = MAX_IDLE) {
    this.#max = max;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(key: string, create: () => T, now: number): T {
    let limiter = this.#kept.get(key);
    if (limiter !== undefined) return limiter;
    limiter = this.#released.get(key)?.deref() ?? create();
    this.#released.delete(key);
    if (this.#kept.size >= this.#max) this.#releaseIdle(now);
    this.#kept.set(key, limiter);
    return limiter;
  }

  values(): Iterable<T> {
    return this.#kept.values();
  }

  /** Looks at a few of the longest unseen, so that the cost of one call is bounded. */
  #releaseIdle(now: number): void {
    let looked = 0;
    for (const [key, limiter] of this.#kept) {
      if (looked++ === LOOKS) break;
      this.#kept.delete(key);
      const isCrowded = this.#kept.size >= this.#max * CROWDED - 1;
      const mayGo = limiter.isIdle(now) || (isCrowded && limiter.inFlight === 0);
      if (mayGo) this.#released.set(key, new WeakRef(limiter));
      else this.#kept.set(key, limiter);
    }
    this.#forgetReleased();
  }

  #forgetReleased(): void {
    let looked = 0;
    for (const [key, reference] of this.#released) {
      if (looked++ === LOOKS * 2) return;
      this.#released.delete(key);
      if (reference.deref() !== undefined) this.#released.set(key, reference);
    }
  }
}

const MAX_IDLE = 10_000;
/** So many times as many may be kept while they count something; beyond, what they count is lost. */
const CROWDED = 5;
const LOOKS = 8;
