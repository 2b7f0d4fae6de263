/**
 * An amount of a record (`"0.00000125"`) in pico-dollars (10^-12), for exact sums. `undefined` for what is no decimal number or finer
 * than that: it must not be added up as if it were.
 */
export function picoDollars(usd: string | null | undefined): bigint | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+?)0*)?$/.exec(usd ?? '') ?? [];
  if (whole === undefined || fraction.length > DECIMALS) return undefined;
  const pico = BigInt(whole + fraction.padEnd(DECIMALS, '0'));
  return sign === '-' ? -pico : pico;
}

const DECIMALS = 12;
