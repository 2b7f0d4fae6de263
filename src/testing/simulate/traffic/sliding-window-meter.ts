import type { Charge, Meter, MeterOptions } from './meter.ts';
import { TOLERANCE } from './meter.ts';

/** Forgotten charges are cleared away when there are so many. */
const MAX_FORGOTTEN = 1024;

/** A log of charges: each counts for exactly one window. */
export function createSlidingWindowMeter(options: MeterOptions): Meter {
  const { schedule, windowMs } = options;
  let charges: Charge[] = [];
  /** Index of the earliest charge that counts. */
  let first = 0;
  let used = 0;

  const isOver = (charge: Charge, now: number): boolean => charge.at + windowMs <= now;

  function forget(now: number): void {
    for (let charge = charges[first]; charge !== undefined; charge = charges[first]) {
      if (!isOver(charge, now)) break;
      used -= charge.amount;
      first++;
    }
    const isEmpty = first === charges.length;
    // The sum of nothing is 0, whatever fractions left behind.
    if (isEmpty) used = 0;
    if (first === 0 || (first < MAX_FORGOTTEN && !isEmpty)) return;
    charges = charges.slice(first);
    first = 0;
  }

  function take(amount: number, now: number): Charge {
    forget(now);
    const charge = { at: now, amount };
    if (amount > 0) charges.push(charge);
    used += amount;
    return charge;
  }

  function missing(amount: number, now: number): number {
    forget(now);
    return used + amount - schedule.at(now);
  }

  return {
    fits: (amount, now) => missing(amount, now) <= TOLERANCE,
    take,
    giveBack(charge, amount, now) {
      forget(now);
      charge.amount -= amount;
      if (!isOver(charge, now)) used -= amount;
    },
    punish(amount, now) {
      take(amount, now);
    },
    takeFirst(amount, count, now) {
      take(amount * count, now);
    },
    waitMs(amount, now) {
      let lacking = missing(amount, now);
      for (let index = first; lacking > TOLERANCE && index < charges.length; index++) {
        const charge = charges[index]!;
        lacking -= charge.amount;
        if (lacking <= TOLERANCE) return charge.at + windowMs - now;
      }
      return lacking > TOLERANCE ? windowMs : 0;
    },
    limit: (now) => schedule.at(now),
    remaining(now) {
      forget(now);
      return Math.max(0, schedule.at(now) - used);
    },
    resetMs(now) {
      forget(now);
      const earliest = charges[first];
      return earliest === undefined ? 0 : earliest.at + windowMs - now;
    },
  };
}
