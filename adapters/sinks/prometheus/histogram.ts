import { decimal } from '../../../src/util/decimal.ts';
import type { Definition } from './series.ts';

/** What is observed, counted by how much it is. */
export class Histogram {
  readonly definition: Definition & { readonly type: 'histogram' };
  readonly buckets: readonly number[];
  readonly #cells = new Map<string, Cell>();
  /** Told of every value, for the host's own histogram. */
  onObserve: ((labels: readonly string[], seconds: number) => void) | undefined;

  /** `buckets`: upper bounds in seconds, ascending. */
  constructor(buckets: readonly number[], definition: Definition) {
    this.definition = { ...definition, type: 'histogram' };
    this.buckets = buckets;
  }

  /** What is no duration is left out. */
  observe(labels: readonly string[], ms: number | undefined): void {
    if (ms === undefined || !(ms >= 0 && ms <= MAX_MS)) return;
    const seconds = ms / 1000;
    const key = labels.join('\u0000');
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { labels, counts: this.buckets.map(() => 0), count: 0, nanoseconds: 0n };
      this.#cells.set(key, cell);
    }
    const at = this.buckets.findIndex((bound) => seconds <= bound);
    if (at >= 0) cell.counts[at]!++;
    cell.count++;
    cell.nanoseconds += BigInt(Math.round(ms * 1e6));
    this.onObserve?.(labels, seconds);
  }

  distributions(): Distribution[] {
    return Array.from(this.#cells.values(), ({ labels, counts, count, nanoseconds }) => {
      let below = 0;
      const buckets = this.buckets.map((bound, at) => ({ bound, count: (below += counts[at]!) }));
      return { labels, buckets, count, sum: decimal(nanoseconds, 9) };
    });
  }
}

/** One histogram as it stands. */
export interface Distribution {
  readonly labels: readonly string[];
  /** How many were at most `bound`. */
  readonly buckets: ReadonlyArray<{ readonly bound: number; readonly count: number }>;
  readonly count: number;
  readonly sum: string;
}

interface Cell {
  readonly labels: readonly string[];
  /** Of each bucket alone. */
  readonly counts: number[];
  count: number;
  nanoseconds: bigint;
}

/** A century. */
const MAX_MS = 3e12;
