import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAimdLimiter } from '../../../src/limits/strategies/aimd.ts';
import type { Limiter } from '../../../src/limits/types.ts';
import { anything, endAs, sendAll, sendAs } from './send.ts';

const MINUTE = 60_000;
const rateOf = (limiter: Limiter, now: number): number =>
  limiter.snapshot(now).requestsPerMinute ?? 0;

/** One after the other, each as soon as it may go. Returns the time after the last. */
function sendOnAndOn(limiter: Limiter, count: number, from: number): number {
  let now = from;
  for (let i = 0; i < count; i++) {
    now += limiter.waitMs(anything, now);
    sendAs(limiter, 'ok', now);
  }
  return now;
}

describe('up', () => {
  test('by one for each request that had to wait, by less where the rate is higher', () => {
    const limiter = createAimdLimiter({ requestsPerMinute: 6 });
    sendAs(limiter, 'ok', 0);
    sendOnAndOn(limiter, 3, 0);
    expect(rateOf(limiter, MINUTE)).toBe(9);
    const fast = createAimdLimiter({ requestsPerMinute: 200 });
    const now = sendOnAndOn(fast, 30, 0);
    expect(rateOf(fast, now)).toBeGreaterThan(200);
    expect(rateOf(fast, now)).toBeLessThan(203);
  });

  test('not while nobody waits', () => {
    const limiter = createAimdLimiter();
    for (let i = 0; i < 100; i++) sendAs(limiter, 'ok', i * 10_000);
    expect(rateOf(limiter, 100 * 10_000)).toBe(20);
  });
});

describe('down', () => {
  test('by half, once for all that were under way, never below one', () => {
    const limiter = createAimdLimiter({ requestsPerMinute: 120 });
    const burst = sendAll(limiter, 0);
    expect(burst).toHaveLength(10);
    for (const permit of burst) permit.end(endAs('rate'), 50);
    expect(rateOf(limiter, 50)).toBe(60);
    expect(limiter.state).toBe('retreat');
    for (let i = 0; i < 20; i++) sendAs(limiter, 'rate', 100 + i);
    expect(rateOf(limiter, 200)).toBe(1);
    expect(limiter.waitMs(anything, 200)).toBeGreaterThan(0);
  });

  test.each(['failure', 'overload', 'spent', 'aborted'] as const)('not for %s', (kind) => {
    const limiter = createAimdLimiter();
    sendAs(limiter, kind, 0);
    expect(rateOf(limiter, 0)).toBe(20);
    expect(limiter.state).toBe('normal');
  });

  test('until it is back where it was, it recovers', () => {
    const limiter = createAimdLimiter({ requestsPerMinute: 8 });
    sendAs(limiter, 'rate', 0);
    let now = sendOnAndOn(limiter, 3, 1);
    expect(limiter.state).toBe('recover');
    now = sendOnAndOn(limiter, 3, now);
    expect(limiter.state).toBe('normal');
    expect(rateOf(limiter, now)).toBeGreaterThanOrEqual(8);
  });

  test('retry-after closes the gate for all', () => {
    const limiter = createAimdLimiter({ requestsPerMinute: 120 });
    sendAs(limiter, 'rate', 0, 10, 9000);
    expect(limiter.waitMs(anything, 10)).toBe(9000);
    expect(limiter.snapshot(10).closedMs).toBe(9000);
    expect(limiter.waitMs(anything, 9010)).toBe(0);
  });
});

test('what goes in a time is the rate and a burst of 5 s, and the wait is exact', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { minLength: 1, maxLength: 100 }),
      (rate, pauses) => {
        const limiter = createAimdLimiter({ requestsPerMinute: rate });
        let now = 0;
        let sent = 0;
        for (const pause of pauses) {
          now += pause;
          now += limiter.waitMs(anything, now);
          expect(limiter.waitMs(anything, now)).toBe(0);
          limiter.admit(anything, now).end(endAs('aborted'), now);
          sent++;
          expect(sent).toBeLessThanOrEqual(Math.max(1, rate / 12) + (now * rate) / MINUTE + 0.001);
        }
      },
    ),
  );
});

test('as it stands', () => {
  const limiter = createAimdLimiter();
  limiter.admit(anything, 0);
  sendAs(limiter, 'rate', 0);
  expect(limiter.snapshot(0)).toEqual({
    name: 'aimd',
    state: 'retreat',
    requestsPerMinute: 10,
    refusedShare: 1,
    inFlight: 1,
    maxInFlight: undefined,
    closedMs: 0,
    meters: [],
  });
});
