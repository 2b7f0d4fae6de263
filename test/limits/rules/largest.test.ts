import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Largest } from '../../../src/limits/rules/largest.ts';

test('nothing is known before the first', () => {
  expect(new Largest().value).toBeUndefined();
});

test('the largest of at least the last 32, and of no more than the last 64', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1, maxLength: 200, size: 'max' }),
      (numbers) => {
        const largest = new Largest();
        for (const [i, number] of numbers.entries()) {
          largest.add(number);
          const seen = numbers.slice(0, i + 1);
          expect(largest.value).toBeGreaterThanOrEqual(Math.max(...seen.slice(-32)));
          expect(largest.value).toBeLessThanOrEqual(Math.max(...seen.slice(-64)));
        }
      },
    ),
  );
});

test('what is only raised takes no place among them', () => {
  const largest = new Largest();
  for (let i = 0; i < 1000; i++) largest.raise(i);
  expect(largest.value).toBe(999);
  for (let i = 0; i < 64; i++) largest.add(5);
  expect(largest.value).toBe(5);
});
