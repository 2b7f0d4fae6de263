/** Adds up what counts against one number of a rule: in this router, or in all that share the number. */
export interface CountingWindow {
  /** What counts now. */
  total(now: number): number;
  /** Milliseconds until at most `most` counts, if nothing is added; 0 when that is so now; `Infinity` when only an event helps. */
  waitMs(most: number, now: number): number;
  /** Counts at `now`. Returns the name of the entry, for corrections. */
  add(amount: number, now: number): number;
  /** Adds to what an entry counts, as of when it was added. */
  correct(entry: number, by: number, now: number): void;
  /** The entry counts what it should, and is not corrected any more. */
  settle(entry: number, now: number): void;
}

/** What counts from when it is added until it is settled: requests under way. */
export class HeldWindow implements CountingWindow {
  #total = 0;

  total(): number {
    return this.#total;
  }

  waitMs(most: number): number {
    return this.#total <= most ? 0 : Infinity;
  }

  add(amount: number): number {
    this.#total += amount;
    return amount;
  }

  /** Its entries are their amounts: none is ever corrected. */
  correct(): void {}

  settle(entry: number): void {
    this.#total -= entry;
  }
}
