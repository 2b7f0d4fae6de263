import { usd } from '../../util/usd.ts';
import type { MissReason } from '../types.ts';
import type { DifferenceClass } from './classify-difference.ts';
import type { Diagnosis } from './diagnose.ts';

/** Misses added up. */
export interface MissSum {
  readonly count: number;
  readonly lostTokens: number;
  /** Decimal string in US dollars, over the misses whose price is known; `null` when that is none of them. */
  readonly lostUsd: string | null;
  /** Misses whose price is not known. */
  readonly unpriced: number;
}

/** Misses that have the same cause. */
export interface MissRow extends MissSum {
  readonly reason: MissReason;
  readonly class?: DifferenceClass | undefined;
  /** Hash of the tools and system prompt with which the line of requests began. */
  readonly family: string;
}

export interface MissReport extends MissSum {
  /** The worst 20: most money first, then most tokens. */
  readonly worst: readonly MissRow[];
}

/** What misses have cost, by cause. */
export interface MissLedger {
  /** `lost`: pico-dollars, `undefined` when not known. */
  add(miss: Diagnosis, family: string, lost: bigint | undefined): void;
  snapshot(): MissReport;
}

interface Sum {
  count: number;
  tokens: number;
  pico: bigint;
  unpriced: number;
}

interface Row extends Sum {
  readonly reason: MissReason;
  readonly class: DifferenceClass | undefined;
  readonly family: string;
}

const TOP = 20;

/**
 * At most `maxEntries` causes are kept apart. When there are more, the cheaper half is dropped: least recently used would
 * drop what is worst. The totals stay whole.
 */
export function createMissLedger({ maxEntries = 1000 }: { maxEntries?: number } = {}): MissLedger {
  let rows = new Map<string, Row>();
  const total: Sum = { count: 0, tokens: 0, pico: 0n, unpriced: 0 };

  return {
    add({ reason, difference, lostTokens }, family, lost) {
      const key = `${reason} ${difference?.class ?? ''} ${family}`;
      let row = rows.get(key);
      if (row === undefined) {
        if (rows.size >= maxEntries) rows = cheaperHalfDropped(rows);
        row = { reason, class: difference?.class, family, ...NOTHING };
        rows.set(key, row);
      }
      addTo(row, lostTokens, lost);
      addTo(total, lostTokens, lost);
    },
    snapshot: () => ({
      ...printed(total),
      worst: [...rows.values()]
        .toSorted(byLoss)
        .slice(0, TOP)
        .map((row) => ({
          reason: row.reason,
          ...(row.class === undefined ? undefined : { class: row.class }),
          family: row.family,
          ...printed(row),
        })),
    }),
  };
}

const NOTHING: Readonly<Sum> = { count: 0, tokens: 0, pico: 0n, unpriced: 0 };

function addTo(sum: Sum, tokens: number, lost: bigint | undefined): void {
  sum.count++;
  sum.tokens += tokens;
  if (lost === undefined) sum.unpriced++;
  else sum.pico += lost;
}

function printed({ count, tokens, pico, unpriced }: Sum): MissSum {
  const isUnknown = count > 0 && unpriced === count;
  return { count, lostTokens: tokens, lostUsd: isUnknown ? null : usd(pico), unpriced };
}

function byLoss(a: Row, b: Row): number {
  if (a.pico !== b.pico) return a.pico < b.pico ? 1 : -1;
  return b.tokens - a.tokens;
}

function cheaperHalfDropped(rows: ReadonlyMap<string, Row>): Map<string, Row> {
  const kept = [...rows].toSorted(([, a], [, b]) => byLoss(a, b));
  return new Map(kept.slice(0, Math.floor(rows.size / 2)));
}
