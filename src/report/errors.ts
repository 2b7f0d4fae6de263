import type { UsageRecord } from '../types.ts';
import type { Dimension } from './dimensions.ts';
import { Groups, type Grouped, type GroupOptions, type Sums, type SumsKind } from './groups.ts';
import type { Question } from './question.ts';
import { Money } from './sums.ts';

export type ErrorsOptions<D extends Dimension> = GroupOptions<D>;

/** Calls that ended otherwise than with a whole answer. */
export type Errors = {
  readonly calls: number;
  /** What their last attempts cost all the same, in pico-dollars (10^-12), exact; `null` where none is known. */
  readonly cost: bigint | null;
  /** When the latest of them came in, as its record says it; `null` without calls. */
  readonly lastSeen: string | null;
};

export type ErrorsAnswer<D extends Dimension> = Grouped<D | 'outcome', Errors> & {
  /** All calls, good ones too. */
  readonly calls: number;
  /** Of all calls, those that failed: 0 to 1. `null` without calls. */
  readonly errorRate: number | null;
};

/** Failed calls by their outcome, and by further dimensions: `errors({ by: ['provider', 'errorCode'] })`. */
export function errors<const D extends Dimension = never>(
  options: ErrorsOptions<D> = {},
): Question<ErrorsAnswer<D>> {
  return () => {
    const by: ReadonlyArray<D | 'outcome'> = ['outcome', ...(options.by ?? [])];
    const groups = new Groups(KIND, { ...options, by });
    let calls = 0;
    return {
      add(record) {
        if (!record.final) return;
        calls++;
        if (record.outcome !== 'ok') groups.add(record);
      },
      answer() {
        const answer = groups.answer();
        return { ...answer, calls, errorRate: calls === 0 ? null : answer.total.calls / calls };
      },
    };
  };
}

class ErrorSums implements Sums<Errors> {
  #calls = 0;
  readonly #cost = new Money();
  #lastSeen = '';

  add(record: UsageRecord): void {
    this.#calls++;
    this.#cost.add(record.cost.usd);
    if (record.startedAt > this.#lastSeen) this.#lastSeen = record.startedAt;
  }

  merge(other: ErrorSums): void {
    this.#calls += other.#calls;
    this.#cost.merge(other.#cost);
    if (other.#lastSeen > this.#lastSeen) this.#lastSeen = other.#lastSeen;
  }

  row(): Errors {
    return {
      calls: this.#calls,
      cost: this.#cost.pico,
      lastSeen: this.#lastSeen === '' ? null : this.#lastSeen,
    };
  }
}

const KIND: SumsKind<Errors, ErrorSums> = {
  name: 'errors',
  make: () => new ErrorSums(),
  merge: (into, from) => into.merge(from),
  compare: (a, b) => b.calls - a.calls,
};
