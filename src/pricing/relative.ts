import type { Rates } from './rates.ts';

/** What input costs, for decisions that compare ways to send it. */
export interface RelativePrices {
  /** Pico-dollars per plain input token, a whole number. */
  readonly inputPico: number;
  /** Prices of a token relative to a plain one. Absent: not listed, or plain input is free. */
  readonly read?: number | undefined;
  /** Written with the provider's default lifetime. */
  readonly write?: number | undefined;
  /** Written for one hour. */
  readonly write1h?: number | undefined;
}

export function relativePrices(rates: Rates): RelativePrices {
  const { input, cacheRead, cacheWrite, cacheWrite1h } = rates;
  const relative = (rate: number | undefined): number | undefined =>
    rate === undefined || input === 0 ? undefined : rate / input;
  return {
    inputPico: input,
    read: relative(cacheRead),
    write: relative(cacheWrite),
    write1h: relative(cacheWrite1h),
  };
}
