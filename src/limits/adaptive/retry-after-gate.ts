import type { Random } from '../../types.ts';

/**
 * Closes the lane for as long as a provider asks. It opens without a herd: a little later than asked, differently each time,
 * and to one request first where nothing else holds the others back.
 */
export class RetryAfterGate {
  readonly #random: Random;
  #opensAt = -Infinity;
  #closedAt = -Infinity;
  /** Refusals without an admission between them. */
  #inARow = 0;
  #lastAdmitted = -Infinity;
  /** When the request was sent that is to find out whether the gate opened too early. */
  #probeSentAt: number | undefined;
  #isOpen = true;

  constructor(random: Random) {
    this.#random = random;
  }

  /** How long it stays closed. */
  closedMs(now: number): number {
    return Math.max(0, this.#opensAt - now);
  }

  /** `isPaced`: something else sees to it that not all that waits is sent at once. */
  waitMs(now: number, isPaced: boolean): number {
    if (now < this.#opensAt) return this.#opensAt - now;
    if (this.#isOpen || isPaced || this.#probeSentAt === undefined) return 0;
    return Math.max(0, this.#probeSentAt + PROBE_MS - now);
  }

  sent(sentAt: number): void {
    if (!this.#isOpen && this.#probeSentAt === undefined) this.#probeSentAt = sentAt;
  }

  admitted(sentAt: number): void {
    this.#lastAdmitted = Math.max(this.#lastAdmitted, sentAt);
    this.#inARow = 0;
    if (sentAt > this.#closedAt) this.#isOpen = true;
  }

  /** `retryAfterMs`: as the provider says; `undefined` closes it for a moment. */
  refused(sentAt: number, retryAfterMs: number | undefined, now: number): void {
    this.#inARow = sentAt > this.#lastAdmitted ? this.#inARow + 1 : 1;
    const asked = Math.min(retryAfterMs ?? SHORT_MS, MOST_MS);
    // Refusals of requests that were sent before the last one say nothing new, unless they ask for more.
    if (sentAt <= this.#closedAt && now + asked <= this.#opensAt) return;
    this.#opensAt = Math.max(this.#opensAt, now + asked + this.#jitter(asked, retryAfterMs));
    this.#closedAt = now;
    this.#isOpen = false;
    this.#probeSentAt = undefined;
  }

  #jitter(asked: number, retryAfterMs: number | undefined): number {
    if (retryAfterMs === undefined) return 500 * this.#random();
    const again = this.#inARow > 1 ? Math.min(MOST_AGAIN_MS, 150 * 2 ** this.#inARow) : 0;
    return (again + Math.min(asked / 10, 1500)) * this.#random();
  }
}

/** A provider that asks for more is asked again after this. */
const MOST_MS = 120_000;
const MOST_AGAIN_MS = 8000;
/** Where a refusal names no time. */
const SHORT_MS = 300;
/** A probe without an answer holds the others back no longer. */
const PROBE_MS = 15_000;
