import { createBucketMeter } from './bucket-meter.ts';
import { createFixedWindowMeter } from './fixed-window-meter.ts';
import type { LimitRules } from './limit-rules.ts';
import { limitSchedule } from './limit-schedule.ts';
import type { Meter } from './meter.ts';
import { createSlidingWindowMeter } from './sliding-window-meter.ts';

/** A limit's meter, with nothing used at `startAt`. */
export function createMeter(rules: LimitRules, startAt: number): Meter {
  const { algorithm, windowMs, burst, offsetMs } = rules;
  const options = { schedule: limitSchedule(rules.limit, rules.schedule), windowMs, startAt };
  switch (algorithm) {
    case 'bucket':
      return createBucketMeter({ ...options, burst });
    case 'fixed-window':
      return createFixedWindowMeter({ ...options, offsetMs });
    case 'sliding-window':
      return createSlidingWindowMeter(options);
  }
}
