import type { Recovery } from './recovery.ts';
import { MINUTE_MS } from './window-kind.ts';

/** A rate that follows from the provider's own word is right more often than not: held for so long before the search goes on. */
const TRUSTED_MS = 12_000;

export interface FirstLimit {
  /** In requests a minute. */
  readonly limit: number;
  /** How long to hold it before trying more, in milliseconds; `undefined`: it is exact enough to stay with. */
  readonly trustedMs: number | undefined;
}

/**
 * What the first recovery says about a limit of which nothing was known. Requests went out as a burst, so how many there were
 * says how much fits at once, and how long it took until there was room again, how fast it comes back.
 */
export function firstLimit(recovery: Recovery, isWindowed: boolean): FirstLimit {
  const { minuteCount, retryAfterMs, mostMs, likelyMs } = recovery;
  if (isWindowed) return { limit: minuteCount, trustedMs: undefined };
  // Who names a time means the end of a window: all that was admitted comes back after it.
  if (retryAfterMs !== undefined) return { limit: recovery.shown(mostMs), trustedMs: TRUSTED_MS };
  // At most all of the burst came back in that time, at least one request: in between, by ratio.
  const all = recovery.shown(likelyMs);
  const one = MINUTE_MS / likelyMs;
  return { limit: Math.sqrt(all * Math.min(all, one)), trustedMs: 0 };
}
