import type { Random } from '../types.ts';

const SHORTEST_MS = 100;
const LONGEST_MS = 30_000;

/**
 * How long to wait after the `failures`-th failure in a row (from 1 up): uniform between 100 ms and a bound that doubles
 * from 200 ms to 30 s. Random over the whole range, so that many processes do not come back together; never less than
 * 100 ms, so that no sink is asked in a busy loop.
 */
export function backoffMs(failures: number, random: Random): number {
  const bound = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures);
  return SHORTEST_MS + random() * (bound - SHORTEST_MS);
}
