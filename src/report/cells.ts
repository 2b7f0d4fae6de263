/** What a cell of a table or a bar of a chart can show. A bigint is money, in pico-dollars (10^-12). */
export type Cell = string | number | bigint | boolean | null | undefined;

/** Decimals that a column of money needs: cents where there are many dollars, more where there are few, or parts of cents. */
export function moneyDecimals(amounts: readonly bigint[]): number {
  const largest = amounts.map(magnitude).reduce((a, b) => (a > b ? a : b), 0n);
  if (largest >= 100n * DOLLAR) return 2;
  if (largest >= DOLLAR / 10n) return 4;
  return largest >= DOLLAR / 1_000n ? 6 : 9;
}

/** Decimals of numbers that stand together: one where they are small and not whole. */
export function numberDecimals(values: readonly number[]): number {
  const isSmallFraction = values.every((value) => Math.abs(value) < 1_000);
  return isSmallFraction && !values.every(Number.isInteger) ? 1 : 0;
}

const DOLLAR = 10n ** 12n;

const magnitude = (amount: bigint): bigint => (amount < 0n ? -amount : amount);

/** `$1,234.50`, rounded half away from zero. What is not nothing is never shown as nothing: `<$0.01`. */
export function money(pico: bigint, decimals: number): string {
  const unit = 10n ** BigInt(12 - decimals);
  const rounded = (magnitude(pico) + unit / 2n) / unit;
  const sign = pico < 0n ? '-' : '';
  if (rounded === 0n && pico !== 0n) return `${sign}<$${digits(1n, decimals)}`;
  return `${sign}$${digits(rounded, decimals)}`;
}

function digits(amount: bigint, decimals: number): string {
  const text = amount.toString().padStart(decimals + 1, '0');
  const whole = text.slice(0, text.length - decimals).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${whole}.${text.slice(text.length - decimals)}`;
}

/** `1,234`, with that many decimals. */
export function count(value: number, decimals: number): string {
  return value.toLocaleString('en', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Without what moves a cursor, turns the direction of writing or breaks a line: text of others must not. */
export function plainText(text: string): string {
  return text.replaceAll(UNPRINTABLE, '\ufffd');
}

const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Columns that a text takes in a terminal: two for wide characters and emoji. */
export function widthOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The start of a text that fits into that many columns, with an ellipsis where something is missing. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let [kept, width] = ['', 0];
  for (const { segment } of segmenter.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

const segmenter = new Intl.Segmenter('en');
const PRINTABLE_ASCII = /^[ -~]*$/;
/** Emoji, and what Unicode's East Asian Width calls wide (UAX #11, 2025-07), in its large blocks. */
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
