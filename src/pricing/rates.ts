import type { ListedModel, ListedPeriod, ListedRates, ListedServices } from './price-list.ts';

/** Pico-dollars per token (1 USD = 1e12), whole numbers. */
export interface Rates {
  readonly input: number;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly cacheWrite1h?: number | undefined;
  readonly output?: number | undefined;
}

/** The rates that apply to one call. */
export interface Quote {
  readonly rates: Rates;
  /** First day of the price; absent when the list does not know it. */
  readonly from?: string | undefined;
  /** The call was billed in a way for which no price is listed; the nearest one was taken. */
  readonly approximate: boolean;
}

export interface RateQuery {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Input tokens of the whole request, cached ones included. */
  readonly inputTokens: number;
  /** Service terms as `service-terms.ts` names them. */
  readonly terms: readonly string[];
}

/** A model's prices, ready for look-ups. */
export interface PricedModel {
  quote(query: RateQuery): Quote | undefined;
}

/** A dollar per million tokens is a million pico-dollars per token. */
const PICO_PER_USD_PER_MTOK = 1_000_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

interface Period {
  readonly fromMs: number;
  readonly from: string | undefined;
  readonly rates: Rates;
  readonly above: { readonly tokens: number; readonly rates: Rates } | undefined;
  readonly peak: { readonly hours: readonly Hours[]; readonly rates: Rates } | undefined;
}

interface Hours {
  readonly startMs: number;
  readonly endMs: number;
}

/** `providerServices` hold for every model of the provider that has no entry of its own for a term. */
export function priceModel(
  model: Pick<ListedModel, 'prices' | 'services'>,
  providerServices?: ListedServices,
): PricedModel {
  const periods = model.prices.map(readPeriod).toSorted((a, b) => a.fromMs - b.fromMs);
  const services = new Map(Object.entries({ ...providerServices, ...model.services }));
  return {
    quote({ at, inputTokens, terms }) {
      const period = periods.findLast(({ fromMs }) => fromMs <= at);
      if (period === undefined) return undefined;
      const { above, peak, from } = period;
      const long = above !== undefined && inputTokens > above.tokens;
      let rates = period.rates;
      if (long) rates = above.rates;
      else if (peak !== undefined && within(peak.hours, at)) rates = peak.rates;
      let approximate = false;
      for (const term of terms) {
        const service = services.get(term);
        if (typeof service === 'number') rates = scaled(rates, service);
        else if (service !== undefined && !long) rates = readRates(service);
        else if (!FREE_TERMS.has(term)) approximate = true;
      }
      return { rates, from, approximate };
    },
  };
}

/** Terms that cost nothing on models without an entry for them: older Claude models ignore `inference_geo`. */
const FREE_TERMS: ReadonlySet<string> = new Set(['inference_geo:us']);

function readPeriod(period: ListedPeriod): Period {
  const { from, above, peak } = period;
  return {
    fromMs: from === undefined ? -Infinity : Date.parse(from),
    from,
    rates: readRates(period),
    above: above && { tokens: above.tokens, rates: readRates(above) },
    peak: peak && { hours: peak.utc.map(readHours), rates: readRates(peak) },
  };
}

function readRates(listed: ListedRates): Rates {
  return {
    input: toPico(listed.input),
    cacheRead: optionalPico(listed.cacheRead),
    cacheWrite: optionalPico(listed.cacheWrite),
    cacheWrite1h: optionalPico(listed.cacheWrite1h),
    output: optionalPico(listed.output),
  };
}

function scaled(rates: Rates, factor: number): Rates {
  const scale = (rate: number | undefined): number | undefined =>
    rate === undefined ? undefined : Math.round(rate * factor);
  return {
    input: Math.round(rates.input * factor),
    cacheRead: scale(rates.cacheRead),
    cacheWrite: scale(rates.cacheWrite),
    cacheWrite1h: scale(rates.cacheWrite1h),
    output: scale(rates.output),
  };
}

function toPico(usdPerMTok: number): number {
  return Math.round(usdPerMTok * PICO_PER_USD_PER_MTOK);
}

function optionalPico(usdPerMTok: number | undefined): number | undefined {
  return usdPerMTok === undefined ? undefined : toPico(usdPerMTok);
}

/** `01:00-04:00`. */
function readHours(text: string): Hours {
  return { startMs: timeOfDay(text.slice(0, 5)), endMs: timeOfDay(text.slice(6)) };
}

function timeOfDay(text: string): number {
  return (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * MINUTE_MS;
}

function within(hours: readonly Hours[], at: number): boolean {
  const time = ((at % DAY_MS) + DAY_MS) % DAY_MS;
  return hours.some(({ startMs, endMs }) => startMs <= time && time < endMs);
}
