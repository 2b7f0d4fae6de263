import { SlidingWindow } from './sliding-window.ts';

/** Which share of the answers of the last `windowMs` milliseconds were refusals for the rate. */
export class RefusedShare {
  readonly #answers: SlidingWindow;
  readonly #refusals: SlidingWindow;

  constructor(windowMs: number) {
    this.#answers = new SlidingWindow(windowMs);
    this.#refusals = new SlidingWindow(windowMs);
  }

  record(isRefused: boolean, now: number): void {
    this.#answers.add(1, now);
    if (isRefused) this.#refusals.add(1, now);
  }

  /** 0 to 1; 0 without answers. Slots of the two may leave at slightly different times. */
  at(now: number): number {
    const refusals = this.#refusals.total(now);
    return refusals === 0 ? 0 : Math.min(1, refusals / this.#answers.total(now));
  }
}
