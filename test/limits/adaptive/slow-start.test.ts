import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlowStart } from '../../../src/limits/adaptive/slow-start.ts';
import { surroundings } from './surroundings.ts';

test('never waits while nothing is unanswered', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(1000), fc.nat(10), (admitted, lastSentAt, pause) => {
      const around = surroundings({ unanswered: 4096 });
      const start = new SlowStart(around);
      for (let i = 0; i < admitted; i++) start.admitted();
      around.unanswered = 0;
      expect(start.waitMs(lastSentAt, lastSentAt + pause)).toBe(0);
      expect(start.waitMs(undefined, pause)).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test('spaces the first requests, and less so with each admission', () => {
  const around = surroundings({ unanswered: 1 });
  const start = new SlowStart(around);
  expect(start.waitMs(1000, 1000)).toBe(15);
  expect(start.waitMs(1000, 1010)).toBe(5);
  expect(start.waitMs(1000, 2000)).toBe(0);
  for (let i = 0; i < 16; i++) start.admitted();
  expect(start.waitMs(1000, 1000)).toBe(7.5);
});

test('doubles the window with each round trip in which it is used', () => {
  const around = surroundings();
  const start = new SlowStart(around);
  const window = (): number => {
    around.unanswered = 0;
    while (start.waitMs(0, 1000) !== Infinity) around.unanswered++;
    return around.unanswered;
  };
  const sizes: number[] = [];
  for (let round = 0; round < 4; round++) {
    const size = window();
    sizes.push(size);
    for (let i = 0; i < size; i++) start.admitted();
  }
  expect(sizes).toEqual([8, 16, 32, 64]);
});

test('keeps the window while it is not used, and bounds it', () => {
  const around = surroundings({ unanswered: 1 });
  const idle = new SlowStart(around);
  for (let i = 0; i < 100; i++) idle.admitted();
  around.unanswered = 8;
  expect(idle.waitMs(0, 1000)).toBe(Infinity);
  const busy = new SlowStart(around);
  around.unanswered = 1e6;
  for (let i = 0; i < 10_000; i++) busy.admitted();
  around.unanswered = 4096;
  expect(busy.waitMs(0, 1000)).toBe(Infinity);
});
