import type { CachePrices, CacheResult } from './types.ts';

interface PriceRow {
  /** Matches the names of the models it holds for. */
  readonly models: RegExp;
  readonly prices: CachePrices;
}

const claude = (read: number): CachePrices => ({ read, write5m: 1.25, write1h: 2, write: 1 });
const withFee = (read: number): CachePrices => ({ read, write5m: 1, write1h: 1, write: 1.25 });
const noFee = (read: number): CachePrices => ({ read, write5m: 1, write1h: 1, write: 1 });

/**
 * Prices relative to plain input; the first row that matches holds. Anthropic: pricing page, 2026-08-22, reads per model as
 * reported since 2026-09-01. OpenAI: prompt caching guide, 2026-10-02; what 12 hours cost is not known and taken for the price of
 * half an hour. DeepSeek and Gemini: the discount of nine tenths that is typical of them.
 */
const CACHE_PRICES: readonly PriceRow[] = [
  { models: /claude.*(fable|mythos)-5[-.]1(?!\d)/, prices: claude(0.025) },
  { models: /claude.*opus-5[-.]5(?!\d)/, prices: claude(0.05) },
  { models: /claude/, prices: claude(0.1) },
  { models: /gpt-6\.1-sol/, prices: withFee(0.05) },
  { models: /gpt-(5\.([6-9]|\d\d)|[6-9](?!\d))/, prices: withFee(0.1) },
  { models: /gpt-5/, prices: noFee(0.1) },
  { models: /gpt-4\.1|(^|\/)o3/, prices: noFee(0.25) },
  { models: /gpt-4o/, prices: noFee(0.5) },
  { models: /deepseek|gemini/, prices: noFee(0.1) },
];

/** The prices of a model; `undefined` where nothing is known. */
export function cachePrices(model: string): CachePrices | undefined {
  return CACHE_PRICES.find(({ models }) => models.test(model))?.prices;
}

/** What a request's input costs, in tokens at the plain input price. */
export function relativeCost(result: CacheResult, prices: CachePrices): number {
  return (
    result.uncached +
    result.read * prices.read +
    result.write5m * prices.write5m +
    result.write1h * prices.write1h +
    result.write * prices.write
  );
}
