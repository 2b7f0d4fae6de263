/**
 * How long it is until `at`, in milliseconds. Whoever waits that long is never a rounding error too early: times are fractions,
 * and `now + (at - now)` may be less than `at`.
 */
export function waitUntil(at: number, now: number): number {
  const wait = at - now;
  if (wait <= 0) return 0;
  return now + wait >= at ? wait : wait + LEAST_MS;
}

/** More than a rounding error, less than a timer can tell. */
const LEAST_MS = 0.001;
