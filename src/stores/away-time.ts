import type { Random } from '../types.ts';
import type { LastAnswer } from './last-answer.ts';

/** When to ask a store again that did not answer, and what was known before. Times are `Clock.now()`. */
export class AwayTime {
  readonly #leaseMs: number;
  readonly #random: Random;
  #failures = 0;
  #cautiousUntil = 0;
  /** The last answer before. */
  before: LastAnswer | undefined;
  /** When to ask again: after a tenth of a lease, then after up to about half of one. */
  endsAt = 0;

  constructor(leaseMs: number, random: Random) {
    this.#leaseMs = leaseMs;
    this.#random = random;
  }

  get isAway(): boolean {
    return this.#failures > 0;
  }

  /** It is back, but others may still be using shares that it has not heard of. */
  cautiousMs(now: number): number {
    return this.isAway ? 0 : Math.max(0, this.#cautiousUntil - now);
  }

  fail(last: LastAnswer | undefined, now: number): void {
    this.#begin(last, now);
    const delayMs = this.#leaseMs * Math.min(LONGEST, SHORTEST * 2 ** this.#failures++);
    this.endsAt = now + delayMs * (0.75 + this.#random() / 2);
  }

  /** Also for a store that answers, but has forgotten what it knew. */
  end(last: LastAnswer | undefined, now: number): void {
    this.#begin(last, now);
    if (this.isAway || now >= this.#cautiousUntil) this.#cautiousUntil = now + this.#leaseMs * LONG;
    this.#failures = 0;
    this.endsAt = 0;
  }

  #begin(last: LastAnswer | undefined, now: number): void {
    if (!this.isAway && now >= this.#cautiousUntil) this.before = last;
  }
}

const SHORTEST = 0.1;
const LONGEST = 0.5;
/** A little longer than a store recovers. */
const LONG = 1.1;
