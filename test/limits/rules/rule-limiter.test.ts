import { describe, expect, test } from 'vitest';
import { createRuleLimiter, type RuleLimiter } from '../../../src/limits/rules/rule-limiter.ts';
import type { Permit } from '../../../src/limits/types.ts';
import { demandFor, endOf } from './saturate.ts';

const small = demandFor({ estimate: 100, maxOutput: 100 });
const noHeader = (): undefined => undefined;
const DAY_MS = 86_400_000;

function remaining(limiter: RuleLimiter, now: number): number[] {
  return limiter.snapshot(now).meters.map((meter) => meter.remaining);
}

/** Sends it and gets the head of its answer. */
function begun(limiter: RuleLimiter, now: number, demand = small): Permit {
  const permit = limiter.admit(demand, now);
  permit.begin(noHeader, now);
  return permit;
}

describe('requests', () => {
  test('so many in any 60 s, and the next when the oldest is 60 s old', () => {
    const limiter = createRuleLimiter({ requestsPerMinute: 3 });
    for (const at of [0, 10_000, 20_000.5]) {
      expect(limiter.waitMs(small, at)).toBe(0);
      limiter.admit(small, at);
    }
    expect(limiter.waitMs(small, 20_000.5)).toBe(39_999.5);
    expect(limiter.waitMs(small, 60_000)).toBe(0);
    limiter.admit(small, 60_000);
    expect(limiter.waitMs(small, 60_000)).toBe(10_000);
  });

  test('refused ones count in the minute, and not in the day', () => {
    const limiter = createRuleLimiter({ requestsPerMinute: 10, requestsPerDay: 10 });
    limiter.admit(small, 0).end(endOf('rate'), 1);
    limiter.admit(small, 0).end(endOf('failure'), 1);
    limiter.admit(small, 0).end(endOf('aborted'), 1);
    expect(remaining(limiter, 1)).toEqual([7, 10]);
    begun(limiter, 1).end(endOf('ok', 10, 10), 2);
    begun(limiter, 1).end(endOf('aborted'), 2);
    expect(remaining(limiter, 2)).toEqual([5, 8]);
    expect(remaining(limiter, 60_001)).toEqual([10, 8]);
    expect(remaining(limiter, DAY_MS + 1)).toEqual([10, 10]);
  });

  test('high limits are held with few slots', () => {
    const limiter = createRuleLimiter({ requestsPerMinute: 100_000 });
    for (let i = 0; i < 100_000; i++) limiter.admit(small, i / 10);
    expect(limiter.waitMs(small, 10_000)).toBeGreaterThanOrEqual(50_000);
    expect(limiter.waitMs(small, 10_000)).toBeLessThanOrEqual(51_000);
  });
});

describe('concurrency', () => {
  test('only an end helps, and a second end does not', () => {
    const limiter = createRuleLimiter({ concurrency: 2 });
    const first = begun(limiter, 0);
    begun(limiter, 0);
    expect(limiter.waitMs(small, 1e9)).toBe(Infinity);
    first.end(endOf('ok'), 5);
    first.end(endOf('ok'), 5);
    expect(limiter.inFlight).toBe(1);
    expect(limiter.waitMs(small, 5)).toBe(0);
    begun(limiter, 5);
    expect(limiter.waitMs(small, 5)).toBe(Infinity);
    expect(limiter.snapshot(5)).toMatchObject({ inFlight: 2, maxInFlight: 2, closedMs: 0 });
  });

  test('who passes the limit is counted all the same', () => {
    const limiter = createRuleLimiter({ concurrency: 1 });
    const permits = [begun(limiter, 0), begun(limiter, 0)];
    permits[0]!.end(endOf('ok'), 1);
    expect(limiter.waitMs(small, 1)).toBe(Infinity);
  });
});

