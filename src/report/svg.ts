import { count, money, moneyDecimals, numberDecimals, plainText } from './cells.ts';

/** What a chart shows: a bigint is money, in pico-dollars (10^-12); `null` is not known. */
export type ChartValue = number | bigint | null;

export interface ChartText {
  title: string;
  /** For those who do not see the picture. Default: the values in words. */
  description?: string | undefined;
}

/** In pixels. */
export const TITLE_HEIGHT = 40;
export const MARGIN = 16;

/** Distinct for those who see no difference of red and green (Okabe and Ito, 2008), on light paper and on dark. */
const LIGHT = ['#0072b2', '#b34700', '#007a5a', '#a04080', '#8a6d00', '#3a6ea5', '#57606a'];
const DARK = ['#56b4e9', '#ff9d57', '#2fc79a', '#e58ec2', '#e6c34a', '#9cc4f0', '#a8b1bb'];
export const COLORS: number = LIGHT.length;

/** A whole picture: its own paper, its texts, and what is drawn. */
export function svg(
  text: ChartText,
  words: string,
  size: { readonly width: number; readonly height: number },
  drawn: readonly string[],
): string {
  const { title, description = words } = text;
  const { width, height } = size;
  // Several pictures may stand in one page.
  const id = `chart-${hash(`${title} ${description} ${drawn.join('')}`)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" id="${id}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" style="max-width:100%;height:auto" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${escaped(title)}</title>
<desc id="${id}-desc">${escaped(description)}</desc>
<style>${style(`#${id}`)}</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="heading" x="${MARGIN}" y="26">${escaped(title)}</text>
${drawn.join('\n')}
</svg>
`;
}

/** Every rule names the picture, so that it changes nothing around it. */
function style(id: string): string {
  const rules = (lines: readonly string[]): string =>
    lines.map((line) => `${id} ${line}`).join('\n');
  const colors = (palette: readonly string[]): string[] =>
    palette.flatMap((color, i) => [`.fill-${i}{fill:${color}}`, `.line-${i}{stroke:${color}}`]);
  return `
${rules([
  'text{font:12px system-ui,sans-serif;fill:#24292f}',
  '.heading{font-size:15px;font-weight:600}',
  '.dim{fill:#57606a}',
  '.paper{fill:#ffffff}',
  '.grid{stroke:#d8dee4;stroke-width:1}',
  '.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}',
  ...colors(LIGHT),
])}
@media (prefers-color-scheme:dark){
${rules([
  'text{fill:#e6edf3}',
  '.dim{fill:#9da7b1}',
  '.paper{fill:#0d1117}',
  '.grid{stroke:#30363d}',
  ...colors(DARK),
])}
}
`;
}

export function escaped(text: string): string {
  return plainText(text).replaceAll(
    /[&<>"'\ufffe\uffff]/g,
    (character) => ESCAPES[character] ?? '\ufffd',
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** FNV-1a. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(36);
}

/** How the values of one chart are written, all alike. */
export function labeller(values: readonly ChartValue[]): (value: ChartValue) => string {
  const decimals = moneyDecimals(values.filter((value) => typeof value === 'bigint'));
  const digits = numberDecimals(values.filter((value) => typeof value === 'number'));
  return (value) => {
    if (value === null) return 'not known';
    return typeof value === 'bigint' ? money(value, decimals) : count(value, digits);
  };
}

/** For where it is drawn. Nothing that is counted is larger or finer than this. */
export function position(value: ChartValue): number {
  const number = Number(value ?? 0);
  return Math.abs(number) >= 1e-9 ? Math.max(-MAX, Math.min(MAX, number)) : 0;
}

const MAX = 1e21;

/** One decimal is enough for a pixel. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
