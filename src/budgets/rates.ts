import { LRUCache } from 'lru-cache';
import type { PriceBook } from '../pricing/price-book.ts';
import type { TokenUsage } from '../types.ts';
import { picoDollars } from '../util/usd.ts';

/** The most that a token of a request may cost, in pico-dollars. */
export interface TokenRates {
  readonly input: bigint;
  /** 0 for models that bill no output. */
  readonly output: bigint;
}

export interface RatesQuery {
  /** As in `UsageRecord.provider`. */
  readonly provider: string;
  readonly model: string;
  /** As the request names it. */
  readonly serviceTier: string | undefined;
  /** More input than where the price of long contexts may begin. */
  readonly isLong: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** `undefined` where the price is not known. */
export type RatesOf = (query: RatesQuery) => TokenRates | undefined;

/** Prices for requests that are not answered yet, read from the price book once an hour and model: some are cheaper at night. */
export function createRates(prices: PriceBook): RatesOf {
  const known = new LRUCache<string, { hour: number; rates: TokenRates | undefined }>({
    max: 1000,
  });

  return function ratesOf(query) {
    const { provider, model, serviceTier = '', isLong } = query;
    const hour = Math.floor(query.at / HOUR_MS);
    const key = `${provider}\n${model}\n${serviceTier}\n${String(isLong)}`;
    let entry = known.get(key);
    if (entry?.hour !== hour) known.set(key, (entry = { hour, rates: read(query) }));
    return entry.rates;
  };

  /** Asks what so many tokens of one kind would cost. */
  function read(query: RatesQuery): TokenRates | undefined {
    const tokens = query.isLong ? MANY : FEW;
    const costOf = (usage: Omit<TokenUsage, 'grade'>): bigint | undefined => {
      const { provider, model, serviceTier, at } = query;
      const { cost } = prices.cost({
        provider,
        requestModel: model,
        serviceTier,
        at,
        usage: { ...usage, grade: 'exact' },
      });
      const total = picoDollars(cost.usd);
      return total === undefined ? undefined : total / BigInt(tokens);
    };
    const none = { total: 0 };
    const plain = costOf({ inputTokens: { total: tokens, uncached: tokens }, outputTokens: none });
    if (plain === undefined) return undefined;
    // What is written into a prompt cache may cost more than plain input.
    const written = { total: tokens, uncached: 0 };
    const writes = costOf({
      inputTokens: { ...written, cacheWrite: tokens },
      outputTokens: none,
    });
    const longWrites = costOf({
      inputTokens: { ...written, cacheWrite1h: tokens },
      outputTokens: none,
    });
    const both = costOf({
      inputTokens: { total: tokens, uncached: tokens },
      outputTokens: { total: tokens },
    });
    return {
      input: most(plain, writes, longWrites),
      output: both === undefined ? 0n : both - plain,
    };
  }
}

const HOUR_MS = 3_600_000;
/** Below where any price of long contexts begins, and above where all do: from 128,000 to 512,000 (price book, 2026-11-21). */
const FEW = 1_000;
const MANY = 1_000_000;

function most(...amounts: ReadonlyArray<bigint | undefined>): bigint {
  let largest = 0n;
  for (const amount of amounts) if (amount !== undefined && amount > largest) largest = amount;
  return largest;
}
