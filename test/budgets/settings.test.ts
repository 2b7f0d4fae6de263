import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { budgetsSchema, budgetSettings, type BudgetRule } from '../../src/budgets/settings.ts';

const day = { window: 'day' } as const;

describe('rules', () => {
  test.each<[readonly BudgetRule[]]>([
    [[]],
    [[{ ...day, maxUsd: 0 }]],
    [[{ ...day, maxUsd: '0.000000000001', maxTokens: 0 }]],
    [[{ window: { ms: 1 }, maxTokens: 1, per: ['tenant', 'user', 'key', 'model', 'provider'] }]],
    [[{ window: 'month', maxUsd: 1e9, per: ['tag:team'], whenExceeded: 'report' }]],
    [[{ ...day, maxUsd: 1, match: { provider: 'openai', model: 'gpt-*', key: 'abcd1234' } }]],
    [[{ ...day, maxUsd: 1, match: { tenant: 'a', user: 'b', tag: { team: '' } } }]],
    [[{ ...day, maxUsd: 1, unpriced: { inputUsdPerMTok: 0, outputUsdPerMTok: '1.000001' } }]],
    [[{ ...day, maxUsd: 1, unpriced: 'reject', clampMaxTokens: true, maxWaitMs: 0, name: 'x' }]],
  ])('%j is taken', (given) => {
    expect(budgetsSchema.parse(given)).toEqual(given);
  });

  test.each([
    [{}],
    [[{}]],
    [[day]],
    [[{ maxUsd: 1 }]],
    [[{ window: 'week', maxUsd: 1 }]],
    [[{ window: { ms: 0 }, maxUsd: 1 }]],
    [[{ window: { ms: 1.5 }, maxUsd: 1 }]],
    [[{ ...day, maxUsd: -1 }]],
    [[{ ...day, maxUsd: '1e3' }]],
    [[{ ...day, maxUsd: '5 USD' }]],
    [[{ ...day, maxUsd: '0.0000000000001' }]],
    [[{ ...day, maxUsd: 1_000_000_000.01 }]],
    [[{ ...day, maxUsd: Number.NaN }]],
    [[{ ...day, maxTokens: 1.5 }]],
    [[{ ...day, maxUsd: 1, per: ['session'] }]],
    [[{ ...day, maxUsd: 1, per: ['tag:'] }]],
    [[{ ...day, maxUsd: 1, per: 'tenant' }]],
    [[{ ...day, maxUsd: 1, whenExceeded: 'warn' }]],
    [[{ ...day, maxUsd: 1, unpriced: 'free' }]],
    [[{ ...day, maxUsd: 1, unpriced: { inputUsdPerMTok: 1 } }]],
    [[{ ...day, maxUsd: 1, unpriced: { inputUsdPerMTok: 1, outputUsdPerMTok: '0.0000001' } }]],
    [[{ ...day, maxUsd: 1, match: { model: 'a*b' } }]],
    [[{ ...day, maxUsd: 1, maxWaitMs: -1 }]],
    [[{ ...day, maxUsd: 1, limit: 1 }]],
    [
      [
        { ...day, maxUsd: 1, name: 'a' },
        { window: 'month', maxUsd: 9, name: 'a' },
      ],
    ],
    [
      [
        { ...day, maxUsd: 1, name: 'budgets[1]' },
        { ...day, maxTokens: 1 },
      ],
    ],
  ])('%j is refused', (given) => {
    expect(() => budgetsSchema.parse(given)).toThrow(ZodError);
  });
});

test.each([
  [5, 5_000_000_000_000n],
  ['5', 5_000_000_000_000n],
  [0.1, 100_000_000_000n],
  ['0.000000000001', 1n],
  [1e-7, 100_000n],
  [1e-12, 1n],
  [123456789.123456, 123_456_789_123_456_000_000n],
  [1e9, 10n ** 21n],
])('%s dollars are exact', (maxUsd, pico) => {
  expect(budgetSettings({ ...day, maxUsd }).maxUsd).toBe(pico);
});

test('a price of a million tokens is one of a token', () => {
  const unpriced = { inputUsdPerMTok: '0.000001', outputUsdPerMTok: 2.5 };
  expect(budgetSettings({ ...day, maxUsd: 1, unpriced }).fallback).toEqual({
    input: 1n,
    output: 2_500_000n,
  });
});
