import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMeter } from '../../../../src/testing/simulate/traffic/create-meter.ts';
import { limitRules } from '../../../../src/testing/simulate/traffic/limit-rules.ts';
import type { Meter } from '../../../../src/testing/simulate/traffic/meter.ts';
import type { SimulatedLimit } from '../../../../src/testing/index.ts';

function meterOf(limit: Partial<SimulatedLimit>, startAt = 0): Meter {
  return createMeter(limitRules({ unit: 'tokens', limit: 10, ...limit }, 'openai'), startAt);
}

/** Requests with their times and sizes, and a limit that changes while they come. */
const traffic = fc.record({
  limit: fc.integer({ min: 1, max: 30 }),
  changes: fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 30 })),
    { selector: ([at]) => at, maxLength: 3 },
  ),
  requests: fc.array(
    fc.record({ gap: fc.integer({ min: 0, max: 4000 }), amount: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 60 },
  ),
});

interface Taken {
  readonly at: number;
  readonly amount: number;
}

/** Lets all that fits in, and compares every decision with a count over everything that was let in before. */
function compare(
  { limit, changes, requests }: typeof traffic extends fc.Arbitrary<infer T> ? T : never,
  options: Partial<SimulatedLimit>,
  fits: (taken: readonly Taken[], next: Taken, limitAt: (time: number) => number) => boolean,
): void {
  const schedule = changes.toSorted(([a], [b]) => a - b);
  const limitAt = (time: number): number =>
    schedule.reduce((value, [from, to]) => (time >= from ? to : value), limit);
  const meter = meterOf({ limit, schedule, windowMs: 10_000, ...options });
  const taken: Taken[] = [];
  let at = 0;
  for (const { gap, amount } of requests) {
    at += gap;
    const next = { at, amount };
    const expected = fits(taken, next, limitAt);
    expect(meter.fits(amount, at), JSON.stringify({ taken, next })).toBe(expected);
    expect(meter.waitMs(amount, at) === 0).toBe(expected);
    if (!expected) continue;
    meter.take(amount, at);
    taken.push(next);
  }
}

const sum = (taken: readonly Taken[]): number =>
  taken.reduce((total, { amount }) => total + amount, 0);

