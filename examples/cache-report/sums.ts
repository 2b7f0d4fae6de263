/** What do many turns come to? */
import type { Buckets, Turn } from './turns.ts';

export interface Sums {
  readonly calls: number;
  readonly tokens: Buckets<number>;
  readonly input: number;
  readonly output: number;
  /** In pico-dollars, as everything below. */
  readonly costs: Buckets<bigint>;
  readonly cost: bigint;
  /** Calls without a known price; they are in no amount. */
  readonly unpriced: number;
  readonly autoSaves: bigint;
  /** Input tokens that could have been read and were not. */
  readonly couldRead: number;
  readonly misses: number;
  readonly lost: bigint;
}

export function sumsOf(turns: readonly Turn[]): Sums {
  const tokens = (bucket: keyof Buckets<number>): number =>
    turns.reduce((sum, turn) => sum + turn.tokens[bucket], 0);
  const costs = (bucket: keyof Buckets<bigint>): bigint =>
    total(turns.map((turn) => turn.costs[bucket]));
  const missed = turns.filter(({ miss }) => miss !== undefined);
  return {
    calls: turns.length,
    tokens: { read: tokens('read'), written: tokens('written'), paid: tokens('paid') },
    input: turns.reduce((sum, { input }) => sum + input, 0),
    output: turns.reduce((sum, { output }) => sum + output, 0),
    costs: { read: costs('read'), written: costs('written'), paid: costs('paid') },
    cost: total(turns.map(({ cost = 0n }) => cost)),
    unpriced: turns.filter(({ cost }) => cost === undefined).length,
    autoSaves: total(turns.map(({ autoSaves }) => autoSaves)),
    couldRead: turns.reduce((sum, { couldRead }) => sum + couldRead, 0),
    misses: missed.length,
    lost: total(missed.map(({ lost }) => lost)),
  };
}

export function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

/** In the order in which the keys came. */
export function groupsOf<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
