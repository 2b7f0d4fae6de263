import type { Demand } from '../types.ts';
import type { Sent, Surroundings } from './types.ts';

/** A test that is not answered for so long holds nobody up any more: it may never be. */
const PATIENCE_MS = 15_000;
/** Each refused test makes the pause so many times longer: few tests, and not much more than twice the wait that was needed. */
const GROWTH = 2.2;
/** Up to this share is added to each pause, so that many processes with one key do not test at the same moment. */
const JITTER = 0.2;
/** The longest pause between two tests at first. */
const MAX_PAUSE_MS = 20_000;
/** When everything is refused for long, pauses may become a share of that time, up to this. */
const LAST_PAUSE_MS = 120_000;
const REFUSED_PER_PAUSE = 3;

/** Between a refusal and the first admission after it: a pause, and then nothing goes out but one test at a time. */
export class Retreat {
  readonly #surroundings: Surroundings;
  readonly #refusedAt: number;
  #lastRefusedAt: number;
  #pauseMs: number;
  #openAt: number;
  #test: Sent | undefined;

  constructor(surroundings: Surroundings, refused: Sent, pauseMs: number, now: number) {
    this.#surroundings = surroundings;
    this.#refusedAt = refused.sentAt;
    this.#lastRefusedAt = refused.sentAt;
    this.#pauseMs = pauseMs;
    this.#openAt = this.#opening(now);
  }

  /** When the request was sent that began it. */
  get refusedAt(): number {
    return this.#refusedAt;
  }

  /** When the last test was sent that was refused; without any, the same. */
  get lastRefusedAt(): number {
    return this.#lastRefusedAt;
  }

  waitMs(demand: Demand, now: number): number {
    const pause = Math.max(0, this.#openAt - now);
    const test = this.#test;
    if (test?.fate === 'open' && this.#surroundings.unanswered > 0)
      return Math.max(pause, test.sentAt + PATIENCE_MS - now);
    // A call that would fail with the next refusal leaves the test to others, or waits twice as long.
    const caution = demand.attemptsLeft === 0 ? this.#pauseMs : 0;
    return Math.max(pause, this.#openAt + caution - now);
  }

  sent(request: Sent): void {
    this.#test = request;
  }

  /** A test was refused too. */
  again(refused: Sent, retryAfterMs: number | undefined, now: number): void {
    this.#lastRefusedAt = Math.max(this.#lastRefusedAt, refused.sentAt);
    const share = (now - this.#refusedAt) / REFUSED_PER_PAUSE;
    const most = Math.min(LAST_PAUSE_MS, Math.max(MAX_PAUSE_MS, share));
    this.#pauseMs = Math.min(most, Math.max(this.#pauseMs * GROWTH, retryAfterMs ?? 0));
    this.#openAt = this.#opening(now);
  }

  #opening(now: number): number {
    return now + this.#pauseMs * (1 + JITTER * this.#surroundings.random());
  }
}
