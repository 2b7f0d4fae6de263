import { expect, test } from 'vitest';
import { tokenUsage } from '../../adapters/shared/token-usage.ts';

test.each([-1, 0.5, Number.NaN, '12', true, 1e300])(
  '%s is no count: unknown, and partial',
  (odd) => {
    const usage = tokenUsage({}, { input: 10, cacheRead: odd, output: 1 });
    expect(usage.inputTokens).toMatchObject({ total: 10, uncached: 10, cacheRead: undefined });
    expect(usage.grade).toBe('partial');
  },
);

test('null is not reported, which contradicts nothing', () => {
  const usage = tokenUsage({}, { input: 10, cacheRead: null, output: 1, reasoning: null });
  expect(usage).toMatchObject({ outputTokens: { total: 1, reasoning: undefined }, grade: 'exact' });
});

test('writes that live one hour are a bucket of their own', () => {
  const usage = tokenUsage({}, { uncached: 1, cacheWrite: 5, cacheWrite1h: 2, output: 1 });
  expect(usage.inputTokens).toEqual({
    total: 6,
    uncached: 1,
    cacheRead: undefined,
    cacheWrite: 3,
    cacheWrite1h: 2,
  });
});

test('an unknown total leaves the known parts alone', () => {
  const usage = tokenUsage({}, { cacheRead: 7, output: 3 });
  expect(usage).toMatchObject({
    inputTokens: { total: undefined, cacheRead: 7 },
    grade: 'partial',
  });
});

test('nothing known is graded none, with the raw object kept', () => {
  const raw = { seconds: 6 };
  expect(tokenUsage(raw, {})).toMatchObject({ grade: 'none', raw });
});
