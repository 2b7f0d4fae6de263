import type { UsageRecord } from '../types.ts';
import type { Dimension } from './dimensions.ts';
import { Groups, type Grouped, type GroupOptions, type Sums, type SumsKind } from './groups.ts';
import type { Question } from './question.ts';
import { Count, descending, inputTokens, known, Money } from './sums.ts';

export type SpendOptions<D extends Dimension> = GroupOptions<D>;

/** What some records come to. `null` is not known, never 0. */
export type Spend = {
  /** Calls, each counted once. */
  readonly calls: number;
  /** Records: one for each call, and one for each attempt before its last that may have cost something. */
  readonly records: number;
  /** Tokens of every record whose provider or estimate says them. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** In pico-dollars (10^-12), exact, over every record with a known cost. */
  readonly cost: bigint | null;
  /** Records whose cost is not known; they are in no amount. Refused calls are among them. */
  readonly unpriced: number;
  /** Tokens of those records: what `cost` leaves out. */
  readonly unpricedTokens: number;
};

/** What was spent, by any dimensions: `report(source, spend({ by: ['tenant', 'day'] }))`. */
export function spend<const D extends Dimension = never>(
  options: SpendOptions<D> = {},
): Question<Grouped<D, Spend>> {
  return () => new Groups(KIND, options);
}

class SpendSums implements Sums<Spend> {
  #calls = 0;
  #records = 0;
  readonly #input = new Count();
  readonly #output = new Count();
  readonly #cost = new Money();
  #unpriced = 0;
  #unpricedTokens = 0;

  add(record: UsageRecord): void {
    if (record.final) this.#calls++;
    this.#records++;
    const input = inputTokens(record);
    const output = known(record.usage.outputTokens.total);
    this.#input.add(input);
    this.#output.add(output);
    if (this.#cost.add(record.cost.usd)) return;
    this.#unpriced++;
    this.#unpricedTokens += (input ?? 0) + (output ?? 0);
  }

  merge(other: SpendSums): void {
    this.#calls += other.#calls;
    this.#records += other.#records;
    this.#input.merge(other.#input);
    this.#output.merge(other.#output);
    this.#cost.merge(other.#cost);
    this.#unpriced += other.#unpriced;
    this.#unpricedTokens += other.#unpricedTokens;
  }

  row(): Spend {
    return {
      calls: this.#calls,
      records: this.#records,
      inputTokens: this.#input.value,
      outputTokens: this.#output.value,
      cost: this.#cost.pico,
      unpriced: this.#unpriced,
      unpricedTokens: this.#unpricedTokens,
    };
  }
}

const KIND: SumsKind<Spend, SpendSums> = {
  name: 'spend',
  make: () => new SpendSums(),
  merge: (into, from) => into.merge(from),
  compare: (a, b) => descending(a.cost, b.cost) || b.calls - a.calls,
};
