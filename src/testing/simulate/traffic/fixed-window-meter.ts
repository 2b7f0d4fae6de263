import type { Charge, Meter, MeterOptions } from './meter.ts';
import { TOLERANCE } from './meter.ts';

export interface FixedWindowOptions extends MeterOptions {
  /** When one of its windows begins. */
  readonly offsetMs: number;
}

/** A counter that starts anew with every window. */
export function createFixedWindowMeter(options: FixedWindowOptions): Meter {
  const { schedule, windowMs, offsetMs, startAt } = options;
  const windowOf = (at: number): number => Math.floor((at - offsetMs) / windowMs);
  const leftMs = (now: number): number => (windowOf(now) + 1) * windowMs + offsetMs - now;
  let window = windowOf(startAt);
  let used = 0;

  function enter(now: number): void {
    if (windowOf(now) === window) return;
    window = windowOf(now);
    used = 0;
  }

  function take(amount: number, now: number): Charge {
    enter(now);
    used += amount;
    return { at: now, amount };
  }

  function fits(amount: number, now: number): boolean {
    enter(now);
    return used + amount <= schedule.at(now) + TOLERANCE;
  }

  return {
    fits,
    take,
    giveBack(charge, amount, now) {
      enter(now);
      charge.amount -= amount;
      if (windowOf(charge.at) === window) used -= amount;
    },
    punish(amount, now) {
      take(amount, now);
    },
    takeFirst(amount, count, now) {
      take(amount * count, now);
    },
    waitMs: (amount, now) => (fits(amount, now) ? 0 : leftMs(now)),
    limit: (now) => schedule.at(now),
    remaining(now) {
      enter(now);
      return Math.max(0, schedule.at(now) - used);
    },
    resetMs: leftMs,
  };
}
