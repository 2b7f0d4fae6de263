import type { UsageRecord } from '../types.ts';
import type { Dimension } from './dimensions.ts';
import { Groups, type Grouped, type GroupOptions, type Sums, type SumsKind } from './groups.ts';
import type { Question } from './question.ts';
import { Count, descending, inputTokens, known, Money, writtenTokens } from './sums.ts';

export type CacheSavingsOptions<D extends Dimension> = GroupOptions<D>;

/** What prompt caches and shared answers did for some records. `null` is not known, never 0. */
export type CacheSavings = {
  readonly calls: number;
  /** Calls that read something from a prompt cache. */
  readonly reading: number;
  readonly inputTokens: number | null;
  readonly readTokens: number | null;
  readonly writtenTokens: number | null;
  /** Of the input tokens, those that were read: 0 to 1. `null` without input. */
  readonly hitRate: number | null;
  /**
   * In pico-dollars (10^-12), exact: what reading saved against plain input, less what writing cost above it. Negative where more
   * was written than read.
   */
  readonly saved: bigint | null;
  /** Records that read or wrote and of which no saving is known. */
  readonly unpriced: number;
  /** Calls that shared the answer of another. */
  readonly shared: number;
  /** What those did not cost, in pico-dollars. */
  readonly sharedSaved: bigint | null;
};

/** What was read from prompt caches, written to them, and saved. Tokens and money are added up over all attempts. */
export function cacheSavings<const D extends Dimension = never>(
  options: CacheSavingsOptions<D> = {},
): Question<Grouped<D, CacheSavings>> {
  return () => new Groups(KIND, options);
}

class CacheSums implements Sums<CacheSavings> {
  #calls = 0;
  #reading = 0;
  readonly #input = new Count();
  readonly #read = new Count();
  readonly #written = new Count();
  readonly #saved = new Money();
  #unpriced = 0;
  #shared = 0;
  readonly #sharedSaved = new Money();

  add(record: UsageRecord): void {
    const read = known(record.usage.inputTokens.cacheRead);
    const written = writtenTokens(record);
    this.#input.add(inputTokens(record));
    this.#read.add(read);
    this.#written.add(written);
    const isSavingKnown = this.#saved.add(record.saved.cacheUsd);
    if (!isSavingKnown && (read ?? 0) + (written ?? 0) > 0) this.#unpriced++;
    this.#sharedSaved.add(record.saved.dedupeUsd);
    if (!record.final) return;
    this.#calls++;
    if ((read ?? 0) > 0) this.#reading++;
    if (SHARED.has(record.dedupe?.role)) this.#shared++;
  }

  merge(other: CacheSums): void {
    this.#calls += other.#calls;
    this.#reading += other.#reading;
    this.#input.merge(other.#input);
    this.#read.merge(other.#read);
    this.#written.merge(other.#written);
    this.#saved.merge(other.#saved);
    this.#unpriced += other.#unpriced;
    this.#shared += other.#shared;
    this.#sharedSaved.merge(other.#sharedSaved);
  }

  row(): CacheSavings {
    const input = this.#input.value;
    return {
      calls: this.#calls,
      reading: this.#reading,
      inputTokens: input,
      readTokens: this.#read.value,
      writtenTokens: this.#written.value,
      hitRate: input === null || input === 0 ? null : (this.#read.value ?? 0) / input,
      saved: this.#saved.pico,
      unpriced: this.#unpriced,
      shared: this.#shared,
      sharedSaved: this.#sharedSaved.pico,
    };
  }
}

const SHARED: ReadonlySet<string | undefined> = new Set(['follower', 'cache']);

const KIND: SumsKind<CacheSavings, CacheSums> = {
  name: 'cacheSavings',
  make: () => new CacheSums(),
  merge: (into, from) => into.merge(from),
  compare: (a, b) =>
    descending(a.saved, b.saved) || descending(a.readTokens, b.readTokens) || b.calls - a.calls,
};
