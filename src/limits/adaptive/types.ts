/** What the parts of the adaptive limiter share. Types only: nothing here runs. Times are `Clock.now()`, in milliseconds. */
import type { Random } from '../../types.ts';
import type { Demand } from '../types.ts';

/** One request that was sent. Made by the limiter, which alone writes to it; its parts keep references. */
export interface Sent {
  readonly demand: Demand;
  /** Distinct for each request, so that counts between two of them are exact. */
  readonly sentAt: number;
  /** Requests under way when it was sent, itself included. */
  readonly inFlight: number;
  /** When the head of its answer came. */
  headAt: number | undefined;
  /** `open` until the provider has decided. `failed`: neither admitted nor refused for its rate (5xx, network, overload). */
  fate: 'open' | 'admitted' | 'refused' | 'failed';
}

/** What the parts see of the whole. Kept current by the limiter. */
export interface Surroundings {
  readonly random: Random;
  /** From sending to the head of an answer, smoothed. */
  readonly headMs: number;
  /** Requests that wait to be sent. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Of these, those whose head has not come. */
  readonly unanswered: number;
  /** The provider fails or hangs: nothing can be learnt about its limits now. */
  readonly isFaulty: boolean;
}

/** Finds the rate of a provider that does not tell it. Asked only while no header tells. */
export interface RateLearner {
  waitMs(demand: Demand, now: number): number;
  sent(request: Sent, now: number): void;
  admitted(request: Sent, now: number): void;
  /** `retryAfterMs`: how long the provider said to wait. What it says of the refill is worth as much as the refusal. */
  refused(request: Sent, now: number, retryAfterMs: number | undefined): void;
  /** It failed without being admitted: it does not count. */
  failed(request: Sent): void;
  /** A refusal that is explained otherwise (too many at once): the rate stands. */
  excused(request: Sent, now: number): void;
  readonly state: 'normal' | 'retreat' | 'recover';
  readonly requestsPerMinute: number | undefined;
}

/** Finds how many requests a provider takes at once. */
export interface ConcurrencyLearner {
  /** Requests that may be under way at once, as far as known: `Infinity` while nothing speaks for a limit. */
  limitFor(demand: Demand): number;
  admitted(request: Sent, now: number): void;
  /**
   * Whether this refusal is explained by too many at once; then it is none of the rate's business. `isFirst`: it is the first
   * that is heard of since something was admitted. Those that follow count as evidence: where the rate is the limit, a single
   * request that tests it is refused too.
   */
  explains(request: Sent, isFirst: boolean, now: number): boolean;
  /** The answer is complete: so many tokens a second came. `undefined` where that is not known. */
  ended(request: Sent, tokensPerSecond: number | undefined, now: number): void;
  /** No answer in time. */
  timedOut(now: number): void;
}
