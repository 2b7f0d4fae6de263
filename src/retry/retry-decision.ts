import type { Verdict } from '../limits/types.ts';
import type { Random } from '../types.ts';
import type { RetrySettings } from './settings.ts';

/** An attempt that has failed, and what of its call decides whether there is another. */
export interface FailedAttempt {
  readonly verdict: Verdict;
  /** 1 for a call's first. */
  readonly number: number;
  /** Since the call came, in milliseconds. */
  readonly elapsedMs: number;
  /** The call's own deadline, from when it came. */
  readonly deadlineMs: number | undefined;
  /** Whether the limits hold the next request back by themselves once one was refused for its rate. */
  readonly isPaced: boolean;
}

/**
 * `again`: another attempt, after `delayMs`. `over`: none, and the SDK above should not try either. `leave`: none of ours, which
 * says nothing to anybody else.
 */
export type RetryDecision =
  | { readonly next: 'again'; readonly delayMs: number }
  | { readonly next: 'over' | 'leave' };

/** As in the SDKs of OpenAI and Anthropic (2026-11): doubled each time, up to 8 s. */
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 8000;

/**
 * Whether a failed attempt is followed by another, and when. What the provider says is obeyed: not before `retryAfterMs`, and not
 * at all where that would be later than the call may take; then it gets its answer now.
 */
export function retryDecision(
  failed: FailedAttempt,
  { maxAttempts, maxElapsedMs }: RetrySettings,
  random: Random,
): RetryDecision {
  const { verdict, number, elapsedMs, deadlineMs = Infinity, isPaced } = failed;
  if (verdict.kind === 'spent') return OVER;
  if (!verdict.isRetryable) return LEAVE;
  if (number >= maxAttempts) return OVER;
  const { kind, retryAfterMs = 0 } = verdict;
  // The limiter knows better, and who asks it at once keeps its place in the queue.
  const delayMs = kind === 'rate' && isPaced ? 0 : delayOf(number, retryAfterMs, random);
  const beginsMs = elapsedMs + Math.max(delayMs, retryAfterMs);
  return beginsMs > Math.min(maxElapsedMs, deadlineMs) ? OVER : { next: 'again', delayMs };
}

const OVER: RetryDecision = { next: 'over' };
const LEAVE: RetryDecision = { next: 'leave' };

/** Spread both ways of waiting: whoever was refused together would come back together. */
function delayOf(number: number, retryAfterMs: number, random: Random): number {
  const step = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (number - 1));
  const share = random();
  return Math.max(
    step * (1 - share / 2),
    retryAfterMs === 0 ? 0 : retryAfterMs + FIRST_DELAY_MS * share,
  );
}
