import type { Limiter } from '../limits/types.ts';
import type { Priority } from '../types.ts';
import type { Waiter } from './types.ts';

/** A limit that several lanes draw on. */
export class SharedLimiter {
  readonly limiter: Limiter;
  /** Called, once each, when it may have room again: for whom. */
  readonly waiting: Map<() => void, Waiter> = new Map();

  constructor(limiter: Limiter) {
    this.limiter = limiter;
  }

  wake(): void {
    if (this.waiting.size === 0) return;
    // Across lanes, as in one: else the lane whose call has ended would always be the first.
    const waiting = [...this.waiting].sort(([, a], [, b]) => order(a, b));
    this.waiting.clear();
    for (const [free] of waiting) free();
  }
}

/** The most urgent first, then who came first. */
function order(a: Waiter, b: Waiter): number {
  return RANK[a.priority] - RANK[b.priority] || a.sequence - b.sequence;
}

/** Least urgent last. */
export const RANK: Readonly<Record<Priority, number>> = { urgent: 0, high: 1, normal: 2, low: 3 };
