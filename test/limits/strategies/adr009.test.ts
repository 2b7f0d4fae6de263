import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAdr009Limiter } from '../../../src/limits/strategies/adr009.ts';
import type { Limiter } from '../../../src/limits/types.ts';
import { anything, endAs, sendAll, sendAs } from './send.ts';

const SECOND = 1000;
const MINUTE = 60_000;

const rateOf = (limiter: Limiter, now: number): number | undefined =>
  limiter.snapshot(now).requestsPerMinute;

/** Answers at an even pace, of which that share is refused. */
function answer(limiter: Limiter, from: number, to: number, refusedPerHundred: number): void {
  let sent = 0;
  for (let now = from; now < to; now += 100) {
    const isRefused =
      Math.floor((++sent * refusedPerHundred) / 100) >
      Math.floor(((sent - 1) * refusedPerHundred) / 100);
    sendAs(limiter, isRefused ? 'rate' : 'ok', now);
  }
}

describe('retreat', () => {
  test('below 5 % nothing happens, at 5 % the rate falls to three quarters', () => {
    const limiter = createAdr009Limiter();
    for (let i = 0; i < 19; i++) sendAs(limiter, 'ok', i);
    expect(limiter.state).toBe('normal');
    expect(rateOf(limiter, 20)).toBe(40);
    sendAs(limiter, 'rate', 20);
    expect(limiter.state).toBe('retreat');
    expect(rateOf(limiter, 20)).toBe(30);

    const calm = createAdr009Limiter();
    for (let i = 0; i < 20; i++) sendAs(calm, 'ok', i);
    sendAs(calm, 'rate', 20);
    expect(calm.state).toBe('normal');
  });

  test('refusals older than 60 s do not count', () => {
    const limiter = createAdr009Limiter();
    for (let i = 0; i < 30; i++) sendAs(limiter, 'ok', i);
    sendAs(limiter, 'rate', 30);
    expect(limiter.state).toBe('normal');
    for (let i = 0; i < 21; i++) sendAs(limiter, 'ok', 62 * SECOND + i);
    sendAs(limiter, 'rate', 63 * SECOND);
    expect(limiter.state).toBe('normal');
  });

  test('many refusals at once are one cut', () => {
    const limiter = createAdr009Limiter();
    const burst = sendAll(limiter, 0);
    expect(burst).toHaveLength(40);
    for (const [i, permit] of burst.entries()) permit.end(endAs('rate'), 500 + i);
    expect(rateOf(limiter, SECOND)).toBe(30);
    // Those that were sent after it are another matter, but not before 60 s are over.
    answer(limiter, SECOND, 60 * SECOND, 100);
    expect(rateOf(limiter, 60 * SECOND)).toBe(30);
    sendAs(limiter, 'rate', 60 * SECOND + 500);
    expect(rateOf(limiter, 61 * SECOND)).toBe(22.5);
  });

  test('a refusal of a request that was sent before the last cut never counts', () => {
    const limiter = createAdr009Limiter();
    const early = sendAll(limiter, 0);
    early[0]!.end(endAs('rate'), 100);
    for (const permit of early.slice(1)) permit.end(endAs('rate'), 61 * SECOND);
    expect(rateOf(limiter, 61 * SECOND)).toBe(30);
  });

  test('again only when it is still 10 % after 60 s', () => {
    for (const [percent, rate] of [
      [9, 30],
      [12, 22.5],
    ] as const) {
      const limiter = createAdr009Limiter();
      sendAs(limiter, 'rate', 0);
      answer(limiter, 1, 61 * SECOND, percent);
      expect(rateOf(limiter, 61 * SECOND)).toBe(rate);
      expect(limiter.state).toBe('retreat');
    }
  });

  test('once in 60 s, however the share has changed since', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    answer(limiter, 1, 61 * SECOND, 8);
    answer(limiter, 61 * SECOND, 100 * SECOND, 50);
    expect(rateOf(limiter, 100 * SECOND)).toBe(30);
    answer(limiter, 100 * SECOND, 121 * SECOND, 50);
    expect(rateOf(limiter, 121 * SECOND)).toBe(22.5);
  });

  test('never below 5, or a base rate below that', () => {
    const limiter = createAdr009Limiter();
    answer(limiter, 0, 20 * MINUTE, 100);
    expect(rateOf(limiter, 20 * MINUTE)).toBe(5);
    const slow = createAdr009Limiter({ requestsPerMinute: 2 });
    answer(slow, 0, 20 * MINUTE, 100);
    expect(rateOf(slow, 20 * MINUTE)).toBe(2);
    expect(sendAll(slow, 30 * MINUTE)).toHaveLength(2);
  });

  test.each(['failure', 'overload', 'spent', 'aborted'] as const)('%s says nothing', (kind) => {
    const limiter = createAdr009Limiter();
    for (let i = 0; i < 100; i++) sendAs(limiter, kind, i);
    expect(limiter.state).toBe('normal');
    // Nor does it hide refusals.
    for (let i = 0; i < 18; i++) sendAs(limiter, 'ok', 100 + i);
    sendAs(limiter, 'rate', 200);
    expect(limiter.state).toBe('retreat');
  });
});

