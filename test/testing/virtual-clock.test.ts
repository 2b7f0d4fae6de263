import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../src/testing/index.ts';

test('starts at 0 and at the given date, and stands still', async () => {
  const clock = createVirtualClock({ startAt: 1_000_000 });
  await new Promise((resolve) => setImmediate(resolve));
  expect([clock.now(), clock.wallNow()]).toEqual([0, 1_000_000]);
  await clock.advance(250);
  expect([clock.now(), clock.wallNow()]).toEqual([250, 1_000_250]);
});

test('timers run in the order of their time, then of their setting, and see that time', async () => {
  const timers = fc.array(
    fc.record({ ms: fc.integer({ min: -5, max: 40 }), cancel: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(timers, fc.array(fc.integer({ min: 0, max: 15 })), async (set, steps) => {
      const clock = createVirtualClock();
      const ran: Array<[at: number, index: number]> = [];
      const handles = set.map(({ ms }, i) =>
        clock.setTimeout(() => ran.push([clock.now(), i]), ms),
      );
      for (const [i, { cancel }] of set.entries()) if (cancel) clock.clearTimeout(handles[i]);
      const kept = set.flatMap(({ ms, cancel }, i) =>
        cancel ? [] : [[Math.max(0, ms), i] as const],
      );
      expect(clock.pending).toBe(kept.length);
      for (const step of steps) await clock.advance(step);
      const end = steps.reduce((sum, step) => sum + step, 0);
      expect(clock.now()).toBe(end);
      const due = kept.filter(([at]) => at <= end && steps.length > 0);
      expect(ran).toEqual(due.sort(([a, i], [b, j]) => a - b || i - j));
      await clock.runAll();
      expect([ran.length, clock.pending]).toEqual([kept.length, 0]);
    }),
    { numRuns: 60 },
  );
});

test('promises settle between timers, and timers set meanwhile run in the same advance', async () => {
  const clock = createVirtualClock();
  const seen: string[] = [];
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => clock.setTimeout(resolve, ms));
  const loop = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await sleep(10);
      await Promise.resolve();
      seen.push(`loop ${clock.now()}`);
    }
  };
  const done = loop();
  clock.setTimeout(() => seen.push(`timer ${clock.now()}`), 25);
  await clock.advance(30);
  await done;
  expect(seen).toEqual(['loop 10', 'loop 20', 'timer 25', 'loop 30']);
});

test('advances that overlap add up', async () => {
  const clock = createVirtualClock();
  const ran: number[] = [];
  for (const ms of [5, 15, 25]) clock.setTimeout(() => ran.push(ms), ms);
  await Promise.all([clock.advance(10), clock.advance(10)]);
  expect([clock.now(), ran]).toEqual([20, [5, 15]]);
});

test('next jumps to the earliest timer and says whether there was one', async () => {
  const clock = createVirtualClock();
  clock.setTimeout(() => {}, 1000);
  expect([await clock.next(), clock.now(), await clock.next(), clock.now()]).toEqual([
    true,
    1000,
    false,
    1000,
  ]);
});

test('a timer that sets itself again without end is an error, not a hang', async () => {
  const clock = createVirtualClock({ maxTimers: 50 });
  const again = (): void => void clock.setTimeout(again, 0);
  again();
  await expect(clock.advance(1)).rejects.toThrow(/at most 50 timers/);
  await expect(clock.runAll()).rejects.toThrow(/at most 50 timers/);
});

test('what a timer throws reaches the test', async () => {
  const clock = createVirtualClock();
  clock.setTimeout(() => {
    throw new Error('from the timer');
  }, 5);
  await expect(clock.advance(5)).rejects.toThrow('from the timer');
});

test('refuses delays that Node would cut to 1 ms, and time that runs backwards', async () => {
  const clock = createVirtualClock();
  expect(() => clock.setTimeout(() => {}, 2 ** 31)).toThrow(RangeError);
  expect(() => clock.setTimeout(() => {}, Infinity)).toThrow(RangeError);
  await expect(clock.advance(-1)).rejects.toThrow(RangeError);
  await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError);
  clock.clearTimeout(undefined);
  expect(clock.pending).toBe(0);
});
