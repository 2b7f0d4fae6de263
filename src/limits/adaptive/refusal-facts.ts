import type { AdmissionLog } from './admission-log.ts';
import { MINUTE_MS } from './window-kind.ts';

/** Spans over which a burst may have been admitted, in milliseconds: a burst of any length is within a factor 2 or so of one. */
const SPANS_MS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000];
/** Less than any two requests are apart: steps back over one moment, but not over the request before. */
export const MOMENT_MS = 1e-6;

/** What was known when a refusal was heard. */
export interface Refusal {
  /** When the refused request was sent. */
  readonly at: number;
  readonly retryAfterMs: number | undefined;
  /** Requests admitted since the recovery before, or since the start. */
  readonly admitted: number;
  /** Of these, those of the last minute. */
  readonly minuteCount: number;
  /** By how many requests it was ahead of an even pace. */
  readonly ahead: number;
  /** After so long the oldest request of the last minute is a minute old; 0 where there is none. */
  readonly slideMs: number;
}

/** How long it is until the oldest request of the minute before `at` is a minute old. */
export function slideMsAt(log: AdmissionLog, at: number): number {
  const oldest = log.nthAfter(at - MINUTE_MS, 1);
  return oldest === undefined ? 0 : oldest + MINUTE_MS - at;
}

/** The most requests a minute that any span of the past shows, if what they used comes back `refillMs` after the last. */
export function bestShown(log: AdmissionLog, at: number, since: number, refillMs: number): number {
  let best = 0;
  for (const span of SPANS_MS) {
    const length = Math.min(span, at - since);
    const rate = (log.count(at - length - MOMENT_MS, at) * MINUTE_MS) / (length + refillMs);
    best = Math.max(best, rate);
    if (length < span) break;
  }
  return best;
}

/** By how many requests those before `at` were ahead of an even pace. 0: evenly spaced. `most`: looks at so many. */
export function aheadOfPace(log: AdmissionLog, at: number, perMs: number, most: number): number {
  let ahead = 0;
  const before = log.count(-Infinity, at - MOMENT_MS);
  for (let k = 1; k <= most && k <= before; k += 1) {
    const time = log.nthAfter(-Infinity, before - k + 1) ?? at;
    ahead = Math.max(ahead, k - (at - time) * perMs);
  }
  return ahead;
}
