import type { Cost, TokenUsage } from '../types.ts';
import { cost, totalInput } from './cost.ts';
import { listedModels } from './listed-models.ts';
import type { FindListed } from './listed-models.ts';
import { nameForms } from './model-names.ts';
import { compileOverrides } from './overrides.ts';
import type { FindOverride, PriceOverrides } from './overrides.ts';
import type { PriceList } from './price-list.ts';
import type { Quote, RateQuery } from './rates.ts';
import { relativePrices } from './relative.ts';
import type { RelativePrices } from './relative.ts';
import prices from './prices.json' with { type: 'json' };
import { hasOtherCharges, serviceTerms } from './service-terms.ts';
import { usd } from '../util/usd.ts';

export interface PriceQuery {
  /** As in `UsageRecord.provider`. */
  provider: string;
  /** The model that the provider says answered. */
  model?: string | undefined;
  /** The model that was asked for. */
  requestModel?: string | undefined;
  /** Milliseconds since the epoch. */
  at: number;
  /** As the provider reports it. */
  serviceTier?: string | undefined;
  /** Something beside the tokens is billed, so that the price is `approximate`. */
  hasOtherCharges?: boolean | undefined;
  usage: TokenUsage;
}

export interface PriceBook {
  /**
   * What one answer cost. `usd` is `null`, and `price` `unpriced`, when there is no price for the model, when nothing
   * is known of the usage, or when a billed bucket is not known; the parts that are known stand beside it. `saved`
   * compares with the same tokens as plain input: reads save, writes may cost more, so it can be negative.
   */
  cost(query: PriceQuery): { cost: Cost; saved: { cacheUsd?: string } };
  /**
   * What reads and writes of the prompt cache cost against plain input, before a call is sent. Standard tier, short context;
   * `undefined` when there is no price for the model.
   */
  relative(query: RelativeQuery): RelativePrices | undefined;
}

interface RelativeQuery {
  /** As in `UsageRecord.provider`. */
  provider: string;
  /** The model asked for. */
  model: string;
  /** Milliseconds since the epoch. */
  at: number;
}

const LIST: PriceList = prices;

/** The built-in price list with `overrides` before it. Each provider's part is read at its first call. */
export function createPriceBook(overrides: PriceOverrides = []): PriceBook {
  const findOverride = overrides.length === 0 ? undefined : compileOverrides(overrides);
  const findListed = listedModels(LIST);
  return {
    cost: (query) => priced(query, findOverride, findListed),
    relative({ provider, model, at }) {
      const rateQuery = { at, inputTokens: 0, terms: [] };
      const quote =
        (findOverride && quoteOverride(provider, [model], findOverride, rateQuery)) ??
        quoteListed(provider, [model], findListed, rateQuery);
      return quote && relativePrices(quote.rates);
    },
  };
}

const UNPRICED: Cost = { usd: null, price: 'unpriced' };

function priced(
  query: PriceQuery,
  findOverride: FindOverride | undefined,
  findListed: FindListed,
): { cost: Cost; saved: { cacheUsd?: string } } {
  const { provider, usage } = query;
  if (usage.grade === 'none') return { cost: UNPRICED, saved: {} };
  const terms = serviceTerms(provider, query.serviceTier, usage);
  const rateQuery = { at: query.at, inputTokens: totalInput(usage), terms };
  const names = namesToPrice(query);
  const quote =
    (findOverride && quoteOverride(provider, names, findOverride, rateQuery)) ??
    quoteListed(provider, names, findListed, rateQuery);
  if (quote === undefined) return { cost: UNPRICED, saved: {} };

  const parts = cost(usage, quote.rates);
  const approximate =
    quote.approximate ||
    parts.approximate ||
    usage.grade !== 'exact' ||
    query.hasOtherCharges === true ||
    hasOtherCharges(usage);
  const total = parts.total;
  return {
    cost: {
      usd: total === undefined ? null : usd(total),
      inputUsd: optionalUsd(parts.input),
      cacheReadUsd: optionalUsd(parts.cacheRead),
      cacheWriteUsd: optionalUsd(parts.cacheWrite),
      outputUsd: optionalUsd(parts.output),
      price: total === undefined ? 'unpriced' : approximate ? 'approximate' : 'exact',
      priceDate: quote.from,
    },
    saved: parts.saved === undefined ? {} : { cacheUsd: usd(parts.saved) },
  };
}

/**
 * The model that answered sets the price, and the one asked for only when it is unknown. Bedrock bills by the profile
 * in the request (`us.anthropic.…`), which its answers do not repeat.
 */
function namesToPrice({ provider, model, requestModel }: PriceQuery): string[] {
  const names = provider === 'aws.bedrock' ? [requestModel, model] : [model, requestModel];
  return names.filter((name): name is string => name !== undefined && name !== '');
}

function quoteOverride(
  provider: string,
  names: readonly string[],
  find: FindOverride,
  query: RateQuery,
): Quote | undefined {
  for (const name of names) {
    for (const form of nameForms(provider, name)) {
      const quote = find(provider, form.name)?.quote(query);
      if (quote === undefined) continue;
      return form.exact ? quote : { ...quote, approximate: true };
    }
  }
  return undefined;
}

function quoteListed(
  provider: string,
  names: readonly string[],
  find: FindListed,
  query: RateQuery,
): Quote | undefined {
  for (const [index, name] of names.entries()) {
    const listed = find(provider, name);
    const quote = listed?.model.quote(query);
    if (listed === undefined || quote === undefined) continue;
    return {
      rates: quote.rates,
      from: quote.from ?? LIST.date,
      approximate: quote.approximate || !listed.exact || index > 0,
    };
  }
  return undefined;
}

function optionalUsd(pico: bigint | undefined): string | undefined {
  return pico === undefined ? undefined : usd(pico);
}
