import { RefusedShare } from '../rules/refused-share.ts';
import { SlidingWindow } from '../rules/sliding-window.ts';
import type { Demand, Limiter, LimiterSnapshot, LimitState, Permit, RequestEnd } from '../types.ts';
import { type RateEvents, RatePermit } from './rate-permit.ts';
import { RetryGate } from './retry-gate.ts';

export interface Adr009Options {
  /** The rate to start with, which is never exceeded, in requests a minute. Default: 40. */
  requestsPerMinute?: number | undefined;
}

/**
 * A rate that retreats by steps when too many requests are refused, and comes back slowly. Prescribed are:
 *
 * - When 5 % of the answers of the last 60 s are refusals for the rate (429), the rate falls to three quarters.
 * - When it is still 10 % after a further 60 s, it falls to three quarters again; never below 5 requests a minute.
 * - When it is below 2 % over 120 s and 120 s have passed since the last change, the rate rises by 2 requests a minute; and
 *   so on every 120 s up to the base rate.
 *
 * Read as follows where that leaves a choice:
 *
 * - One cut an episode: refusals of requests that were sent before the last cut say nothing of the rate after it and are left
 *   out, and the share is looked at again once in 60 s, not at every answer. Eight refusals at once are one cut.
 * - The rate rises with time, whatever the load; in a pause too, since nothing is refused in it.
 * - `rate` requests go in any 60 s, in one burst if they come so. A bucket of that size would let twice as many through in the
 *   first minute.
 * - The share is that of answers that say something of the rate: faults, overload and aborted calls are not counted.
 * - `retry-after` closes the gate for all, and changes no rate by itself.
 * - The base rate is a ceiling: a higher limit is not looked for. There is no jump to the floor when the share is very high.
 */
export function createAdr009Limiter(options: Adr009Options = {}): Limiter {
  return new Adr009(options.requestsPerMinute ?? BASE_RATE);
}

const BASE_RATE = 40;
const WINDOW_MS = 60_000;
const RETREAT_SHARE = 0.05;
const RETREAT_AGAIN_SHARE = 0.1;
const RETREAT_FACTOR = 0.75;
const FLOOR_RATE = 5;
const RECOVERY_MS = 120_000;
const RECOVERY_SHARE = 0.02;
const RECOVERY_STEP = 2;

class Adr009 implements Limiter, RateEvents {
  readonly #base: number;
  #rate: number;
  #state: LimitState = 'normal';
  #inFlight = 0;
  #cutAt = -Infinity;
  #lookedAt = -Infinity;
  /** When the rate may next rise. */
  #stepAt = Infinity;
  readonly #sent = new SlidingWindow(WINDOW_MS, 0);
  readonly #gate = new RetryGate();
  readonly #shown = new RefusedShare(WINDOW_MS);
  /** Since the last cut. */
  #share = new RefusedShare(WINDOW_MS);
  #recoveryShare = new RefusedShare(RECOVERY_MS);

  constructor(base: number) {
    this.#base = base;
    this.#rate = base;
  }

  get state(): LimitState {
    return this.#state;
  }

  waitMs(_demand: Demand, now: number): number {
    this.#recover(now);
    return Math.max(this.#gate.waitMs(now), this.#sent.waitMs(Math.max(0, this.#rate - 1), now));
  }

  admit(_demand: Demand, now: number): Permit {
    this.#inFlight++;
    this.#sent.add(1, now);
    return new RatePermit(this, now, false);
  }

  admitted(permit: RatePermit, now: number): void {
    this.#record(permit, false, now);
  }

  refused(permit: RatePermit, now: number): void {
    this.#record(permit, true, now);
  }

  ended({ verdict }: RequestEnd, now: number): void {
    this.#inFlight--;
    this.#gate.close(verdict.retryAfterMs, now);
  }

  snapshot(now: number): LimiterSnapshot {
    this.#recover(now);
    return {
      name: 'adr009',
      state: this.#state,
      requestsPerMinute: this.#rate,
      refusedShare: this.#shown.at(now),
      inFlight: this.#inFlight,
      maxInFlight: undefined,
      closedMs: this.#gate.waitMs(now),
      meters: [],
    };
  }

  #record({ sentAt }: RatePermit, isRefused: boolean, now: number): void {
    this.#shown.record(isRefused, now);
    this.#recover(now);
    if (sentAt <= this.#cutAt) return;
    this.#share.record(isRefused, now);
    this.#recoveryShare.record(isRefused, now);
    const share = this.#share.at(now);
    if (this.#state !== 'retreat') {
      if (share >= RETREAT_SHARE) this.#retreat(now);
    } else if (now - this.#lookedAt >= WINDOW_MS) {
      this.#lookedAt = now;
      if (share >= RETREAT_AGAIN_SHARE) this.#retreat(now);
    }
  }

  #retreat(now: number): void {
    this.#rate = Math.max(Math.min(FLOOR_RATE, this.#base), this.#rate * RETREAT_FACTOR);
    this.#state = 'retreat';
    this.#cutAt = now;
    this.#lookedAt = now;
    this.#stepAt = now + RECOVERY_MS;
    this.#share = new RefusedShare(WINDOW_MS);
    this.#recoveryShare = new RefusedShare(RECOVERY_MS);
  }

  #recover(now: number): void {
    if (this.#state === 'normal' || now < this.#stepAt) return;
    if (this.#recoveryShare.at(now) >= RECOVERY_SHARE) {
      // From when it has fallen, one step at a time.
      this.#stepAt = now;
      return;
    }
    while (this.#state !== 'normal' && now >= this.#stepAt) {
      this.#rate = Math.min(this.#base, this.#rate + RECOVERY_STEP);
      this.#state = this.#rate >= this.#base ? 'normal' : 'recover';
      this.#stepAt += RECOVERY_MS;
    }
  }
}
