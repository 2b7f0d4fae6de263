import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAlarm } from '../../src/schedule/alarm.ts';
import { createVirtualClock } from '../../src/testing/index.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Clock } from '../../src/types.ts';

/** Counts the timers that are set, and fires them `earlyMs` too early. */
function countingClock(clock: VirtualClock, earlyMs = 0): Clock & { readonly timers: number } {
  let timers = 0;
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimeout: (run, ms) => {
      timers++;
      return clock.setTimeout(run, ms > 2 * earlyMs ? ms - earlyMs : ms);
    },
    clearTimeout: (handle) => clock.clearTimeout(handle),
    get timers() {
      return timers;
    },
  };
}

test('each wakes once and not too early, with one timer at most', async () => {
  const entry = fc.record({
    at: fc.integer({ min: -3, max: 50 }),
    clear: fc.boolean(),
    /** Set this many milliseconds after the one before. */
    after: fc.integer({ min: 0, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 40 }),
      fc.constantFrom(0, 0.4),
      async (entries, earlyMs) => {
        const clock = createVirtualClock();
        const alarm = createAlarm(countingClock(clock, earlyMs));
        const woken: Array<{ at: number; index: number }> = [];
        const cleared = new Set<number>();
        for (const [index, { at, clear, after }] of entries.entries()) {
          await clock.advance(after);
          const handle = alarm.set(at, () => {
            expect(clock.now()).toBeGreaterThanOrEqual(at);
            woken.push({ at, index });
          });
          expect(clock.pending).toBe(1);
          if (!clear) continue;
          alarm.clear(handle);
          alarm.clear(handle);
          cleared.add(index);
        }
        await clock.runAll();
        expect(woken.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
          entries.flatMap((_, index) => (cleared.has(index) ? [] : [index])),
        );
        expect(clock.pending).toBe(0);
        expect(clock.now()).toBeLessThanOrEqual(160);
      },
    ),
    { numRuns: 60 },
  );
});

test('those that are due together wake in the order of time, then of setting', async () => {
  const clock = createVirtualClock();
  const alarm = createAlarm(clock);
  const woken: string[] = [];
  await clock.advance(10);
  for (const [name, at] of Object.entries({ c: 5, d: 5, a: 1, e: 10, b: 4.5 })) {
    alarm.set(at, () => woken.push(name));
  }
  await clock.next();
  expect(woken).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('an entry later than the earliest sets no timer, and the last one that is cleared clears it', async () => {
  const clock = createVirtualClock();
  const counting = countingClock(clock);
  const alarm = createAlarm(counting);
  const woken: number[] = [];
  const first = alarm.set(100, () => woken.push(100));
  const handles = Array.from({ length: 50 }, (_, i) =>
    alarm.set(101 + i, () => woken.push(101 + i)),
  );
  expect(counting.timers).toBe(1);
  const earlier = alarm.set(50, () => woken.push(50));
  expect([counting.timers, clock.pending]).toEqual([2, 1]);
  alarm.clear(earlier);
  alarm.clear(first);
  expect([counting.timers, clock.pending]).toEqual([2, 1]);
  await clock.advance(60);
  expect([counting.timers, clock.pending, woken]).toEqual([3, 1, []]);
  for (const handle of handles) alarm.clear(handle);
  alarm.clear(undefined);
  expect(clock.pending).toBe(0);
});

test('a timer that fires too early is set again', async () => {
  const clock = createVirtualClock();
  const alarm = createAlarm(countingClock(clock, 0.7));
  const woken: number[] = [];
  alarm.set(20, () => woken.push(clock.now()));
  await clock.next();
  expect([clock.now(), woken, clock.pending]).toEqual([19.3, [], 1]);
  await clock.next();
  expect(woken).toEqual([20.3]);
});

test('a fraction of a millisecond is waited for, not cut off', async () => {
  const clock = createVirtualClock();
  const counting = countingClock(clock);
  const alarm = createAlarm(counting);
  let wokenAt = 0;
  alarm.set(3.25, () => {
    wokenAt = clock.now();
  });
  await clock.runAll();
  expect([wokenAt, counting.timers]).toEqual([4, 1]);
});

test('a time further off than Node can wait is waited for in parts', async () => {
  const clock = createVirtualClock();
  const counting = countingClock(clock);
  const alarm = createAlarm(counting);
  const at = 2.5 * 2 ** 31;
  const woken: number[] = [];
  alarm.set(at, () => woken.push(clock.now()));
  await clock.runAll();
  expect([woken, counting.timers]).toEqual([[at], 3]);
});

test('a wake-up that throws stops neither the others nor the timer', async () => {
  const clock = createVirtualClock();
  const alarm = createAlarm(clock);
  const woken: string[] = [];
  alarm.set(5, () => {
    throw new Error('a bug');
  });
  alarm.set(5, () => woken.push('together'));
  alarm.set(6, () => woken.push('later'));
  await clock.runAll();
  expect(woken).toEqual(['together', 'later']);
});

test('a wake-up may set and clear others', async () => {
  const clock = createVirtualClock();
  const counting = countingClock(clock);
  const alarm = createAlarm(counting);
  const woken: string[] = [];
  alarm.set(5, () => {
    woken.push('first');
    alarm.clear(second);
    alarm.set(9, () => woken.push('later'));
    alarm.set(1, () => woken.push(`again at ${clock.now()}`));
  });
  const second = alarm.set(5, () => woken.push('second'));
  alarm.set(5, () => woken.push('third'));
  await clock.next();
  // What is set for now waits for the next timer: else two that wake each other would go on for ever.
  expect([woken, counting.timers, clock.pending]).toEqual([['first', 'third'], 2, 1]);
  await clock.runAll();
  expect(woken).toEqual(['first', 'third', 'again at 5', 'later']);
});

test('a time that is no number wakes at once and is in nobody else’s way', async () => {
  const clock = createVirtualClock();
  const alarm = createAlarm(clock);
  const woken: Array<[at: number, wokenAt: number]> = [];
  for (const at of [3, Number.NaN, 5, 1]) alarm.set(at, () => woken.push([at, clock.now()]));
  await clock.runAll();
  expect(woken).toEqual([
    [Number.NaN, 0],
    [1, 1],
    [3, 3],
    [5, 5],
  ]);
});

test('after close nothing wakes and no timer is set', async () => {
  const clock = createVirtualClock();
  const alarm = createAlarm(clock);
  const woken: string[] = [];
  alarm.set(1, () => {
    woken.push('first');
    alarm.close();
    alarm.set(2, () => woken.push('set while closed'));
  });
  alarm.set(1, () => woken.push('due with the first'));
  alarm.set(8, () => woken.push('later'));
  await clock.runAll();
  alarm.clear(alarm.set(20, () => woken.push('set after')));
  alarm.close();
  await clock.runAll();
  expect([woken, clock.now(), clock.pending]).toEqual([['first'], 1, 0]);
});
