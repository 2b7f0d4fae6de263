/**
 * The contracts of everything that says how much may be sent: the adaptive limiter, named strategies and the user's own
 * rules are all `Limiter`s. Types only: nothing here runs. Times are `Clock.now()`, in milliseconds.
 */
import type { AnswerFacts, HeaderLookup, Priority } from '../types.ts';

/** What a request will take, as known before it is sent. */
export interface Demand {
  readonly priority: Priority;
  /** When its call came. */
  readonly arrivedAt: number;
  /** 1 for a call's first request. */
  readonly attempt: number;
  /** How many more requests its call may send after this one. */
  readonly attemptsLeft: number;
  /** Estimated from the length of the body; each limiter learns how far off that is for its model. */
  readonly inputTokens: number;
  /** Of these, what is expected to be read from the provider's prompt cache. */
  readonly cachedTokens: number;
  /** The most that the answer may have, where the body says so. */
  readonly maxOutputTokens: number | undefined;
}

/** What an answer, or its absence, says about load. */
export type VerdictKind =
  /** Answered, or refused for a reason that has nothing to do with load (400, 401, 404 …). */
  | 'ok'
  /** Too many requests or tokens for this account: the rate was too high. */
  | 'rate'
  /** The provider is overloaded for everybody (529, 503): not our rate's fault. */
  | 'overload'
  /** 5xx, network errors, timeouts. */
  | 'failure'
  /** A quota, credit or spend limit is used up: no waiting of ours mends it. */
  | 'spent'
  /** The host gave up: says nothing. */
  | 'aborted';

export interface Verdict {
  readonly kind: VerdictKind;
  /** When the provider says to come again, in milliseconds from now. Only from refusals: some send it with 200 too. */
  readonly retryAfterMs?: number | undefined;
  /** Whether asking the same again may help. */
  readonly isRetryable: boolean;
}

/** Says how much may be sent. Pure but for its own counts: it sets no timer and sends nothing. */
export interface Limiter {
  /**
   * How long this request has to wait as things stand, in milliseconds; 0 when it may go now. It is asked again when that
   * time has passed and whenever a permit of the same limiter begins, progresses or ends. `Infinity` when only that can help.
   */
  waitMs(demand: Demand, now: number): number;
  /** The request goes now, whether or not `waitMs` allowed it (a user may let calls pass when the queue is full). */
  admit(demand: Demand, now: number): Permit;
  /** The share of what is scarcest that a request takes, relative to others. Default: 1 each. */
  cost?(demand: Demand): number;
  /** Where it adapts. Cheap to read. */
  readonly state?: LimitState;
  snapshot(now: number): LimiterSnapshot;
}

/** One request under way, as a limiter sees it. Whoever holds it ends it exactly once; only the first end counts. */
export interface Permit {
  /** The head of an answer with a status below 400 is here. At most once. */
  begin(header: HeaderLookup, now: number): void;
  /** The answer has at least so many output tokens by now. Any number of times. */
  progress(outputTokens: number, now: number): void;
  end(end: RequestEnd, now: number): void;
}

/** How a request ended. */
export interface RequestEnd {
  readonly verdict: Verdict;
  /** Of the answer, if there was one: refusals tell limits too. */
  readonly header: HeaderLookup | undefined;
  /** All input tokens, those read from the cache included; `undefined` when the provider did not say. */
  readonly inputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

/**
 * `normal`: sending as asked for, or at the limit as it is known. `retreat`: refused a moment ago, sending less or not at all.
 * `recover`: going up again, or finding out how far up it goes.
 */
export type LimitState = 'normal' | 'retreat' | 'recover';

/** A limiter as it stands. Unknown is `undefined`. */
export interface LimiterSnapshot {
  readonly name: string;
  readonly state: LimitState;
  /** Requests a minute that it lets through as things stand. */
  readonly requestsPerMinute: number | undefined;
  /** Share (0 to 1) of the requests of the last 60 s that were refused for their rate. */
  readonly refusedShare: number;
  readonly inFlight: number;
  /** Requests that may be under way at once. */
  readonly maxInFlight: number | undefined;
  /** Nothing is sent before then, in milliseconds from now; 0 when open. */
  readonly closedMs: number;
  /** What it counts in: from headers or rules. */
  readonly meters: readonly MeterSnapshot[];
}

export type LimitUnit = 'requests' | 'tokens' | 'inputTokens' | 'outputTokens';

export interface MeterSnapshot {
  readonly unit: LimitUnit;
  readonly windowMs: number;
  readonly limit: number;
  /** What is left of it now, by our count. */
  readonly remaining: number;
}

/** What a response head says of one limit. */
export interface LimitReading {
  readonly unit: LimitUnit;
  readonly limit: number;
  readonly remaining: number;
  /** Until it is full again (bucket) or starts anew (window), in milliseconds; `undefined` when not said. */
  readonly resetMs: number | undefined;
  /** `remaining` is rounded to this: 1 when exact. */
  readonly quantum: number;
  /** `resetMs` is rounded to this, in milliseconds. */
  readonly coarseMs: number;
}

/** How a provider limits, as its adapter knows it. Every field has a source and a date beside it. */
export interface RateLimiting {
  /**
   * What an answer's tokens count when the request is admitted: `max` (what it may have: OpenAI), `actual` (as they are
   * written: Anthropic), `none`. Only the first belief: headers may teach otherwise.
   */
  readonly outputCharge: 'max' | 'actual' | 'none';
  /** Whether what is read from the prompt cache counts against the limit on input. */
  readonly countsCacheReads: boolean;
  /** Whether an error says that a quota, credit or spend limit is used up. */
  readonly isSpent?:
    | ((error: NonNullable<AnswerFacts['error']>, header: HeaderLookup) => boolean)
    | undefined;
  /** Whether a 429 with this error means the provider's overload and not our rate (OpenAI's flex tier). */
  readonly isOverload?: ((error: NonNullable<AnswerFacts['error']>) => boolean) | undefined;
}
