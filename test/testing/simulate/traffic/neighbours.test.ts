import { describe, expect, test } from 'vitest';
import { createNeighbours, poisson } from '../../../../src/testing/simulate/traffic/neighbours.ts';
import { createSharedMeter } from '../../../../src/testing/simulate/traffic/shared-meter.ts';
import { limitRules } from '../../../../src/testing/simulate/traffic/limit-rules.ts';
import { createSeededRandom } from '../../../../src/testing/index.ts';
import type { SimulatedLimit, SimulatedNeighbours } from '../../../../src/testing/index.ts';

describe('poisson', () => {
  test.each([0, 0.2, 3, 29, 31, 400])('has mean and variance %d', (mean) => {
    const random = createSeededRandom(7);
    const counts = Array.from({ length: 4000 }, () => poisson(mean, random));
    const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length;
    const error = Math.sqrt(mean / counts.length);
    expect(Math.abs(average - mean)).toBeLessThanOrEqual(4 * error);
    expect(Math.abs(variance - mean)).toBeLessThanOrEqual(0.15 * mean);
    expect(counts.every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
  });
});

function shared(limit: Partial<SimulatedLimit>, neighbours: SimulatedNeighbours) {
  const rules = limitRules({ unit: 'requests', limit: 100, ...limit }, 'openai');
  return createSharedMeter(rules, createNeighbours(neighbours, createSeededRandom(3)), 0);
}

describe('a limit with neighbours', () => {
  test('loses what they use, as often as they come', () => {
    const limit = { limit: 1000, windowMs: 600_000, algorithm: 'fixed-window' } as const;
    const left = shared(limit, { requestsPerMinute: 60 }).at(599_999).remaining(599_999);
    expect(1000 - left).toBeGreaterThan(500);
    expect(1000 - left).toBeLessThan(700);
  });

  test.each([
    ['tokens', 400],
    ['inputTokens', 300],
    ['outputTokens', 100],
  ] as const)('counts their tokens: %s', (unit, each) => {
    const limit = { unit, limit: 1e6, algorithm: 'fixed-window' } as const;
    const meter = shared(limit, { requestsPerMinute: 60, tokens: 400 });
    const used = 1e6 - meter.at(59_999).remaining(59_999);
    expect(used).toBeGreaterThan(0);
    expect(used % each).toBe(0);
  });

  test('is the same whether or not anybody looks', () => {
    const neighbours = { requestsPerMinute: (atMs: number) => (atMs < 60_000 ? 0 : 90) };
    const often = shared({}, neighbours);
    for (let now = 0; now < 120_000; now += 77) often.at(now).remaining(now);
    const once = shared({}, neighbours);
    expect(once.at(120_000).remaining(120_000)).toBeCloseTo(
      often.at(120_000).remaining(120_000),
      6,
    );
    const before = shared({}, neighbours);
    expect(before.at(59_999).remaining(59_999)).toBe(100);
    expect(once.at(120_000).remaining(120_000)).toBeLessThan(100);
  });

  test('does not replay what is long forgotten', () => {
    let asked = 0;
    const neighbours = {
      requestsPerMinute: () => {
        asked++;
        return 30;
      },
    };
    shared({}, neighbours).at(3.6e9);
    expect(asked).toBeLessThan(1000);
  });

  test.each([-1, Number.NaN, Infinity])('refuses %d of them', (rate) => {
    const meter = shared({}, { requestsPerMinute: () => rate });
    expect(() => meter.at(1000)).toThrow('neighbours.requestsPerMinute');
  });
});
