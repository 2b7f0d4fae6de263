import { RefusedShare } from '../rules/refused-share.ts';
import type { Demand, Limiter, LimiterSnapshot, LimitState, Permit, RequestEnd } from '../types.ts';
import { type RateEvents, RatePermit } from './rate-permit.ts';
import { RetryGate } from './retry-gate.ts';

export interface AimdOptions {
  /** The rate to start with, in requests a minute. Default: 20. */
  requestsPerMinute?: number | undefined;
}

/**
 * Additive increase, multiplicative decrease of a rate: every request that had to wait and was then admitted raises it by one
 * request a minute (by less above 20), a refusal halves it. Of requests that were under way at a cut, only one counts.
 * `retry-after` closes the gate for all. It never stops looking for more, so it is refused again and again: the plain
 * alternative to what learns.
 */
export function createAimdLimiter(options: AimdOptions = {}): Limiter {
  return new Aimd(options.requestsPerMinute ?? START_RATE);
}

const START_RATE = 20;
const LEAST_RATE = 1;
const CUT_FACTOR = 0.5;
/** Up to this rate, a success raises it by 1; above, by less, so that it takes as many as there are in a few seconds. */
const FULL_STEP_RATE = 20;
/** What may go at once after a pause. */
const BURST_MS = 5000;
const MINUTE_MS = 60_000;
/** A rounding error of the level of a bucket. */
const TINY = 1e-6;

class Aimd implements Limiter, RateEvents {
  #rate: number;
  #level: number;
  #levelAt = 0;
  #inFlight = 0;
  #cutAt = -Infinity;
  /** At the last cut: what it recovers to. */
  #rateBefore = 0;
  #state: LimitState = 'normal';
  #hasWaited = false;
  readonly #gate = new RetryGate();
  readonly #shown = new RefusedShare(MINUTE_MS);

  constructor(start: number) {
    this.#rate = start;
    this.#level = this.#burst;
  }

  get state(): LimitState {
    return this.#state;
  }

  waitMs(_demand: Demand, now: number): number {
    this.#refill(now);
    const missing = 1 - this.#level;
    const own = missing > TINY ? (missing * MINUTE_MS) / this.#rate : 0;
    if (own > 0) this.#hasWaited = true;
    return Math.max(this.#gate.waitMs(now), own);
  }

  admit(_demand: Demand, now: number): Permit {
    this.#refill(now);
    this.#level--;
    this.#inFlight++;
    const hasWaited = this.#hasWaited;
    this.#hasWaited = false;
    return new RatePermit(this, now, hasWaited);
  }

  admitted({ sentAt, hasWaited }: RatePermit, now: number): void {
    this.#shown.record(false, now);
    if (sentAt <= this.#cutAt) return;
    if (hasWaited) this.#setRate(this.#rate + Math.min(1, FULL_STEP_RATE / this.#rate), now);
    if (this.#state !== 'normal') {
      this.#state = this.#rate >= this.#rateBefore ? 'normal' : 'recover';
    }
  }

  refused({ sentAt }: RatePermit, now: number): void {
    this.#shown.record(true, now);
    if (sentAt <= this.#cutAt) return;
    this.#rateBefore = this.#rate;
    this.#cutAt = now;
    this.#state = 'retreat';
    this.#setRate(Math.max(LEAST_RATE, this.#rate * CUT_FACTOR), now);
  }

  ended({ verdict }: RequestEnd, now: number): void {
    this.#inFlight--;
    this.#gate.close(verdict.retryAfterMs, now);
  }

  snapshot(now: number): LimiterSnapshot {
    return {
      name: 'aimd',
      state: this.#state,
      requestsPerMinute: this.#rate,
      refusedShare: this.#shown.at(now),
      inFlight: this.#inFlight,
      maxInFlight: undefined,
      closedMs: this.#gate.waitMs(now),
      meters: [],
    };
  }

  get #burst(): number {
    return Math.max(1, (this.#rate * BURST_MS) / MINUTE_MS);
  }

  #setRate(rate: number, now: number): void {
    this.#refill(now);
    this.#rate = rate;
    this.#level = Math.min(this.#level, this.#burst);
  }

  #refill(now: number): void {
    const gained = (Math.max(0, now - this.#levelAt) * this.#rate) / MINUTE_MS;
    this.#level = Math.min(this.#burst, this.#level + gained);
    this.#levelAt = now;
  }
}
