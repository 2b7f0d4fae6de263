import { decimal } from './decimal.ts';

/** Of pico-dollars (10^-12). */
const PLACES = 12;

/** Pico-dollars as an exact decimal string in dollars, without trailing zeros: `1250000n` is `0.00000125`. */
export function usd(pico: bigint): string {
  return decimal(pico, PLACES);
}

/**
 * An amount of a record (`"0.00000125"`) in pico-dollars, for exact sums. `undefined` for what is no decimal number or finer than
 * that: it must not be added up as if it were.
 */
export function picoDollars(text: string | null | undefined): bigint | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+?)0*)?$/.exec(text ?? '') ?? [];
  if (whole === undefined || fraction.length > PLACES) return undefined;
  const pico = BigInt(whole + fraction.padEnd(PLACES, '0'));
  return sign === '-' ? -pico : pico;
}
