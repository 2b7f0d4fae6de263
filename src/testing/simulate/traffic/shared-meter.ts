import { createMeter } from './create-meter.ts';
import type { LimitRules } from './limit-rules.ts';
import type { Meter } from './meter.ts';
import { NEIGHBOURS_STEP_MS } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';

/** A limit, and those who use it beside the calls. */
export interface SharedMeter {
  readonly rules: LimitRules;
  /** The meter after everything that others used up to now. */
  at(now: number): Meter;
}

/** Windows after which nothing is left of what others did. */
const WINDOWS_REMEMBERED = 2;

/** Others are let in when the meter is looked at: they need no timers. */
export function createSharedMeter(
  rules: LimitRules,
  neighbours: Neighbours | undefined,
  startAt: number,
): SharedMeter {
  const meter = createMeter(rules, startAt);
  if (neighbours === undefined) return { rules, at: () => meter };

  const cost = neighbours.cost(rules.unit);
  const fillMs = rules.windowMs * Math.max(1, (rules.burst ?? 0) / rules.limit);
  const stepOf = (at: number): number => Math.floor(at / NEIGHBOURS_STEP_MS);
  let next = stepOf(startAt) + 1;

  return {
    rules,
    at(now) {
      const last = stepOf(now);
      next = Math.max(next, last - Math.ceil((WINDOWS_REMEMBERED * fillMs) / NEIGHBOURS_STEP_MS));
      for (; next <= last; next++) {
        const count = neighbours.requestsIn(next);
        if (count > 0) meter.takeFirst(cost, count, next * NEIGHBOURS_STEP_MS);
      }
      return meter;
    },
  };
}
