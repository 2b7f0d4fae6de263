import type { Random } from '../types.ts';

/** When to ask a store again that did not answer: after a tenth of a lease, then after up to about half of one. */
export class AwayTime {
  readonly #leaseMs: number;
  readonly #random: Random;
  #failures = 0;
  /** `Clock.now()`. */
  endsAt = 0;

  constructor(leaseMs: number, random: Random) {
    this.#leaseMs = leaseMs;
    this.#random = random;
  }

  get isAway(): boolean {
    return this.#failures > 0;
  }

  fail(now: number): void {
    const delayMs = this.#leaseMs * Math.min(LONGEST, SHORTEST * 2 ** this.#failures++);
    this.endsAt = now + delayMs * (0.75 + this.#random() / 2);
  }

  end(): void {
    this.#failures = 0;
    this.endsAt = 0;
  }
}

const SHORTEST = 0.1;
const LONGEST = 0.5;
