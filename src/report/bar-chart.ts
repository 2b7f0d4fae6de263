import { fit, widthOf } from './cells.ts';
import { escaped, labeller, MARGIN, position, px, svg, TITLE_HEIGHT } from './svg.ts';
import type { ChartText, ChartValue } from './svg.ts';

export interface Bar {
  readonly label: string;
  readonly value: ChartValue;
}

export interface BarChartOptions extends ChartText {
  bars: readonly Bar[];
  /** In pixels, at least 240. Default 720. */
  width?: number | undefined;
}

const ROW = 26;
const BAR = 16;
/** Of one character, on the average. */
const CHARACTER = 7;
const MAX_LABEL = 30;

/**
 * Bars from the left, one under the other, each with its label and its value, as an SVG picture. It brings its own colors for light
 * and dark, and says in words what it shows. Values below 0 are written and not drawn.
 */
export function barChartSvg({ bars, width: wanted = 720, ...text }: BarChartOptions): string {
  const width = Math.max(240, wanted);
  const label = labeller(bars.map(({ value }) => value));
  const rows = bars.map(({ label: name, value }) => ({
    name: fit(name, MAX_LABEL),
    words: label(value),
    size: Math.max(0, position(value)),
  }));
  const widest = (texts: readonly string[]): number =>
    texts.reduce((most, each) => Math.max(most, widthOf(each)), 0) * CHARACTER;
  const from = MARGIN + Math.min(widest(rows.map(({ name }) => name)), width / 3) + 10;
  const room = Math.max(20, width - from - widest(rows.map(({ words }) => words)) - MARGIN - 8);
  const largest = rows.reduce((most, { size }) => Math.max(most, size), 0);
  const drawn = rows.map(({ name, words, size }, index) => {
    const y = TITLE_HEIGHT + index * ROW;
    const long = largest === 0 ? 0 : Math.max((room * size) / largest, size > 0 ? 1 : 0);
    return [
      `<text x="${px(from - 10)}" y="${y + 17}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="fill-0" x="${px(from)}" y="${y + 5}" width="${px(long)}" height="${BAR}" rx="2"/>`,
      `<text class="dim" x="${px(from + long + 8)}" y="${y + 17}">${escaped(words)}</text>`,
    ].join('');
  });
  if (bars.length === 0) {
    drawn.push(`<text class="dim" x="${MARGIN}" y="${TITLE_HEIGHT + 17}">nothing</text>`);
  }
  const said = rows.map(({ name, words }) => `${name}: ${words}`).join('; ');
  const height = TITLE_HEIGHT + Math.max(1, bars.length) * ROW + MARGIN;
  return svg(text, said === '' ? 'nothing' : said, { width, height }, drawn);
}
