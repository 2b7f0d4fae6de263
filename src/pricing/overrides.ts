import { z } from 'zod';

import type { ListedPeriod } from './price-list.ts';
import { priceModel } from './rates.ts';
import type { PricedModel } from './rates.ts';

/** A price in US dollars per million tokens, with at most six decimals. A string keeps the decimals as written. */
export type UsdPerMTok = string | number;

/**
 * A price of your own: for models the built-in list does not know, for your own servers, or for negotiated rates. It
 * goes before the built-in price of the same model.
 */
export interface PriceOverride {
  /** As in `UsageRecord.provider`. Default: every provider. */
  provider?: string | undefined;
  /** The model as the provider answers it or as the call asks for it; dated snapshots of it have the price too. */
  model: string;
  /** First day of the price, `YYYY-MM-DD`, UTC. Default: always. Before it, the built-in price applies. */
  validFrom?: string | undefined;
  inputUsdPerMTok: UsdPerMTok;
  /** Reasoning included. `0` for models that bill no output. */
  outputUsdPerMTok: UsdPerMTok;
  /** Default: as plain input. */
  cacheReadUsdPerMTok?: UsdPerMTok | undefined;
  /** Writes with the provider's default lifetime. Default: as plain input. */
  cacheWriteUsdPerMTok?: UsdPerMTok | undefined;
  /** Writes that live for one hour. Default: as other writes. */
  cacheWrite1hUsdPerMTok?: UsdPerMTok | undefined;
}

export type PriceOverrides = readonly PriceOverride[];

const EXPECTED_PRICE =
  'expected US dollars per million tokens: 0 or more, below a million, at most six decimals';

const price = z
  .union([z.string(), z.number()])
  .refine((value) => isPrice(value), { error: EXPECTED_PRICE });

export const priceOverridesSchema: z.ZodType<PriceOverrides> = z
  .array(
    z.strictObject({
      provider: z.string().min(1).optional(),
      model: z.string().min(1),
      validFrom: z.iso.date().optional(),
      inputUsdPerMTok: price,
      outputUsdPerMTok: price,
      cacheReadUsdPerMTok: price.optional(),
      cacheWriteUsdPerMTok: price.optional(),
      cacheWrite1hUsdPerMTok: price.optional(),
    }),
  )
  .readonly();

/** Finds the override for a model; one for its provider goes before one for all. */
export type FindOverride = (provider: string, model: string) => PricedModel | undefined;

export function compileOverrides(overrides: PriceOverrides): FindOverride {
  const periods = new Map<string, ListedPeriod[]>();
  for (const override of overrides) {
    const key = keyOf(override.provider ?? '', override.model);
    const known = periods.get(key);
    if (known === undefined) periods.set(key, [periodOf(override)]);
    else known.push(periodOf(override));
  }
  const models = new Map([...periods].map(([key, prices]) => [key, priceModel({ prices })]));
  return (provider, model) => models.get(keyOf(provider, model)) ?? models.get(keyOf('', model));
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`;
}

function periodOf(override: PriceOverride): ListedPeriod {
  const input = Number(override.inputUsdPerMTok);
  const cacheWrite = Number(override.cacheWriteUsdPerMTok ?? input);
  return {
    from: override.validFrom,
    input,
    cacheRead: Number(override.cacheReadUsdPerMTok ?? input),
    cacheWrite,
    cacheWrite1h: Number(override.cacheWrite1hUsdPerMTok ?? cacheWrite),
    output: Number(override.outputUsdPerMTok),
  };
}

function isPrice(value: string | number): boolean {
  return /^\d{1,6}(\.\d{1,6})?$/.test(typeof value === 'string' ? value : plainDecimal(value));
}

/** Numbers below 1e-6 print with an exponent; more than six decimals show up as such. */
function plainDecimal(value: number): string {
  return Number.isFinite(value) && value === Number(value.toFixed(6))
    ? value.toFixed(6)
    : String(value);
}