describe('recovery', () => {
  test('2 requests a minute every 120 s, up to the base rate', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    expect(rateOf(limiter, 119_999)).toBe(30);
    expect(limiter.state).toBe('retreat');
    const rates = [120, 239, 240, 360, 480, 599, 600, 9000].map((s) => rateOf(limiter, s * SECOND));
    expect(rates).toEqual([32, 32, 34, 36, 38, 38, 40, 40]);
    expect(limiter.state).toBe('normal');
  });

  test('it is seen as such', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    limiter.waitMs(anything, 120 * SECOND);
    expect(limiter.state).toBe('recover');
  });

  test('the same in a pause, whether anybody looks or not', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    expect(rateOf(limiter, 365 * SECOND)).toBe(36);
  });

  test('not while 2 % are refused; then one step, not all that were missed', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    answer(limiter, 1, 600 * SECOND, 3);
    expect(rateOf(limiter, 600 * SECOND)).toBe(30);
    // Below 2 % of 120 s again, some 40 s later.
    answer(limiter, 600 * SECOND, 650 * SECOND, 0);
    expect(rateOf(limiter, 650 * SECOND)).toBe(32);
    expect(rateOf(limiter, 750 * SECOND)).toBe(32);
    expect(rateOf(limiter, 770 * SECOND)).toBe(34);
  });

  test('not faster when more is sent', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    answer(limiter, 1, 125 * SECOND, 0);
    expect(rateOf(limiter, 125 * SECOND)).toBe(32);
  });

  test('a new refusal on the way up is a new retreat', () => {
    const limiter = createAdr009Limiter();
    sendAs(limiter, 'rate', 0);
    sendAs(limiter, 'rate', 130 * SECOND);
    expect(limiter.state).toBe('retreat');
    expect(rateOf(limiter, 130 * SECOND)).toBe(24);
  });
});

describe('what goes', () => {
  test('at most the rate in any 60 s, all of it at once if need be', () => {
    const limiter = createAdr009Limiter({ requestsPerMinute: 10 });
    expect(sendAll(limiter, 0)).toHaveLength(10);
    expect(limiter.waitMs(anything, 0)).toBe(MINUTE);
    expect(sendAll(limiter, 59_999)).toHaveLength(0);
    expect(sendAll(limiter, MINUTE)).toHaveLength(10);
  });

  test('no faster than the lower rate from the cut on', () => {
    const limiter = createAdr009Limiter({ requestsPerMinute: 10 });
    const burst = sendAll(limiter, 0);
    burst[0]!.end(endAs('rate'), 10);
    expect(sendAll(limiter, MINUTE)).toHaveLength(7);
  });

  test('retry-after closes the gate for all, and moves nothing else', () => {
    const limiter = createAdr009Limiter();
    for (let i = 0; i < 30; i++) sendAs(limiter, 'ok', 0);
    sendAs(limiter, 'rate', 0, 10, 7000);
    expect(limiter.waitMs(anything, 10)).toBe(7000);
    expect(limiter.snapshot(10)).toMatchObject({ closedMs: 7000, requestsPerMinute: 40 });
    expect(limiter.waitMs(anything, 7010)).toBe(0);
  });

  test('after the time it asks for, a request may go, whatever happened before', () => {
    const step = fc.record({
      kind: fc.constantFrom('ok', 'ok', 'rate', 'failure', 'aborted', 'overload'),
      waitMs: fc.double({ min: 0, max: 40_000, noNaN: true }),
      retryAfterMs: fc.option(fc.double({ min: 0, max: 5000, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200, size: 'max' }),
        fc.integer({ min: 1, max: 60 }),
        (steps, rate) => {
          const limiter = createAdr009Limiter({ requestsPerMinute: rate });
          const sent: number[] = [];
          let now = 0;
          for (const { kind, waitMs, retryAfterMs } of steps) {
            now += limiter.waitMs(anything, now);
            expect(limiter.waitMs(anything, now)).toBe(0);
            sent.push(now);
            sendAs(limiter, kind, now, now, retryAfterMs);
            now += waitMs / 20;
          }
          for (let i = rate; i < sent.length; i++) {
            expect(sent[i]! - sent[i - rate]!).toBeGreaterThan(MINUTE - 0.001);
          }
        },
      ),
    );
  });
});

test('as it stands', () => {
  const limiter = createAdr009Limiter({ requestsPerMinute: 60 });
  const open = limiter.admit(anything, 0);
  sendAs(limiter, 'rate', 0);
  for (let i = 0; i < 3; i++) sendAs(limiter, 'ok', 1);
  expect(limiter.snapshot(1)).toEqual({
    name: 'adr009',
    state: 'retreat',
    requestsPerMinute: 45,
    refusedShare: 0.25,
    inFlight: 1,
    maxInFlight: undefined,
    closedMs: 0,
    meters: [],
  });
  open.end(endAs('ok'), 2);
  open.end(endAs('ok'), 2);
  expect(limiter.snapshot(2)).toMatchObject({ inFlight: 0, refusedShare: 0.2 });
});
