/** A limit that changes at set times. */
export interface LimitSchedule {
  at(now: number): number;
  /** When it changes next after `now`; `Infinity` when it stays. */
  nextChange(now: number): number;
}

export function limitSchedule(
  limit: number,
  changes: ReadonlyArray<readonly [atMs: number, limit: number]> = [],
): LimitSchedule {
  return {
    at: (now) => changes.findLast(([at]) => at <= now)?.[1] ?? limit,
    nextChange: (now) => changes.find(([at]) => at > now)?.[0] ?? Infinity,
  };
}
