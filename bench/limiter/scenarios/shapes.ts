import type { Goal, Load } from '../scenario.ts';

const MINUTE = 60_000;

/** The goal where the provider tells its limits. */
export const TOLD: Goal = { goodput: 98, refused: 10 };

/** The goal where a limit that stays has to be found. */
export const FOUND: Goal = { goodput: 95, refused: 20 };

/** Always more than the provider takes. */
export const SATURATING: Pick<Load, 'share' | 'backlog'> = { share: 1.3, backlog: 40 };

/** A limit that changes after 12 minutes, and again after 24. */
export function steps(
  first: number,
  second: number,
): ReadonlyArray<readonly [atMs: number, limit: number]> {
  return [
    [12 * MINUTE, first],
    [24 * MINUTE, second],
  ];
}

/** Others who come and go: three minutes nobody, three minutes so many requests a minute. */
export function squares(requestsPerMinute: number): (atMs: number) => number {
  return (atMs) => (Math.floor(atMs / (3 * MINUTE)) % 2 === 1 ? requestsPerMinute : 0);
}
