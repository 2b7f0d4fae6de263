import { clamp } from './foreign-use.ts';
import type { Probe } from './probe.ts';
import { type Recovery, WINDOW_MARGIN } from './recovery.ts';
import type { Search } from './search.ts';
import { MINUTE_MS } from './window-kind.ts';

/** Ahead of the pace by this many requests, a burst may have been refused and not the rate. */
const BURST_AHEAD = 0.45;
/** Refused for its rate, a request waits longer than so many requests' time. */
const BURST_TOKENS = 2;
/** A refused rate was too high by this share at least. */
const REFUSED_RATE = 0.97;
const REFUSED_LIMIT = 0.99;
/** What one recovery may take off: rarely does a limit fall further at once, and rounds with hardly a request show little. */
const MOST_OFF_SEARCH = 0.1;
const MOST_OFF = 0.3;
const MOST_OFF_AT_ALL = 0.2;
/** A recovery that took longer, in requests' times, is of a limit that fell far. */
const LONG_TOKENS = 3;
/** A probe of a window was refused at once: the limit is what was believed, or a tenth less at most. */
const MOST_OFF_PROBE = 0.9;
/** A round with fewer admissions says too little to stop searching. */
const FEW = 4;

/** Whether too many at once were refused, though the rate was right. Windows do not care how requests are spread. */
export function isBurst({ ahead, leastMs, tokenMs }: Recovery, isWindowed: boolean): boolean {
  return ahead > BURST_AHEAD && !isWindowed && leastMs < BURST_TOKENS * tokenMs;
}

/** The limit that a refusal in a search shows: between what was held and what was tried, by what the round was given. */
export function limitAfterSearch(
  recovery: Recovery,
  { rate, held, hasHeld }: Pick<Search, 'rate' | 'held' | 'hasHeld'>,
  isWindowed: boolean,
): number {
  if (isWindowed) return Math.min(recovery.windowLimit, rate);
  const most = Math.max(rate, held) * REFUSED_RATE;
  const limit = clamp(recovery.leastRate, MOST_OFF_SEARCH * held, most);
  return hasHeld ? Math.max(limit, held * REFUSED_RATE) : limit;
}

/** Whether the search goes on below: it was refused before it had admitted anything to speak of. */
export function isStillVague(recovery: Recovery, search: Search, isWindowed: boolean): boolean {
  return recovery.admitted < FEW && !search.hasHeld && !isWindowed;
}

/** The limit that a refusal at the limit believed in shows: a little less, or much less if it has fallen. */
export function limitAfterCruise(recovery: Recovery, limit: number, isWindowed: boolean): number {
  const { windowLimit, leastRate, tokens, lastMinuteCount, likelyMs } = recovery;
  if (isWindowed) return clamp(windowLimit, MOST_OFF_AT_ALL * limit, REFUSED_LIMIT * limit);
  let next = clamp(leastRate, MOST_OFF * limit, REFUSED_LIMIT * limit);
  if (tokens > LONG_TOKENS)
    next = Math.min(next, Math.max(lastMinuteCount + 1, MINUTE_MS / likelyMs));
  return Math.max(next, MOST_OFF_AT_ALL * limit);
}

/** The limit that a refused probe of a window shows. */
export function limitAfterWindowProbe(
  { minuteCount, windowLimit }: Recovery,
  { base, rate, hasHeld }: Pick<Probe, 'base' | 'rate' | 'hasHeld'>,
): number {
  if (hasHeld) return clamp(windowLimit, base, rate);
  return clamp(minuteCount + WINDOW_MARGIN, MOST_OFF_PROBE * base, base);
}
