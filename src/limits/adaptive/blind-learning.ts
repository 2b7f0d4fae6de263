import type { Demand, LimitState } from '../types.ts';
import { createConcurrencyLearner } from './concurrency-learner.ts';
import type { Ledger } from './ledger.ts';
import { createRateLearner } from './rate-learner.ts';
import type { Transit } from './transit.ts';
import type { ConcurrencyLearner, RateLearner, Sent, Surroundings } from './types.ts';
import type { Unanswered } from './unanswered.ts';

/**
 * What is learnt from admissions, refusals and speed alone: as long as headers do not tell all there is to know. Requests that
 * were sent while they did are not learnt from.
 */
export class BlindLearning {
  readonly #surroundings: Surroundings;
  readonly #ledger: Ledger;
  readonly #unanswered: Unanswered;
  readonly #concurrency: ConcurrencyLearner;
  #rate: RateLearner;
  #isNeeded = true;
  #lastSentAt = 0;

  constructor(surroundings: Surroundings, ledger: Ledger, unanswered: Unanswered) {
    this.#surroundings = surroundings;
    this.#ledger = ledger;
    this.#unanswered = unanswered;
    this.#concurrency = createConcurrencyLearner(surroundings);
    this.#rate = createRateLearner(surroundings);
  }

  get isNeeded(): boolean {
    return this.#isNeeded;
  }

  get state(): LimitState {
    return this.#isNeeded ? this.#rate.state : 'normal';
  }

  /** As far as it is needed and known. */
  get requestsPerMinute(): number | undefined {
    return this.#isNeeded ? this.#rate.requestsPerMinute : undefined;
  }

  get maxInFlight(): number | undefined {
    const limit = this.#isNeeded ? this.#concurrency.limitFor(ORDINARY) : Infinity;
    return limit === Infinity ? undefined : limit;
  }

  /** Where headers told enough and do not any more, the admissions of the last minute are learnt from first. */
  need(isNeeded: boolean, now: number): void {
    if (isNeeded === this.#isNeeded) return;
    this.#isNeeded = isNeeded;
    if (!isNeeded) return;
    this.#rate = createRateLearner(this.#surroundings);
    for (const sentAt of this.#ledger.moments(now - LEARN_FROM_MS)) {
      const request: Sent = {
        demand: ORDINARY,
        sentAt,
        inFlight: 1,
        headAt: sentAt,
        fate: 'admitted',
      };
      this.#rate.sent(request, sentAt);
      this.#rate.admitted(request, sentAt);
    }
  }

  waitMs(demand: Demand, now: number): number {
    if (!this.#isNeeded) return 0;
    return Math.max(this.#crowdedMs(demand, now), this.#pacedMs(demand, now));
  }

  sent(request: Transit, now: number): void {
    this.#lastSentAt = now;
    if (!this.#isNeeded) return;
    request.isLearnt = true;
    this.#rate.sent(request, now);
  }

  admitted(request: Transit, now: number): void {
    if (!request.isLearnt) return;
    this.#concurrency.admitted(request, now);
    this.#rate.admitted(request, now);
  }

  /** `isFirst`: it is the first that is heard of since something was admitted. */
  refused(request: Transit, isFirst: boolean, retryAfterMs: number | undefined, now: number): void {
    if (!request.isLearnt) return;
    if (this.#concurrency.explains(request, isFirst, now)) this.#rate.excused(request, now);
    else this.#rate.refused(request, now, retryAfterMs);
  }

  /** `isTimeout`: there was no answer at all. */
  failed(request: Transit, isTimeout: boolean, now: number): void {
    if (isTimeout) this.#concurrency.timedOut(now);
    if (request.isLearnt) this.#rate.failed(request);
  }

  /** The answer is complete. */
  ended(request: Transit, tokensPerSecond: number | undefined, now: number): void {
    if (request.isLearnt) this.#concurrency.ended(request, tokensPerSecond, now);
  }

  /** However little is thought to be allowed: after a while one goes, since nothing else would show that it is more. */
  #pacedMs(demand: Demand, now: number): number {
    const wait = this.#rate.waitMs(demand, now);
    const most = Math.max(0, this.#lastSentAt + LONGEST_PAUSE_MS - now);
    return wait < most ? wait : most;
  }

  /** Too many at once: others have to end first, or to be given up. `Infinity` when only their end can help. */
  #crowdedMs(demand: Demand, now: number): number {
    const { inFlight } = this.#surroundings;
    const room = this.#concurrency.limitFor(demand) - inFlight;
    if (room > 0 || inFlight === 0) return 0;
    const { count, nextMs } = this.#unanswered.overdue(now);
    return room + count > 0 ? 0 : nextMs;
  }
}

const LONGEST_PAUSE_MS = 120_000;
/** Rates are counted by the minute. */
const LEARN_FROM_MS = 60_000;
/** For what is told of requests in general. */
const ORDINARY: Demand = {
  priority: 'normal',
  arrivedAt: 0,
  attempt: 1,
  attemptsLeft: 0,
  inputTokens: 0,
  cachedTokens: 0,
  maxOutputTokens: undefined,
};
