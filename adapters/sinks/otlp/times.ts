import type { UsageRecord } from '../../../src/types.ts';
import type { Operation } from './operations.ts';

/** In microseconds since the epoch, the precision of a record; a safe integer until the year 2255. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** From what a record says of itself; 0, OTLP's word for unknown, when its time is none. */
export function timesOf({ startedAt, timing }: UsageRecord): Span {
  const start = Date.parse(startedAt) * 1000;
  if (!Number.isSafeInteger(start) || start < 0) return { start: 0, end: 0 };
  const duration = Math.round(timing.durationMs * 1000);
  const end = start + (Number.isSafeInteger(duration) && duration > 0 ? duration : 0);
  return { start, end: Number.isSafeInteger(end) ? end : start };
}

/**
 * The last attempt, whose record says only when the call began: it starts after the waiting and after the attempts before it, as far as
 * they are known.
 */
export function lastAttemptTimes({ final, earlier }: Operation): Span {
  const { start, end } = timesOf(final);
  const { queuedMs, heldMs } = final.timing;
  const waited = start + Math.round((queuedMs + heldMs) * 1000);
  const begun = Math.max(waited, ...earlier.map((record) => timesOf(record).end));
  return { start: Math.min(Number.isFinite(begun) ? begun : start, end), end };
}
