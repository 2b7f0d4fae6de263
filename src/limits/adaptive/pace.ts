/** What every limit is taken to allow at once until it shows: so few that hardly any provider refuses them. */
const FIRST_BURST = 3;
/** Each time the whole allowance is used and admitted, half as many more may be tried. */
const GROWTH = 1.5;
/** A burst that was refused is not tried again for ten minutes: it gains little, and each try costs a refusal. */
const FREEZE_MS = 600_000;
/** Sums of fractions are off by less than this. */
const ROUNDING = 1e-9;

/** Spends requests at a rate, with an allowance for bursts that is learnt apart from the rate. Rates are per millisecond. */
export class Pace {
  #level = 1;
  #burst = FIRST_BURST;
  #frozenUntil = -Infinity;
  #at = 0;

  /** So many may go at once after a pause. At least 1. */
  get burst(): number {
    return this.#burst;
  }

  /** `overdraft`: so many may go ahead of the pace; what follows waits the longer. */
  waitMs(perMs: number, overdraft: number, now: number): number {
    this.#advance(perMs, now);
    const missing = 1 - overdraft - this.#level;
    return missing <= ROUNDING ? 0 : missing / perMs;
  }

  take(perMs: number, now: number): void {
    this.#advance(perMs, now);
    this.#level -= 1;
  }

  /** A refusal says that nothing is left; what flows in from now on does count. */
  empty(perMs: number, now: number): void {
    this.#advance(perMs, now);
    this.#level = Math.min(this.#level, 0);
  }

  /** A new rate: what flowed in at the old one is worth nothing. */
  restart(now: number): void {
    this.#level = 0;
    this.#at = now;
  }

  /** As many as `size` at once were refused, though the rate was right. */
  tooMany(size: number, now: number): void {
    this.#burst = Math.max(1, Math.min(this.#burst, size));
    this.#level = Math.min(this.#level, this.#burst);
    this.#frozenUntil = now + FREEZE_MS;
  }

  /** The whole allowance was used at once, and admitted. `most`: requests a minute, for no burst can be larger. */
  proven(most: number, now: number): void {
    if (now <= this.#frozenUntil) return;
    this.#burst = Math.min(this.#burst * GROWTH, Math.max(FIRST_BURST, most));
  }

  #advance(perMs: number, now: number): void {
    if (now <= this.#at) return;
    this.#level = Math.min(this.#burst, this.#level + (now - this.#at) * perMs);
    this.#at = now;
  }
}
