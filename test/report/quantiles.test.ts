import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Quantiles } from '../../src/report/quantiles.ts';
import { createSeededRandom } from '../../src/testing/index.ts';

function nearestRank(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
}

const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1];

function filled(values: readonly number[]): Quantiles {
  const quantiles = new Quantiles();
  for (const value of values) quantiles.add(value);
  return quantiles;
}

describe('quantiles', () => {
  test('of up to 1000 values are exact, however they are put together', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 400 });
    fc.assert(
      fc.property(values, values, (some, more) => {
        const quantiles = filled(some);
        quantiles.merge(filled(more));
        const all = [...some, ...more];
        expect(quantiles.count).toBe(all.length);
        expect(quantiles.max).toBe(all.length === 0 ? null : Math.max(...all));
        for (const share of SHARES) {
          expect(quantiles.at(share)).toBe(nearestRank(all, share) ?? null);
        }
      }),
    );
  });

  test.each([
    ['uniform', (random: () => number) => random() * 10_000],
    ['with a long tail', (random: () => number) => 50 / (1 - random()) ** 2],
    ['mostly 0', (random: () => number) => (random() < 0.7 ? 0 : random() * 1e-3)],
    ['all the same', () => 1_234.5],
  ])('of many values, %s, are within 1 %%', (_, next) => {
    const random = createSeededRandom(3);
    const values = Array.from({ length: 50_000 }, () => next(random));
    const whole = filled(values);
    const parts = filled(values.slice(0, 900));
    parts.merge(filled(values.slice(900, 30_000)));
    parts.merge(filled(values.slice(30_000, 30_500)));
    parts.merge(filled(values.slice(30_500)));
    for (const quantiles of [whole, parts]) {
      expect(quantiles.count).toBe(50_000);
      expect(quantiles.max).toBe(values.reduce((a, b) => Math.max(a, b)));
      for (const share of SHARES) {
        const exact = nearestRank(values, share)!;
        expect(Math.abs(quantiles.at(share)! - exact)).toBeLessThanOrEqual(
          exact * 0.0100001 + 1e-6,
        );
      }
    }
  });

  test('of whatever numbers there are take bounded memory', () => {
    const quantiles = new Quantiles();
    for (let i = 0; i < 20_000; i++) quantiles.add(10 ** (i / 30 - 330));
    expect(quantiles.buckets).toBeLessThan(2_500);
    expect(quantiles.at(1)).toBeLessThanOrEqual(Number.MAX_VALUE);
  });
});
