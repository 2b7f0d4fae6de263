import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { waitUntil } from '../../../src/limits/rules/wait-until.ts';

const time = fc.double({ min: 0, max: 1e10, noNaN: true });

test('whoever waits that long is there, to the last bit, and hardly later', () => {
  fc.assert(
    fc.property(time, time, (at, now) => {
      const wait = waitUntil(at, now);
      expect(now + wait).toBeGreaterThanOrEqual(at);
      expect(now + wait).toBeLessThanOrEqual(Math.max(at, now) + 0.002);
    }),
    { numRuns: 2000 },
  );
});

test('nothing is left of what is past', () => {
  expect(waitUntil(5, 7)).toBe(0);
  expect(waitUntil(-Infinity, 7)).toBe(0);
  expect(waitUntil(9, 7)).toBe(2);
});

test('a difference that was rounded down', () => {
  const at = 60_096.99606488177;
  const now = 53.8816641193298;
  expect(now + (at - now)).toBeLessThan(at);
  expect(now + waitUntil(at, now)).toBeGreaterThanOrEqual(at);
});
