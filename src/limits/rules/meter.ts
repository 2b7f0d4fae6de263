import type { LimitRule } from '../settings.ts';
import type { LimitUnit, MeterSnapshot } from '../types.ts';
import { type CountingWindow, HeldWindow } from './counting-window.ts';
import { MAX_SLOTS, SlidingWindow } from './sliding-window.ts';

/** One number of a rule, and what counts against it. */
export class Meter {
  readonly unit: LimitUnit;
  readonly windowMs: number;
  readonly limit: number;
  readonly window: CountingWindow;

  constructor(unit: LimitUnit, windowMs: number, limit: number, window: CountingWindow) {
    this.unit = unit;
    this.windowMs = windowMs;
    this.limit = limit;
    this.window = window;
  }

  /** What of a request counts here. */
  amountOf(input: number, output: number): number {
    switch (this.unit) {
      case 'requests':
        return 1;
      case 'tokens':
        return input + output;
      case 'inputTokens':
        return input;
      case 'outputTokens':
        return output;
    }
  }

  snapshot(now: number): MeterSnapshot {
    const { unit, windowMs, limit } = this;
    return { unit, windowMs, limit, remaining: Math.max(0, limit - this.window.total(now)) };
  }
}

export const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Makes what counts against one number. `windowMs` is 0 for requests under way. */
export type MakeWindow = (unit: LimitUnit, windowMs: number, limit: number) => CountingWindow;

/** Counts in this router alone. */
export const ownWindow: MakeWindow = (unit, windowMs, limit) => {
  if (windowMs === 0) return new HeldWindow();
  const isExact = unit === 'requests' && limit <= MAX_SLOTS;
  return new SlidingWindow(windowMs, isExact ? 0 : windowMs / (windowMs === DAY_MS ? 144 : 60));
};

/** Requests under way, where a rule limits them. */
export function concurrencyOf(
  { concurrency }: LimitRule,
  makeWindow: MakeWindow,
): Meter | undefined {
  if (concurrency === undefined) return undefined;
  return new Meter('requests', 0, concurrency, makeWindow('requests', 0, concurrency));
}

/** Those of a rule that count over time: requests first. */
export function metersOf(rule: LimitRule, makeWindow: MakeWindow): readonly Meter[] {
  const meters: Meter[] = [];
  const add = (unit: LimitUnit, windowMs: number, limit: number | undefined): void => {
    if (limit === undefined) return;
    meters.push(new Meter(unit, windowMs, limit, makeWindow(unit, windowMs, limit)));
  };
  add('requests', MINUTE_MS, rule.requestsPerMinute);
  add('requests', DAY_MS, rule.requestsPerDay);
  add('tokens', MINUTE_MS, rule.tokensPerMinute);
  add('inputTokens', MINUTE_MS, rule.inputTokensPerMinute);
  add('outputTokens', MINUTE_MS, rule.outputTokensPerMinute);
  add('tokens', DAY_MS, rule.tokensPerDay);
  return meters;
}
