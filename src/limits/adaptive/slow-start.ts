import type { Surroundings } from './types.ts';

/** Unanswered requests at first: enough to be quick, few enough to lose to a first refusal. */
const FIRST_WINDOW = 8;
const MAX_WINDOW = 4096;
/** Between the first requests, so that a refusal can come back before many more are out. */
const FIRST_SPACING_MS = 15;
/** After so many admissions the spacing is half of that. */
const HALVING = 16;

/**
 * Sending while no limit is known: the number of unanswered requests doubles per round trip, and they go out ever closer
 * together. So a provider without limits is used in full after a few round trips, and one with a limit refuses few.
 */
export class SlowStart {
  readonly #surroundings: Surroundings;
  #window = FIRST_WINDOW;
  #admitted = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  waitMs(lastSentAt: number | undefined, now: number): number {
    const { unanswered } = this.#surroundings;
    if (unanswered >= this.#window) return Infinity;
    // Whoever asks one thing after the other never waits, and where all is answered nothing is left to wait for.
    if (lastSentAt === undefined || unanswered === 0) return 0;
    const spacing = (FIRST_SPACING_MS * HALVING) / (HALVING + this.#admitted);
    return Math.max(0, lastSentAt + spacing - now);
  }

  admitted(): void {
    this.#admitted += 1;
    // Only a window that is used says that a larger one would do.
    if (this.#surroundings.unanswered >= this.#window / 2 - 1)
      this.#window = Math.min(MAX_WINDOW, this.#window + 1);
  }
}
