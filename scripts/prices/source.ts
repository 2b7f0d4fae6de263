/** Reads the price data of `@pydantic/genai-prices` (MIT) into our shape, with explicit names instead of patterns. */
import { findProvider } from '@pydantic/genai-prices';
import type { MatchLogic, ModelInfo, ModelPrice } from '@pydantic/genai-prices';

import type { ListedModel, ListedPeriod, ListedRates } from '../../src/pricing/price-list.ts';

export interface SourceModel extends ListedModel {
  id: string;
  aka: string[];
}

/** The models of one of the source's providers that have a price per token. */
export function sourceModels(providerId: string): SourceModel[] {
  const provider = findProvider({ providerId });
  if (provider === undefined) {
    throw new Error(`Expected the price source to know provider "${providerId}"; it does not.`);
  }
  return provider.models.flatMap((model) => {
    const prices = periods(model);
    if (prices.length === 0) return [];
    const borrowed = BORROWED.test(model.price_comments ?? '') ? { approximate: true } : {};
    return [{ id: trimmed(model.id), aka: namesOf(model.match), ...borrowed, prices }];
  });
}

/** How the source's comments say that a price is not the provider's own. */
const BORROWED = /imported from openrouter|seen on openrouter|trusting/i;

/**
 * The names that a pattern spells out in full. A pattern that also takes longer names gives only the name it was
 * written for: whatever follows it may be another model with another price.
 */
function namesOf(match: MatchLogic): string[] {
  if ('equals' in match) return [match.equals];
  if ('or' in match) return match.or.flatMap(namesOf);
  if ('and' in match) return match.and.flatMap(namesOf);
  if ('regex' in match) return [];
  const name = Object.values(match).at(0);
  return name !== undefined && isWholeName(name) ? [trimmed(name)] : [];
}

/** `claude-sonnet-4-2025`, `ft:gpt-4-0` and `gpt-5-nano-` are beginnings of names, not names. */
function isWholeName(name: string): boolean {
  return !/(-|-20\d\d|-20\d{6}|:gpt-4-0|flash-0)$/.test(name);
}

function trimmed(name: string): string {
  return name.replace(/[-@]+$/, '');
}

function periods(model: ModelInfo): ListedPeriod[] {
  const conditional = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  const found: ListedPeriod[] = [];
  for (const { constraint, prices } of conditional) {
    const period = periodOf(prices, model.id);
    if (period === undefined) continue;
    if (constraint === undefined) found.push(period);
    else if (constraint.type === 'start_date') {
      found.push({ from: constraint.start_date, ...period });
    } else {
      addPeak(
        found.at(-1),
        period,
        `${constraint.start_time.slice(0, 5)}-${constraint.end_time.slice(0, 5)}`,
      );
    }
  }
  return found;
}

/** A time of day narrows the latest dated price. */
function addPeak(period: ListedPeriod | undefined, rates: ListedRates, hours: string): void {
  if (period === undefined) throw new Error(`Expected a price before the one for ${hours} UTC.`);
  const utc = period.peak === undefined ? [hours] : [...period.peak.utc, hours];
  const peak = { utc, ...rates };
  if (
    period.peak !== undefined &&
    JSON.stringify({ ...period.peak, utc }) !== JSON.stringify(peak)
  ) {
    throw new Error('Expected one price for all peak hours of a model.');
  }
  period.peak = peak;
}

const KEYS = {
  input: 'input_mtok',
  cacheRead: 'cache_read_mtok',
  cacheWrite: 'cache_write_mtok',
  cacheWrite1h: 'cache_write_1h_mtok',
  output: 'output_mtok',
} as const;

function periodOf(prices: ModelPrice, modelId: string): ListedPeriod | undefined {
  // OpenRouter's `:free` variants are listed at zero; any other model without prices has an unknown one.
  if (Object.keys(prices).length === 0) {
    return modelId.endsWith(':free') ? { input: 0, output: 0 } : undefined;
  }
  const base = ratesOf(prices, (value) => (typeof value === 'number' ? value : value.base));
  if (base === undefined) return undefined;
  const starts = new Set<number>();
  const above = ratesOf(prices, (value) => {
    if (typeof value === 'number') return value;
    const [tier, ...more] = value.tiers;
    if (tier === undefined || more.length > 0) {
      throw new Error(`Expected one tier above the base price of ${modelId}.`);
    }
    starts.add(tier.start);
    return tier.price;
  });
  const [tokens, ...others] = starts;
  if (others.length > 0) throw new Error(`Expected one tier boundary for ${modelId}.`);
  if (tokens === undefined || above === undefined) return base;
  return { ...base, above: { tokens, ...above } };
}

type PriceValue = NonNullable<ModelPrice[string]>;

function ratesOf(prices: ModelPrice, pick: (value: PriceValue) => number): ListedRates | undefined {
  if (prices[KEYS.input] === undefined) return undefined;
  const rates: ListedRates = { input: 0 };
  for (const bucket of ['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'output'] as const) {
    const value = prices[KEYS[bucket]];
    if (value !== undefined) rates[bucket] = roundedToPico(pick(value));
  }
  return rates;
}

/** Six decimals of a dollar per million tokens are whole pico-dollars per token. */
export function roundedToPico(usdPerMTok: number): number {
  return Math.round(usdPerMTok * 1e6) / 1e6;
}