describe('tokens', () => {
  const rule = {
    tokensPerMinute: 1000,
    inputTokensPerMinute: 1000,
    outputTokensPerMinute: 1000,
    tokensPerDay: 1000,
  };

  test('reserved when sent, settled where they were counted', () => {
    const limiter = createRuleLimiter(rule);
    const permit = begun(limiter, 0);
    expect(remaining(limiter, 0)).toEqual([800, 900, 900, 800]);
    permit.end(endOf('ok', 80, 15), 30_000);
    expect(remaining(limiter, 30_000)).toEqual([905, 920, 985, 905]);
    expect(remaining(limiter, 59_999)).toEqual([905, 920, 985, 905]);
    expect(remaining(limiter, 60_000)).toEqual([1000, 1000, 1000, 905]);
    expect(remaining(limiter, DAY_MS)).toEqual([1000, 1000, 1000, 1000]);
  });

  test('raised while the answer grows beyond what was reserved', () => {
    const limiter = createRuleLimiter(rule);
    const permit = begun(limiter, 0);
    permit.progress(60, 1);
    expect(remaining(limiter, 1)[0]).toBe(800);
    permit.progress(150.5, 2);
    permit.progress(20, 3);
    expect(remaining(limiter, 3)).toEqual([749, 900, 849, 749]);
    permit.end(endOf('ok', 100, 200), 4);
    permit.progress(900, 5);
    expect(remaining(limiter, 5)[0]).toBe(700);
  });

  test('without usage the larger of reservation and what was seen stays', () => {
    const limiter = createRuleLimiter(rule);
    begun(limiter, 0).end(endOf('ok'), 1);
    expect(remaining(limiter, 1)[0]).toBe(800);
    const grown = begun(limiter, 1);
    grown.progress(300, 1);
    grown.end(endOf('aborted'), 1);
    expect(remaining(limiter, 1)[0]).toBe(400);
  });

  test('half a usage settles that half', () => {
    const limiter = createRuleLimiter(rule);
    begun(limiter, 0).end(endOf('ok', 10, undefined), 1);
    expect(remaining(limiter, 1).slice(0, 3)).toEqual([890, 990, 900]);
  });

  test.each(['rate', 'spent', 'failure', 'overload', 'aborted', 'ok'] as const)(
    'one that was never answered (%s) gives everything back',
    (kind) => {
      const limiter = createRuleLimiter(rule);
      limiter.admit(small, 0).end(endOf(kind), 1);
      expect(remaining(limiter, 1)).toEqual([1000, 1000, 1000, 1000]);
      expect(limiter.isIdle(1)).toBe(true);
    },
  );

  test('a refusal within an answer gives back what no answer took', () => {
    const limiter = createRuleLimiter(rule);
    begun(limiter, 0).end(endOf('rate'), 1);
    expect(remaining(limiter, 1)[0]).toBe(1000);
    const late = begun(limiter, 1);
    late.progress(40, 1);
    late.end(endOf('rate'), 1);
    expect(remaining(limiter, 1)[0]).toBe(800);
  });

  test('cache reads count unless the rule says not', () => {
    const limiter = createRuleLimiter({ inputTokensPerMinute: 1000, countCacheReads: false });
    const permit = begun(limiter, 0, { ...small, cachedTokens: 60 });
    expect(remaining(limiter, 0)).toEqual([960]);
    permit.end({ ...endOf('ok', 500, 5), cacheReadTokens: 480 }, 1);
    expect(remaining(limiter, 1)).toEqual([980]);
  });

  test('the first request goes alone where the limit is small, the next when it has ended', () => {
    const limiter = createRuleLimiter({ tokensPerMinute: 10_000 });
    const unbounded = demandFor({ estimate: 100, maxOutput: undefined });
    expect(limiter.waitMs(unbounded, 0)).toBe(0);
    const first = begun(limiter, 0, unbounded);
    expect(limiter.waitMs(unbounded, 0)).toBe(60_000);
    first.end(endOf('ok', 100, 200), 3000);
    expect(limiter.waitMs(unbounded, 3000)).toBe(0);
  });

  test('numbers that make no sense do not break the sums', () => {
    const limiter = createRuleLimiter(rule);
    for (const odd of [Number.NaN, Infinity, -Infinity, -3, 0.1]) {
      const permit = begun(limiter, 0, demandFor({ estimate: odd, maxOutput: odd }));
      permit.progress(odd, 1);
      permit.end(endOf('ok', odd, odd), 2);
    }
    expect(remaining(limiter, DAY_MS)).toEqual([1000, 1000, 1000, 1000]);
    expect(limiter.isIdle(DAY_MS)).toBe(true);
    expect(limiter.waitMs(small, DAY_MS)).toBe(0);
  });
});

describe('larger than the whole limit', () => {
  const huge = demandFor({ estimate: 5000, maxOutput: 100 });

  test('it goes when nothing else is counted', () => {
    const limiter = createRuleLimiter({ tokensPerMinute: 1000 });
    expect(limiter.waitMs(huge, 0)).toBe(0);
    begun(limiter, 0, huge).end(endOf('ok', 5000, 100), 1000);
    expect(limiter.waitMs(small, 1000)).toBe(59_000);
    expect(limiter.waitMs(huge, 1000)).toBe(59_000);
    expect(limiter.waitMs(huge, 60_000)).toBe(0);
  });

  test('one that only may be so goes alone, when half of the limit is free', () => {
    const limiter = createRuleLimiter({ tokensPerMinute: 1000 });
    const open = demandFor({ estimate: 100, maxOutput: 950 });
    const first = begun(limiter, 0, open);
    expect(limiter.waitMs(open, 0)).toBe(60_000);
    first.end(endOf('ok', 100, 940), 0);
    // The longest of late, and a tenth more, does not fit.
    expect(limiter.waitMs(open, 60_000)).toBe(0);
    begun(limiter, 60_000, open).end(endOf('ok', 100, 300), 60_000);
    expect(limiter.waitMs(open, 60_000)).toBe(0);
    begun(limiter, 60_000, open).end(endOf('ok', 100, 300), 60_000);
    expect(limiter.waitMs(open, 60_000)).toBe(60_000);
  });
});

describe('as it stands', () => {
  test('every number it has, and what is refused', () => {
    const limiter = createRuleLimiter({ requestsPerMinute: 2, tokensPerDay: 5000 }, 'limits[3]');
    limiter.admit(small, 0).end(endOf('rate'), 10);
    begun(limiter, 1000);
    expect(limiter.snapshot(2000)).toEqual({
      name: 'limits[3]',
      state: 'normal',
      requestsPerMinute: 2,
      refusedShare: 1,
      inFlight: 1,
      maxInFlight: undefined,
      closedMs: 58_000,
      meters: [
        { unit: 'requests', windowMs: 60_000, limit: 2, remaining: 0 },
        { unit: 'tokens', windowMs: DAY_MS, limit: 5000, remaining: 4800 },
      ],
    });
  });

  test('idle when nothing is under way and nothing counted', () => {
    const limiter = createRuleLimiter({ requestsPerMinute: 2 });
    expect(limiter.isIdle(0)).toBe(true);
    const permit = begun(limiter, 0);
    expect(limiter.isIdle(70_000)).toBe(false);
    permit.end(endOf('ok'), 70_000);
    expect(limiter.isIdle(70_000)).toBe(true);
  });
});
