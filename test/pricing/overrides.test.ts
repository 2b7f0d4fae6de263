import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { priceOverridesSchema } from '../../src/pricing/overrides.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';
import type { PriceQuery } from '../../src/pricing/price-book.ts';

const at = Date.parse('2026-10-01T12:00:00Z');
const call = (query: Partial<PriceQuery>): PriceQuery => ({
  provider: 'local.example',
  model: 'my-model',
  at,
  usage: { inputTokens: { total: 1_000_000 }, outputTokens: { total: 1_000_000 }, grade: 'exact' },
  ...query,
});
const mine = { model: 'my-model', inputUsdPerMTok: '0.25', outputUsdPerMTok: 1 };

describe('price overrides', () => {
  test('price models that no list knows', () => {
    const { cost } = createPriceBook([mine]).cost(call({}));
    expect(cost).toMatchObject({ usd: '1.25', price: 'exact' });
    expect(cost.priceDate).toBeUndefined();
  });

  test('go before the built-in price, for snapshots too', () => {
    const book = createPriceBook([{ ...mine, provider: 'openai', model: 'gpt-4o' }]);
    const query = { provider: 'openai', model: 'gpt-4o-2024-08-06' };
    expect(book.cost(call(query)).cost.usd).toBe('1.25');
    expect(createPriceBook().cost(call(query)).cost.usd).toBe('12.5');
  });

  test('hold for one provider or for all, the narrower first', () => {
    const book = createPriceBook([
      mine,
      { ...mine, provider: 'azure.ai.openai', inputUsdPerMTok: 9 },
    ]);
    expect(book.cost(call({ provider: 'azure.ai.openai' })).cost.usd).toBe('10');
    expect(book.cost(call({ provider: 'other' })).cost.usd).toBe('1.25');
  });

  test('match the deployment that was asked for', () => {
    const book = createPriceBook([{ ...mine, model: 'my-deployment' }]);
    const { cost } = book.cost(
      call({ provider: 'azure.ai.openai', model: 'gpt-4o', requestModel: 'my-deployment' }),
    );
    expect(cost).toMatchObject({ usd: '1.25', price: 'exact' });
  });

  test('apply from their day on, the latest one that has begun', () => {
    const book = createPriceBook([
      { ...mine, validFrom: '2026-10-01' },
      { ...mine, validFrom: '2026-09-01', inputUsdPerMTok: 7 },
    ]);
    expect(book.cost(call({ at })).cost).toMatchObject({ usd: '1.25', priceDate: '2026-10-01' });
    const before = Date.parse('2026-09-30T23:59:59.999Z');
    expect(book.cost(call({ at: before })).cost).toMatchObject({
      usd: '8',
      priceDate: '2026-09-01',
    });
    const never = Date.parse('2026-08-31T00:00:00Z');
    expect(book.cost(call({ at: never })).cost).toEqual({ usd: null, price: 'unpriced' });
  });

  test('price cache tokens as plain input unless they say otherwise', () => {
    const usage: PriceQuery['usage'] = {
      inputTokens: { uncached: 0, cacheRead: 1e6, cacheWrite: 1e6, cacheWrite1h: 1e6 },
      outputTokens: { total: 0 },
      grade: 'exact',
    };
    const plain = createPriceBook([mine]).cost(call({ usage }));
    expect(plain.cost).toMatchObject({ usd: '0.75', price: 'exact' });
    const priced = createPriceBook([
      { ...mine, cacheReadUsdPerMTok: 0.025, cacheWriteUsdPerMTok: 0.3125 },
    ]).cost(call({ usage }));
    expect(priced.cost).toMatchObject({ cacheReadUsd: '0.025', cacheWriteUsd: '0.625' });
    expect(priced.saved.cacheUsd).toBe('0.1');
  });

  test('take every digit of a decimal string', () => {
    const book = createPriceBook([{ ...mine, inputUsdPerMTok: '0.000001', outputUsdPerMTok: '0' }]);
    const usage: PriceQuery['usage'] = {
      inputTokens: { total: 1 },
      outputTokens: { total: 5 },
      grade: 'exact',
    };
    expect(book.cost(call({ usage })).cost.usd).toBe('0.000000000001');
  });

  test.each([
    ['a misspelt member', { ...mine, inputUsdPerMtok: 1 }],
    ['a missing price', { model: 'my-model', inputUsdPerMTok: 1 }],
    ['a negative price', { ...mine, inputUsdPerMTok: -1 }],
    ['a price that is no number', { ...mine, inputUsdPerMTok: '1,5' }],
    ['NaN', { ...mine, inputUsdPerMTok: Number.NaN }],
    ['more decimals than a pico-dollar holds', { ...mine, inputUsdPerMTok: 0.0000001 }],
    ['a price in dollars per token', { ...mine, inputUsdPerMTok: '3e-6' }],
    ['a day that does not exist', { ...mine, validFrom: '2026-02-30' }],
    ['an empty model', { ...mine, model: '' }],
  ])('are refused with %s', (_, override) => {
    const result = priceOverridesSchema.safeParse([override]);
    expect(result.success).toBe(false);
  });

  test('are refused with a message that says what was expected', () => {
    const result = priceOverridesSchema.safeParse([{ ...mine, inputUsdPerMTok: '-1' }]);
    expect(z.prettifyError(result.error ?? new z.ZodError([]))).toContain(
      'US dollars per million tokens',
    );
  });

  test.each([0, 0.1, 3, '3', '3.75', 0.000001, '999999.999999'])('take %s as a price', (value) => {
    expect(priceOverridesSchema.parse([{ ...mine, inputUsdPerMTok: value }])).toHaveLength(1);
  });
});
