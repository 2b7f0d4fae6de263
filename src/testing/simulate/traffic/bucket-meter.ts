import type { Charge, Meter, MeterOptions } from './meter.ts';
import { TOLERANCE } from './meter.ts';

export interface BucketOptions extends MeterOptions {
  /** How much it holds. `undefined`: its limit. */
  readonly burst: number | undefined;
}

/** How many requests of others it can be behind: they do not pile up debts that nobody could work off. */
const MOST_DEBT = 2;

/** A token bucket: full at first, refilled evenly with its limit per window. What is forced on it makes debts. */
export function createBucketMeter(options: BucketOptions): Meter {
  const { schedule, windowMs, burst, startAt } = options;
  const capacity = (at: number): number => burst ?? schedule.at(at);
  let level = capacity(startAt);
  let filledAt = startAt;

  function fill(now: number): void {
    while (filledAt < now) {
      const until = Math.min(now, schedule.nextChange(filledAt));
      const gained = ((until - filledAt) * schedule.at(filledAt)) / windowMs;
      // A bucket that has become smaller spills what it cannot hold.
      level = Math.min(level + gained, capacity(filledAt), capacity(until));
      filledAt = until;
    }
  }

  const refillMs = (missing: number, now: number): number =>
    (Math.max(0, missing) * windowMs) / schedule.at(now);

  return {
    fits(amount, now) {
      fill(now);
      return level >= amount - TOLERANCE;
    },
    take(amount, now): Charge {
      fill(now);
      level -= amount;
      return { at: now, amount };
    },
    giveBack(charge, amount, now) {
      fill(now);
      charge.amount -= amount;
      level = Math.min(capacity(now), level + amount);
    },
    punish(amount, now) {
      fill(now);
      level = Math.max(Math.min(level, 0), level - amount);
    },
    takeFirst(amount, count, now) {
      fill(now);
      const lowest = Math.min(level, -MOST_DEBT * amount);
      level = Math.max(lowest, level - amount * count);
    },
    waitMs(amount, now) {
      fill(now);
      return level >= amount - TOLERANCE ? 0 : refillMs(amount - level, now);
    },
    limit: (now) => schedule.at(now),
    remaining(now) {
      fill(now);
      return Math.max(0, level);
    },
    resetMs(now) {
      fill(now);
      return refillMs(capacity(now) - level, now);
    },
  };
}