describe('against a count over all that was let in', () => {
  test('a sliding window', () => {
    fc.assert(
      fc.property(traffic, (given) => {
        compare(given, { algorithm: 'sliding-window' }, (taken, next, limitAt) => {
          const recent = taken.filter(({ at }) => at > next.at - 10_000);
          return sum(recent) + next.amount <= limitAt(next.at);
        });
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('fixed windows, wherever they begin', () => {
    fc.assert(
      fc.property(traffic, fc.integer({ min: -20_000, max: 20_000 }), (given, offsetMs) => {
        const algorithm = 'fixed-window';
        compare(given, { algorithm, offsetMs }, (taken, next, limitAt) => {
          const windowOf = (at: number): number => Math.floor((at - offsetMs) / 10_000);
          const same = taken.filter(({ at }) => windowOf(at) === windowOf(next.at));
          return sum(same) + next.amount <= limitAt(next.at);
        });
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test('a bucket: no stretch of time has more than what it held and what was refilled', () => {
    fc.assert(
      fc.property(traffic, fc.integer({ min: 1, max: 12 }), (given, burst) => {
        compare(given, { burst }, (taken, next, limitAt) => {
          const refilled = (from: number): number => {
            let total = 0;
            for (let ms = from; ms < next.at; ms++) total += limitAt(ms);
            return total / 10_000;
          };
          const all = [...taken, next];
          return all.every(({ at }, index) => sum(all.slice(index)) <= burst + refilled(at) + 1e-6);
        });
      }),
      { seed: 3, numRuns: 60 },
    );
  });
});

const ALGORITHMS = ['bucket', 'fixed-window', 'sliding-window'] as const;

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test('what is told to wait fits then, and not a millisecond earlier', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 10 }),
        (gaps, amount) => {
          const meter = meterOf({ algorithm, windowMs: 7000 });
          let at = 0;
          for (const gap of gaps) {
            at += gap;
            if (meter.fits(2, at)) meter.take(2, at);
          }
          const wait = meter.waitMs(amount, at);
          if (wait > 1) expect(meter.fits(amount, at + wait - 1)).toBe(false);
          expect(meter.fits(amount, at + wait)).toBe(true);
          expect(meter.waitMs(amount, at + wait)).toBe(0);
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });

  test('what is given back is there again', () => {
    const meter = meterOf({ algorithm });
    meter.take(4, 0);
    const charge = meter.take(6, 100);
    expect(meter.fits(5, 100)).toBe(false);
    meter.giveBack(charge, 5, 100);
    expect(meter.remaining(100)).toBeCloseTo(5, 1);
    expect(meter.fits(5, 100)).toBe(true);
  });

  test('what is given back too late gives nothing', () => {
    const meter = meterOf({ algorithm, windowMs: 1000 });
    const charge = meter.take(10, 900);
    meter.giveBack(charge, 10, 2000);
    expect(meter.remaining(2000)).toBe(10);
    meter.take(10, 2000);
    expect(meter.remaining(2000)).toBe(0);
    expect(meter.fits(10, 3000)).toBe(true);
  });

  test('takes what must be paid for, and is in debt then', () => {
    const meter = meterOf({ algorithm, limit: 10, windowMs: 1000 });
    meter.take(25, 0);
    expect(meter.remaining(0)).toBe(0);
    expect(meter.fits(1, 999)).toBe(false);
    // A bucket works its debt off; a window forgets it.
    expect(meter.fits(1, 1000)).toBe(algorithm !== 'bucket');
    expect(meter.fits(1, 1600)).toBe(true);
  });
});

test.each(['fixed-window', 'sliding-window'] as const)(
  '%s: a charge that no longer counts is not given back out of others',
  (algorithm) => {
    const meter = meterOf({ algorithm, windowMs: 1000 });
    const charge = meter.take(10, 900);
    meter.take(3, 2000);
    meter.giveBack(charge, 10, 2000);
    expect(meter.remaining(2000)).toBe(7);
  },
);

describe('refused requests that count', () => {
  test('empty a bucket and no more', () => {
    const meter = meterOf({ limit: 10, windowMs: 1000 });
    meter.take(8, 0);
    for (let i = 0; i < 5; i++) meter.punish(3, 0);
    expect(meter.waitMs(1, 0)).toBe(100);
    meter.take(5, 0);
    meter.punish(3, 0);
    expect(meter.waitMs(1, 0)).toBe(600);
  });

  test('fill a window', () => {
    const meter = meterOf({ limit: 10, windowMs: 1000, algorithm: 'sliding-window' });
    meter.take(8, 0);
    meter.punish(8, 500);
    expect(meter.waitMs(2, 500)).toBe(500);
    expect(meter.waitMs(3, 500)).toBe(1000);
  });
});

describe('others who go first', () => {
  test('put a bucket into debt, but not deeper than two of their requests', () => {
    const meter = meterOf({ limit: 10, windowMs: 1000 });
    meter.takeFirst(3, 2, 0);
    expect(meter.remaining(0)).toBe(4);
    meter.takeFirst(3, 50, 0);
    expect(meter.waitMs(1, 0)).toBe(700);
  });
});

describe('a bucket whose limit changes', () => {
  const schedule: SimulatedLimit['schedule'] = [
    [1000, 20],
    [2000, 5],
  ];

  test('holds and refills as much as the limit says at the time', () => {
    const meter = meterOf({ limit: 10, windowMs: 1000, schedule });
    meter.take(10, 0);
    expect(meter.remaining(500)).toBe(5);
    expect(meter.remaining(1500)).toBe(20);
    expect(meter.remaining(1999)).toBe(20);
    expect(meter.remaining(2000)).toBe(5);
    meter.take(5, 2000);
    expect(meter.remaining(2600)).toBe(3);
    expect(meter.limit(2600)).toBe(5);
  });

  test('refills across changes that nobody looked at', () => {
    const meter = meterOf({ limit: 10, windowMs: 1000, schedule, burst: 100 });
    meter.take(100, 0);
    expect(meter.remaining(3000)).toBe(10 + 20 + 5);
    expect(meter.resetMs(3000)).toBe(13_000);
  });
});

test('resets: a bucket is full, a window ends, the earliest charge is forgotten', () => {
  const bucket = meterOf({ windowMs: 1000 });
  const fixed = meterOf({ windowMs: 1000, algorithm: 'fixed-window', offsetMs: 300 });
  const sliding = meterOf({ windowMs: 1000, algorithm: 'sliding-window' });
  expect([bucket, fixed, sliding].map((meter) => meter.resetMs(0))).toEqual([0, 300, 0]);
  for (const meter of [bucket, fixed, sliding]) meter.take(4, 100);
  expect([bucket, fixed, sliding].map((meter) => meter.resetMs(200))).toEqual([300, 100, 900]);
});

test('a sliding window forgets charges for good', () => {
  const meter = meterOf({ limit: 1000, windowMs: 100, algorithm: 'sliding-window' });
  for (let at = 0; at < 5000; at++) meter.take(0.1, at);
  expect(meter.remaining(4999)).toBeCloseTo(990, 6);
  expect(meter.remaining(6000)).toBe(1000);
});
