import type {
  Demand,
  Limiter,
  Permit,
  RequestEnd,
  VerdictKind,
} from '../../../src/limits/types.ts';

export const anything: Demand = {
  priority: 'normal',
  arrivedAt: 0,
  attempt: 1,
  attemptsLeft: 0,
  inputTokens: 10,
  cachedTokens: 0,
  maxOutputTokens: undefined,
};

export function endAs(kind: VerdictKind, retryAfterMs?: number): RequestEnd {
  return {
    verdict: { kind, retryAfterMs, isRetryable: true },
    header: undefined,
    inputTokens: undefined,
    cacheReadTokens: undefined,
    outputTokens: undefined,
  };
}

/** Sends one at `now`, whatever the limiter says, and hears of it at `answeredAt`. */
export function sendAs(
  limiter: Limiter,
  kind: VerdictKind,
  now: number,
  answeredAt: number = now,
  retryAfterMs?: number,
): Permit {
  const permit = limiter.admit(anything, now);
  if (kind === 'ok') permit.begin(() => undefined, answeredAt);
  permit.end(endAs(kind, retryAfterMs), answeredAt);
  return permit;
}

/** Sends as many as may go now. */
export function sendAll(limiter: Limiter, now: number): Permit[] {
  const permits: Permit[] = [];
  while (limiter.waitMs(anything, now) === 0) permits.push(limiter.admit(anything, now));
  return permits;
}
