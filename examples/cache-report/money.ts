/** Amounts as whole pico-dollars, because sums of fractions would not come out even, and how people read them. */

const DECIMALS = 12;

/** Of a decimal in US dollars, as records have it. */
export function picoDollars(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.');
  const pico = BigInt(whole + fraction.padEnd(DECIMALS, '0'));
  return amount.startsWith('-') ? -pico : pico;
}

/** Cents where there are many dollars, a hundredth of a cent where there are few: `$12.35`, `$0.0421`, `-$0.0007`. */
export function dollars(pico: bigint): string {
  const amount = Number(pico < 0n ? -pico : pico) / 10 ** DECIMALS;
  const digits = amount >= 10 ? 2 : amount >= 1 ? 3 : 4;
  const text = amount.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${pico < 0n ? '-' : ''}$${text}`;
}

/** `part` of `whole`, in per cent without decimals, and with a space that does not break. */
export function percent(part: number | bigint, whole: number | bigint): string {
  const share = Number(part) / Number(whole);
  return Number.isFinite(share) ? `${Math.round(share * 100)}\u00A0%` : '-';
}

export function count(tokens: number): string {
  return tokens.toLocaleString('en');
}
