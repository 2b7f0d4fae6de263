import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createPriceBook } from '../../src/pricing/price-book.ts';
import { relativePrices } from '../../src/pricing/relative.ts';

const book = createPriceBook();
const NOW = Date.parse('2026-10-01T12:00:00Z');

describe('prices relative to plain input', () => {
  test('are the ratios of the listed ones, with the base price as a whole number', () => {
    expect(book.relative({ provider: 'anthropic', model: 'claude-opus-5-5', at: NOW })).toEqual({
      inputPico: 4_000_000,
      read: 0.05,
      write: 1.25,
      write1h: 2,
    });
    expect(
      book.relative({ provider: 'anthropic', model: 'claude-fable-5-1', at: NOW })?.read,
    ).toBeCloseTo(0.025, 12);
    expect(book.relative({ provider: 'openai', model: 'gpt-6-sol', at: NOW })).toMatchObject({
      inputPico: 2_000_000,
      write: 1.25,
      write1h: undefined,
    });
  });

  test('are found under the names that Bedrock and snapshots have', () => {
    const bedrock = 'us.anthropic.claude-opus-4-5-20251101-v1:0';
    expect(book.relative({ provider: 'aws.bedrock', model: bedrock, at: NOW })?.inputPico).toBe(
      5_500_000,
    );
    expect(
      book.relative({ provider: 'openai', model: 'gpt-4o-2024-08-06', at: NOW })?.read,
    ).toBeCloseTo(0.5, 12);
  });

  test('follow the day', () => {
    const at = (day: string) =>
      book.relative({ provider: 'openai', model: 'gpt-5.6-sol', at: Date.parse(day) });
    expect(at('2026-08-01')?.inputPico).toBe(5_000_000);
    expect(at('2026-09-01')?.inputPico).toBe(4_000_000);
  });

  test('leave out what is not listed, and say nothing of a model without a price', () => {
    const embedding = { provider: 'openai', model: 'text-embedding-3-small', at: NOW };
    expect(book.relative(embedding)).toEqual({
      inputPico: 20_000,
      read: undefined,
      write: undefined,
      write1h: undefined,
    });
    expect(book.relative({ provider: 'openai', model: 'no-such-model', at: NOW })).toBeUndefined();
    expect(book.relative({ provider: 'nobody', model: 'gpt-4o', at: NOW })).toBeUndefined();
  });

  test('take a price of your own first, whose cache is priced as plain input by default', () => {
    const own = createPriceBook([
      { model: 'gpt-4o', inputUsdPerMTok: '3', outputUsdPerMTok: '9', cacheReadUsdPerMTok: '0.3' },
    ]);
    const found = own.relative({ provider: 'openai', model: 'gpt-4o-2024-08-06', at: NOW });
    expect(found).toEqual({ inputPico: 3_000_000, read: 0.1, write: 1, write1h: 1 });
  });

  test('have no ratio to a price of zero', () => {
    expect(relativePrices({ input: 0, cacheRead: 5 })).toEqual({
      inputPico: 0,
      read: undefined,
      write: undefined,
      write1h: undefined,
    });
  });

  test('give the listed prices back when multiplied with the base price', () => {
    const pico = fc.integer({ min: 1, max: 1_000_000_000 });
    fc.assert(
      fc.property(pico, pico, pico, (input, cacheRead, cacheWrite) => {
        const { inputPico, read = 0, write = 0 } = relativePrices({ input, cacheRead, cacheWrite });
        expect(Math.round(read * inputPico)).toBe(cacheRead);
        expect(Math.round(write * inputPico)).toBe(cacheWrite);
      }),
    );
  });
});
