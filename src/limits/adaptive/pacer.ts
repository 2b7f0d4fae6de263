import type { Priority } from '../../types.ts';
import type { AdmissionLog } from './admission-log.ts';
import type { Pace } from './pace.ts';
import type { Phase } from './phase.ts';
import { MINUTE_MS } from './window-kind.ts';

/** Requests may arrive closer together than they were sent: a minute of the provider's may hold one more. */
const WINDOW_PAD_MS = 120;
/** Between two requests of a burst, so that a refusal can come back before many more are out. */
const SPACING_MS = 15;
/** After a refusal there are no bursts for so long: half the even spacing at least. */
const CAUTION_MS = 20_000;
const CAUTIOUS_SHARE = 0.5;
/** Requests that may go ahead of the pace: who is in a hurry takes from those who are not. */
const OVERDRAFT: Readonly<Record<Priority, number>> = { urgent: 2, high: 1, normal: 0, low: 0 };

/** What has gone out until now, in milliseconds. */
export interface SentSoFar {
  readonly lastSentAt: number;
  /** When the last request was sent that was refused. */
  readonly lastRefusedAt: number;
}

/** How long a request waits while a limit is known: for its pace, its distance from the last one, and room in the minute. */
export class Pacer {
  readonly #log: AdmissionLog;
  readonly #pace: Pace;

  constructor(log: AdmissionLog, pace: Pace) {
    this.#log = log;
    this.#pace = pace;
  }

  waitMs(phase: Phase, priority: Priority, sent: SentSoFar, now: number): number {
    const { perMs } = phase;
    const mayOverdraw = phase.name !== 'search';
    const overdraft = mayOverdraw ? Math.min(OVERDRAFT[priority], this.#pace.burst - 1) : 0;
    return Math.max(
      this.#pace.waitMs(perMs, overdraft, now),
      sent.lastSentAt + spacingMs(perMs, now - sent.lastRefusedAt) - now,
      this.#windowWaitMs(phase.mostPerMinute, now),
    );
  }

  /** Until the last minute holds fewer than may be in it. */
  #windowWaitMs(mostPerMinute: number, now: number): number {
    if (this.#log.isFull) return 0;
    const most = Math.max(1, mostPerMinute);
    const from = now - MINUTE_MS - WINDOW_PAD_MS;
    const count = this.#log.count(from, Infinity);
    if (count < most) return 0;
    const leaving = this.#log.nthAfter(from, count - most + 1);
    return leaving === undefined ? 0 : leaving - from + 1;
  }
}

function spacingMs(perMs: number, sinceRefusalMs: number): number {
  if (sinceRefusalMs < CAUTION_MS) return CAUTIOUS_SHARE / perMs;
  return Math.min(SPACING_MS, 1 / perMs);
}
