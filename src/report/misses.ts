import type { UsageRecord } from '../types.ts';
import type { Dimension } from './dimensions.ts';
import { Groups, type Grouped, type GroupOptions, type Sums, type SumsKind } from './groups.ts';
import type { Question } from './question.ts';
import { Count, descending, known, Money } from './sums.ts';

export type MissesOptions<D extends Dimension> = GroupOptions<D>;

/** Prefixes that could have been read from a prompt cache and were not. `null` is not known, never 0. */
export type Misses = {
  /** Requests with such a prefix. */
  readonly misses: number;
  /** Input tokens that would have been read. */
  readonly lostTokens: number | null;
  /** What they cost more than they would have, in pico-dollars (10^-12), exact. */
  readonly lost: bigint | null;
  /** Misses of which no loss in money is known. */
  readonly unpriced: number;
};

/** Misses of the prompt cache by their cause (`reason`), and by further dimensions. */
export function misses<const D extends Dimension = never>(
  options: MissesOptions<D> = {},
): Question<Grouped<D | 'reason', Misses>> {
  return () => {
    const by: ReadonlyArray<D | 'reason'> = ['reason', ...(options.by ?? [])];
    const groups = new Groups(KIND, { ...options, by });
    return {
      add(record) {
        if (record.cache?.miss != null) groups.add(record);
      },
      answer: () => groups.answer(),
    };
  };
}

class MissSums implements Sums<Misses> {
  #misses = 0;
  readonly #lostTokens = new Count();
  readonly #lost = new Money();
  #unpriced = 0;

  add({ cache }: UsageRecord): void {
    this.#misses++;
    this.#lostTokens.add(known(cache?.miss?.lostTokens));
    if (!this.#lost.add(cache?.miss?.lostUsd)) this.#unpriced++;
  }

  merge(other: MissSums): void {
    this.#misses += other.#misses;
    this.#lostTokens.merge(other.#lostTokens);
    this.#lost.merge(other.#lost);
    this.#unpriced += other.#unpriced;
  }

  row(): Misses {
    return {
      misses: this.#misses,
      lostTokens: this.#lostTokens.value,
      lost: this.#lost.pico,
      unpriced: this.#unpriced,
    };
  }
}

const KIND: SumsKind<Misses, MissSums> = {
  name: 'misses',
  make: () => new MissSums(),
  merge: (into, from) => into.merge(from),
  compare: (a, b) =>
    descending(a.lost, b.lost) || descending(a.lostTokens, b.lostTokens) || b.misses - a.misses,
};
