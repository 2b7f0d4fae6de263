import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { backoffMs } from '../../src/delivery/backoff.ts';

test('is between 100 ms and 30 s however often it failed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, random) => {
        const ms = backoffMs(failures, () => random);
        expect(ms).toBeGreaterThanOrEqual(100);
        expect(ms).toBeLessThanOrEqual(30_000);
      },
    ),
  );
});

test('doubles its bound with every failure and spreads over all of it', () => {
  const bounds = [1, 2, 3, 8, 9, 20].map((failures) => backoffMs(failures, () => 1));
  expect(bounds).toEqual([200, 400, 800, 25_600, 30_000, 30_000]);
  expect([1, 2, 3, 20].map((failures) => backoffMs(failures, () => 0))).toEqual([
    100, 100, 100, 100,
  ]);
  expect(backoffMs(3, () => 0.5)).toBe(450);
});
