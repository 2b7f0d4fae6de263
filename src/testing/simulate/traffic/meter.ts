import type { LimitSchedule } from './limit-schedule.ts';

/** What was used of a limit at once. */
export interface Charge {
  readonly at: number;
  amount: number;
}

/** A limit as a server keeps it. Times are milliseconds and must not go back from call to call. */
export interface Meter {
  fits(amount: number, now: number): boolean;
  /** Uses it up, whether or not it fits: output that is written has to be paid for. */
  take(amount: number, now: number): Charge;
  /** Takes back a part of a charge, as far as it still counts. */
  giveBack(charge: Charge, amount: number, now: number): void;
  /** A refused request counts as well. */
  punish(amount: number, now: number): void;
  /** Others use it `count` times; they do not ask whether it fits. */
  takeFirst(amount: number, count: number, now: number): void;
  /** How long until it fits, if nobody comes in between and the limit stays. */
  waitMs(amount: number, now: number): number;
  limit(now: number): number;
  remaining(now: number): number;
  /** How long until a bucket is full, a fixed window ends, or a sliding one forgets the earliest charge. */
  resetMs(now: number): number;
}

/** What a meter is made of. */
export interface MeterOptions {
  readonly schedule: LimitSchedule;
  readonly windowMs: number;
  readonly startAt: number;
}

/** Sums of fractions are not exact: somebody who comes at the very moment at which it fits is let in. */
export const TOLERANCE = 1e-6;
