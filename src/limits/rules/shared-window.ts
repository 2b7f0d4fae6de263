import type { SharedPool } from '../../stores/types.ts';
import type { CountingWindow } from './counting-window.ts';

interface Entry {
  /** Units taken of the pool. */
  taken: number;
  /** Units it counts. */
  counts: number;
  readonly at: number;
}

/** Counts together with other routers: what this one may add is its part of a pool. */
export class SharedWindow implements CountingWindow {
  readonly #pool: SharedPool;
  readonly #limit: number;
  /** One for each request under way. */
  readonly #entries: Map<number, Entry> = new Map();
  #next = 0;

  constructor(pool: SharedPool, limit: number) {
    this.#pool = pool;
    this.#limit = limit;
  }

  /** By everybody, as far as is known here. */
  total(now: number): number {
    const { used, held } = this.#pool.snapshot(now);
    return used + held;
  }

  waitMs(most: number, now: number): number {
    return this.#pool.waitMs(this.#limit - most, now);
  }

  add(amount: number, now: number): number {
    const entry = this.#next++;
    this.#entries.set(entry, { taken: amount, counts: amount, at: now });
    this.#pool.take(amount, now);
    return entry;
  }

  correct(name: number, by: number, now: number): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.counts += by;
    const more = entry.counts - entry.taken;
    if (more <= 0) return;
    entry.taken += more;
    this.#pool.take(more, now);
  }

  settle(name: number, now: number): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#pool.settle(entry.taken, entry.counts, now, entry.at);
  }
}
