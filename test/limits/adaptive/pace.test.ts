import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pace } from '../../../src/limits/adaptive/pace.ts';

/** One request a second. */
const PER_MS = 1 / 1000;

function restarted(): Pace {
  const pace = new Pace();
  pace.restart(0);
  return pace;
}

test('spends at the rate', () => {
  const pace = restarted();
  expect(pace.waitMs(PER_MS, 0, 0)).toBe(1000);
  expect(pace.waitMs(PER_MS, 0, 600)).toBeCloseTo(400);
  expect(pace.waitMs(PER_MS, 0, 1000)).toBe(0);
  pace.take(PER_MS, 1000);
  expect(pace.waitMs(PER_MS, 0, 1000)).toBeCloseTo(1000);
});

test('saves up a burst and no more', () => {
  const pace = restarted();
  for (let i = 0; i < 3; i++) {
    expect(pace.waitMs(PER_MS, 0, 60_000)).toBe(0);
    pace.take(PER_MS, 60_000);
  }
  expect(pace.waitMs(PER_MS, 0, 60_000)).toBe(1000);
});

test('lets the hurried go ahead of the pace', () => {
  const pace = restarted();
  expect(pace.waitMs(PER_MS, 1, 0)).toBe(0);
  pace.take(PER_MS, 0);
  expect(pace.waitMs(PER_MS, 0, 0)).toBe(2000);
});

test('has nothing left after a refusal, but still owes what it overdrew', () => {
  const pace = restarted();
  pace.empty(PER_MS, 60_000);
  expect(pace.waitMs(PER_MS, 0, 60_000)).toBe(1000);
  pace.take(PER_MS, 60_000);
  pace.empty(PER_MS, 60_000);
  expect(pace.waitMs(PER_MS, 0, 60_000)).toBe(2000);
});

test('allows larger bursts when they are proven, never more than a minute of requests', () => {
  const pace = restarted();
  pace.proven(100, 0);
  expect(pace.burst).toBe(4.5);
  for (let i = 0; i < 20; i++) pace.proven(100, 0);
  expect(pace.burst).toBe(100);
});

test('takes a refused burst back, and does not try it again for ten minutes', () => {
  const pace = restarted();
  pace.tooMany(1.8, 1000);
  expect(pace.burst).toBe(1.8);
  pace.proven(100, 600_000);
  expect(pace.burst).toBe(1.8);
  pace.proven(100, 601_001);
  expect(pace.burst).toBeCloseTo(2.7);
  pace.tooMany(0.1, 601_002);
  expect(pace.burst).toBe(1);
});

test('never admits more than rate and burst allow', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 100 }), (pauses) => {
      const pace = restarted();
      let now = 0;
      let count = 0;
      for (const pause of pauses) {
        now += pause;
        if (pace.waitMs(PER_MS, 0, now) > 0) continue;
        pace.take(PER_MS, now);
        count++;
      }
      expect(count).toBeLessThanOrEqual(now * PER_MS + pace.burst + 1e-6);
    }),
  );
});
