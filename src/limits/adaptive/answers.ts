import type { Entry } from './ledger.ts';

/**
 * The answers under way, and what of them is written. Answers come at about the same speed, so the time since its head tells
 * how much of an answer there is, whatever length was expected of it.
 */
export class Answers {
  readonly #writing = new Set<Entry>();
  /** Over those: the sum of the moments of their heads. */
  #headTimes = 0;
  /** Tokens per millisecond. */
  #speed = 0.05;
  /** Of requests without a head yet, the output that is expected of them. */
  #expected = 0;
  /** Of answers that ended. */
  #ended = 0;

  /** Tokens that all answers had until now. */
  written(now: number): number {
    return this.#ended + this.#speed * (this.#writing.size * now - this.#headTimes);
  }

  /** Tokens still to come of the requests under way. */
  outstanding(now: number): number {
    let tokens = this.#expected;
    for (const entry of this.#writing) {
      const written = this.#speed * (now - (entry.headAt ?? now));
      tokens += Math.max(LEAST_SHARE * entry.expected, entry.expected - written);
    }
    return tokens;
  }

  sent(entry: Entry): void {
    this.#expected += entry.expected;
  }

  /** The head of its answer is here. */
  begun(entry: Entry): void {
    if (entry.headAt === undefined) return;
    this.#expected -= entry.expected;
    this.#writing.add(entry);
    this.#headTimes += entry.headAt;
  }

  /** More is expected of it. */
  grown(entry: Entry, more: number): void {
    entry.expected += more;
    if (!this.#writing.has(entry)) this.#expected += more;
  }

  ended(entry: Entry, output: number): void {
    this.#ended += output;
    if (this.#writing.delete(entry)) this.#headTimes -= entry.headAt ?? 0;
    else this.#expected -= entry.expected;
    if (this.#writing.size === 0) this.#headTimes = 0;
  }

  /** What is likely written of an answer that was given up. */
  likely(entry: Entry, now: number): number {
    return entry.headAt === undefined ? 0 : this.#speed * Math.max(0, now - entry.headAt);
  }

  learn(tokensPerSecond: number): void {
    this.#speed += WEIGHT * (tokensPerSecond / 1000 - this.#speed);
  }
}

/** Of what was expected of an answer, what may still come when all of it is there. */
const LEAST_SHARE = 0.1;
const WEIGHT = 0.1;
