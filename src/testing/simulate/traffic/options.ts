import type { LimitUnit } from '../../../limits/types.ts';
import type { Random } from '../../../types.ts';

/**
 * How a simulated provider behaves under traffic. All times are milliseconds of its clock, as in `calls`. What comes at the
 * same time comes in the order of the calls.
 */
export interface TrafficOptions {
  /** What may be used in which time. A request that does not fit into all of them is answered 429. Default: no limit. */
  limits?: readonly SimulatedLimit[] | undefined;
  /**
   * What answers and refusals tell of the limits: `own` is what the provider really sends, `openai` and `anthropic` are their
   * headers, `epoch` is `x-ratelimit-limit`, `-remaining` and `-reset` (seconds since 1970) of the limit on requests. Default:
   * `own`; DeepSeek and Gemini have none.
   */
  headers?: 'own' | 'openai' | 'anthropic' | 'epoch' | 'none' | undefined;
  /**
   * How a 429 says when to come again: `retry-after` in whole `seconds`, `retry-after-ms`, `both`, `retry-after` as a `date`, or
   * always this number of seconds. `none` says nothing, in the body neither. Default: as the provider does: OpenAI `both`,
   * Anthropic `seconds`, Gemini in the body alone (`RetryInfo`), DeepSeek `none`.
   */
  retryAfter?: 'seconds' | 'ms' | 'both' | 'date' | 'none' | number | undefined;
  /** Answers under way at once, per scope and model; more are refused by a bare 429. Needs a `clock`. Default: any number. */
  maxConcurrent?: number | undefined;
  /** How long answers take; instead of `firstByteMs` and `durationMs`. Needs a `clock`. */
  latency?: SimulatedLatency | ((request: TimedRequest) => SimulatedLatency) | undefined;
  /** Answers that slow each other down. Needs a `clock`. Default: they do not. */
  load?: SimulatedLoad | undefined;
  /** When only some of the requests are answered, whoever sends them. Default: never. */
  overload?: readonly SimulatedOverload[] | undefined;
  /** When no request is answered. Answers that have begun go on. Default: never. */
  outages?: readonly SimulatedOutage[] | undefined;
  /** Others who use up the same limits and go first. Default: nobody. */
  neighbours?: SimulatedNeighbours | undefined;
  /** Uniform in [0, 1): who is answered under overload, jitter, neighbours. Default: seeded, the same in every run. */
  random?: Random | undefined;
}

/** One limit. It holds for each scope and model by itself. */
export interface SimulatedLimit {
  unit: LimitUnit;
  /** How much of the unit may be used in a window. */
  limit: number;
  /** Default: 60 000. */
  windowMs?: number | undefined;
  /**
   * `bucket` refills all the time. `fixed-window` starts anew with every window. `sliding-window` counts what was used in the
   * window that ends now. Default: `bucket`.
   */
  algorithm?: 'bucket' | 'fixed-window' | 'sliding-window' | undefined;
  /** Of a bucket: how much it holds. It is full at first. Default: `limit`, as it stands. */
  burst?: number | undefined;
  /** Of fixed windows: when one of them begins. Default: 0. */
  offsetMs?: number | undefined;
  /** Times, rising, and the limit from then on. */
  schedule?: ReadonlyArray<readonly [atMs: number, limit: number]> | undefined;
  /** Whether a refused request uses up what it would have as an admitted one. A bucket is not emptied further than to 0. Default: no. */
  chargeRefused?: boolean | undefined;
  /**
   * What output counts, for `tokens` and `outputTokens`. `max`: when the request is admitted, as much as its body allows.
   * `reserve`: the same, and what was not written is given back at the end. `actual`: as it is written, and so is output that the
   * body does not limit. Default: `max` for OpenAI (rate limit guide, read 2026-11), `actual` for others.
   */
  charge?: 'max' | 'reserve' | 'actual' | undefined;
  /**
   * Whether input that was read from the prompt cache counts, for `tokens` and `inputTokens`. If not, it is still part of the
   * estimate that must fit when the request is admitted. Default: no for Anthropic (rate limits page, 2026-08), yes for others.
   */
  countsCacheReads?: boolean | undefined;
  /** `scope`: all models of a scope share it. Default: `model`. */
  per?: 'model' | 'scope' | undefined;
}

export interface SimulatedLatency {
  /** From the request to the head of its answer. Default: 1000. */
  headMs?: number | undefined;
  /** Added to it for each input token, cached or not. Default: 0. */
  perInputTokenMs?: number | undefined;
  /** How fast output is written after the head. Default: 80. */
  tokensPerSecond?: number | undefined;
  /** By which share both vary, up or down: 0.2 is 80 to 120 %. Default: 0. */
  jitter?: number | undefined;
}

/** A request that is about to be answered. */
export interface TimedRequest {
  /** The parsed body. */
  readonly body: unknown;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface SimulatedLoad {
  /** Up to so many answers at once each has full speed; more share what there is. */
  knee: number;
  /** Beyond, requests are refused by a bare 429. Default: never. */
  hard?: number | undefined;
  /**
   * How much of the whole is lost above the knee: with n answers it is divided by 1 + degrade * ((n - knee) / knee)^2.
   * Default: 0.3.
   */
  degrade?: number | undefined;
}

interface Period {
  from: number;
  /** Not included. */
  to: number;
}

export interface SimulatedOverload extends Period {
  /** Share (0 to 1) of the requests that are still answered. */
  share: number;
  /** Default: 529 for Anthropic, 503 for others. */
  status?: 529 | 503 | undefined;
  /** Seconds, in `retry-after`. Default: not said. */
  retryAfter?: number | undefined;
}

export interface SimulatedOutage extends Period {
  /** `503` is an answer; `refuse` rejects as `fetch` does without a connection; `hang` says nothing until the signal aborts. */
  kind: '503' | 'refuse' | 'hang';
  /** Of a 503: seconds, in `retry-after`. Default: not said. */
  retryAfter?: number | undefined;
}

export interface SimulatedNeighbours {
  /** How many come in a minute on average, at random times; or a function of the time. */
  requestsPerMinute: number | ((atMs: number) => number);
  /** Of each of their requests, a quarter of it output. Default: 800. */
  tokens?: number | undefined;
}

/**
 * Why a request was not answered though nothing was wrong with it. `rate`: a limit. `concurrency`: `maxConcurrent` or the hard
 * limit of `load`.
 */
export type SimulatedRefusal = 'rate' | 'concurrency' | 'overload' | 'outage';
