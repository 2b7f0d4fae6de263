import type { AdmissionLog } from './admission-log.ts';
import { bestShown, MOMENT_MS, type Refusal } from './refusal-facts.ts';
import type { Retreat } from './retreat.ts';
import type { Rounds } from './rounds.ts';
import { MINUTE_MS } from './window-kind.ts';

/** Times to wait are told in whole seconds, rounded up: there may have been room up to a second before. */
const RETRY_AFTER_STEP_MS = 1000;
/** Where between the last test that was refused and the first that was admitted there was room again, most likely. */
const LIKELY_SHARE = 0.6;
/** A window's limit is a whole number: its count, and a little more, so that the pace does not fall below; rounded, the same. */
export const WINDOW_MARGIN = 0.4;

/** What a refusal and the first admission after it say. Counts are of requests, limits in requests a minute. */
export interface Recovery extends Refusal {
  /** It took longer than this until there was room again, not longer than that, and most likely so long. */
  readonly leastMs: number;
  readonly mostMs: number;
  readonly likelyMs: number;
  /** The time between two requests at the limit believed in until now. */
  readonly tokenMs: number;
  /** How long it took, in such times. */
  readonly tokens: number;
  /** Admitted in the minute before there was room again. */
  readonly lastMinuteCount: number;
  /** The limit, if it is counted by the minute: what the minutes before the last refusal and before the admission held. */
  readonly windowLimit: number;
  /** The least that any of the last rounds shows. */
  readonly leastRate: number;
  /** The most that any span of the past shows, if what it used comes back after so long. */
  shown(refillMs: number): number;
}

export interface RecoveryParts {
  readonly log: AdmissionLog;
  readonly rounds: Rounds;
  readonly refusal: Refusal;
  readonly retreat: Retreat;
  /** When the request was sent that was admitted. */
  readonly admittedAt: number;
  /** When the first request of all was sent. */
  readonly startedAt: number;
  /** The limit believed in until now, in requests a minute. `undefined` at the first refusal. */
  readonly limit: number | undefined;
}

export function recoveryOf(parts: RecoveryParts): Recovery {
  const { log, rounds, refusal, retreat, admittedAt, startedAt } = parts;
  const { at, retryAfterMs } = refusal;
  const { refusedAt, lastRefusedAt } = retreat;
  const mostMs = admittedAt - refusedAt;
  const testedMs = lastRefusedAt - refusedAt;
  const isToldOnly = retryAfterMs !== undefined && testedMs === 0;
  const leastMs = isToldOnly ? Math.max(0, retryAfterMs - RETRY_AFTER_STEP_MS) : testedMs;
  const likelyMs = Math.max(1, leastMs + LIKELY_SHARE * (mostMs - leastMs));
  const tokenMs =
    parts.limit === undefined ? firstTokenMs(refusal, startedAt) : MINUTE_MS / parts.limit;
  const before = admittedAt - MOMENT_MS;
  const whenRefused = log.count(lastRefusedAt - MINUTE_MS, lastRefusedAt);
  const whenAdmitted = log.count(admittedAt - MINUTE_MS, before);
  const held = Math.max(Math.min(whenRefused, refusal.minuteCount), whenAdmitted);
  return {
    ...refusal,
    leastMs,
    mostMs,
    likelyMs,
    tokenMs,
    tokens: mostMs / tokenMs,
    lastMinuteCount: log.count(at + likelyMs - MINUTE_MS, before),
    windowLimit: Math.max(1, held + WINDOW_MARGIN),
    leastRate: rounds.leastRate(at, at + likelyMs),
    shown: (refillMs) => bestShown(log, at, startedAt, refillMs),
  };
}

/** A bucket that was full at the start has given a minute's worth more than flowed in since. */
function firstTokenMs({ at, minuteCount }: Refusal, startedAt: number): number {
  return (MINUTE_MS + Math.min(MINUTE_MS, at - startedAt)) / Math.max(1, minuteCount);
}
