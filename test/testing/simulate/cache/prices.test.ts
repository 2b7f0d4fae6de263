import { describe, expect, it } from 'vitest';
import { cachePrices, relativeCost } from '../../../../src/testing/simulate/cache/index.ts';

describe('cachePrices', () => {
  it.each([
    ['claude-sonnet-4-5', 0.1, 1.25, 2, 1],
    ['us.anthropic.claude-opus-5-5-v1:0', 0.05, 1.25, 2, 1],
    ['claude-fable-5-1', 0.025, 1.25, 2, 1],
    ['claude-fable-5', 0.1, 1.25, 2, 1],
    ['gpt-5.6-sol', 0.1, 1, 1, 1.25],
    ['gpt-6', 0.1, 1, 1, 1.25],
    ['gpt-6.1-sol', 0.05, 1, 1, 1.25],
    ['gpt-5.5', 0.1, 1, 1, 1],
    ['gpt-4.1-mini', 0.25, 1, 1, 1],
    ['o3', 0.25, 1, 1, 1],
    ['gpt-4o', 0.5, 1, 1, 1],
    ['deepseek-v4-pro', 0.1, 1, 1, 1],
    ['gemini-3-pro', 0.1, 1, 1, 1],
  ])('%s', (model, read, write5m, write1h, write) => {
    expect(cachePrices(model)).toEqual({ read, write5m, write1h, write });
  });

  it('knows nothing of other models', () => {
    expect(cachePrices('mistral-large')).toBeUndefined();
    expect(cachePrices('gpt-35-turbo')).toBeUndefined();
  });

  it('weighs the buckets of a result', () => {
    const result = { total: 31, read: 10, write5m: 4, write1h: 5, write: 4, uncached: 8 };
    expect(relativeCost(result, { read: 0.1, write5m: 1.25, write1h: 2, write: 1.5 })).toBe(30);
  });
});
