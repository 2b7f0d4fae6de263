import { expect, test, vi } from 'vitest';
import { createRates, type RatesQuery } from '../../src/budgets/rates.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';

const at = Date.UTC(2026, 10, 21);
const query = (parts: Partial<RatesQuery>): RatesQuery => ({
  provider: 'anthropic',
  model: 'claude-sonnet-4-5',
  serviceTier: undefined,
  isLong: false,
  at,
  ...parts,
});

test('the most that a token may cost: writes of an hour, long contexts, priority', () => {
  const ratesOf = createRates(createPriceBook());
  expect(ratesOf(query({}))).toEqual({ input: 6_000_000n, output: 15_000_000n });
  expect(ratesOf(query({ isLong: true }))).toEqual({ input: 12_000_000n, output: 22_500_000n });
  const openai = query({ provider: 'openai', model: 'gpt-5.6-sol' });
  expect(ratesOf(openai)).toEqual({ input: 5_000_000n, output: 20_000_000n });
  expect(ratesOf({ ...openai, serviceTier: 'priority' })).toEqual({
    input: 10_000_000n,
    output: 40_000_000n,
  });
  expect(ratesOf(query({ provider: 'openai', model: 'text-embedding-3-small' }))).toEqual({
    input: 20_000n,
    output: 0n,
  });
  expect(ratesOf(query({ model: 'nobody-knows' }))).toBeUndefined();
});

test('the book is asked once an hour', () => {
  const book = createPriceBook();
  const cost = vi.spyOn(book, 'cost');
  const ratesOf = createRates(book);
  ratesOf(query({}));
  const { length } = cost.mock.calls;
  expect(length).toBeGreaterThan(0);
  ratesOf(query({ at: at + 3_599_999 }));
  expect(cost.mock.calls).toHaveLength(length);
  ratesOf(query({ at: at + 3_600_000 }));
  expect(cost.mock.calls).toHaveLength(length * 2);
});
