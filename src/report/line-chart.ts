import { count, fit, money, widthOf } from './cells.ts';
import { COLORS, escaped, labeller, MARGIN, position, px, svg, TITLE_HEIGHT } from './svg.ts';
import type { ChartText, ChartValue } from './svg.ts';

export interface LineSeries {
  readonly name: string;
  /** One for each label; `null` or missing leaves a gap. */
  readonly values: readonly ChartValue[];
}

export interface LineChartOptions extends ChartText {
  /** Below the line, from left to right: days. */
  labels: readonly string[];
  series: readonly LineSeries[];
  /** In pixels, at least 240. Default 720. */
  width?: number | undefined;
}

const HEIGHT = 220;
const LEGEND_ROW = 20;
const CHARACTER = 7;

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * A line for each series over the same labels, from 0 up, as an SVG picture. It brings its own colors for light and dark; lines
 * differ by their dashes too. It says in words what it shows. Values below 0 are drawn as 0.
 */
export function lineChartSvg(options: LineChartOptions): string {
  const { labels, series, width: wanted = 720, ...text } = options;
  const width = Math.max(240, wanted);
  const values = series.flatMap((each) => each.values);
  const isMoney = values.some((value) => typeof value === 'bigint');
  const largest = values.reduce<number>((most, value) => Math.max(most, position(value)), 0);
  const ticks = ticksTo(largest, isMoney);
  const legend = legendOf(series, width);
  const widest = (texts: readonly string[]): number =>
    texts.reduce((most, each) => Math.max(most, widthOf(each)), 0) * CHARACTER;
  const left = MARGIN + 8 + widest(ticks.map(({ label }) => label));
  const right = width - MARGIN - Math.min(widest(labels) / 2, 60);
  const top = TITLE_HEIGHT + legend.height + 8;
  const frame: Frame = { left, right, top, bottom: top + HEIGHT };
  const highest = ticks.at(-1)?.at ?? 1;
  const y = (value: number): number =>
    frame.bottom - (Math.max(0, value) / highest) * (frame.bottom - frame.top);
  const grid = ticks.map(
    ({ at, label }) =>
      `<line class="grid" x1="${px(left)}" x2="${px(frame.right)}" y1="${px(y(at))}" y2="${px(y(at))}"/>` +
      `<text class="dim" x="${px(left - 8)}" y="${px(y(at) + 4)}" text-anchor="end">${label}</text>`,
  );
  const lines = series.map((each, index) => seriesPath(each, index, labels.length, frame, y));
  return svg(text, wordsOf(series, labels), { width, height: frame.bottom + 40 }, [
    ...legend.drawn,
    ...grid,
    ...axis(labels, frame),
    ...lines,
  ]);
}

function x(index: number, count: number, { left, right }: Frame): number {
  return count <= 1 ? (left + right) / 2 : left + ((right - left) * index) / (count - 1);
}

/** A dot where a value stands alone, which as a line would have no length. */
function seriesPath(
  { values }: LineSeries,
  index: number,
  count: number,
  frame: Frame,
  y: (value: number) => number,
): string {
  let path = '';
  const dots: string[] = [];
  for (let at = 0; at < count; at++) {
    const value = values[at];
    if (value == null) continue;
    const [left, top] = [px(x(at, count, frame)), px(y(position(value)))];
    const follows = at > 0 && values[at - 1] != null;
    path += `${follows ? 'L' : 'M'}${left} ${top}`;
    const isAlone = !follows && values[at + 1] == null;
    if (isAlone || at === count - 1) {
      dots.push(`<circle class="fill-${index % COLORS}" cx="${left}" cy="${top}" r="3"/>`);
    }
  }
  return `<path class="line line-${index % COLORS}" d="${path}"${dashes(index)}/>${dots.join('')}`;
}

const DASHES = ['', '7 4', '2 4', '9 3 2 3'];

function dashes(index: number): string {
  const pattern = DASHES[index % DASHES.length];
  return pattern === '' ? '' : ` stroke-dasharray="${pattern}"`;
}

/** As many of the labels as have room: the first, and then one every `step`. */
function axis(labels: readonly string[], frame: Frame): string[] {
  const widest = labels.reduce((most, each) => Math.max(most, widthOf(each)), 1) * CHARACTER + 16;
  const fitting = Math.max(1, Math.floor((frame.right - frame.left) / widest));
  const step = Math.max(1, Math.ceil(labels.length / fitting));
  return labels.flatMap((each, index) => {
    if (index % step !== 0) return [];
    const left = px(x(index, labels.length, frame));
    return [
      `<text class="dim" x="${left}" y="${frame.bottom + 20}" text-anchor="middle">${escaped(each)}</text>`,
    ];
  });
}

function legendOf(
  series: readonly LineSeries[],
  width: number,
): { readonly height: number; readonly drawn: readonly string[] } {
  let [left, row] = [MARGIN, 0];
  const drawn = series.map(({ name }, index) => {
    const shown = fit(name, 30);
    const needed = 34 + widthOf(shown) * CHARACTER + 18;
    if (left > MARGIN && left + needed > width) [left, row] = [MARGIN, row + 1];
    const y = TITLE_HEIGHT + 8 + row * LEGEND_ROW;
    const entry =
      `<path class="line line-${index % COLORS}" d="M${px(left)} ${y}h26"${dashes(index)}/>` +
      `<text x="${px(left + 34)}" y="${y + 4}">${escaped(shown)}</text>`;
    left += needed;
    return entry;
  });
  return { height: series.length === 0 ? 0 : (row + 1) * LEGEND_ROW, drawn };
}

interface Tick {
  readonly at: number;
  readonly label: string;
}

/** From 0 to the first round number that nothing exceeds, in at most five steps. */
function ticksTo(largest: number, isMoney: boolean): Tick[] {
  const least = largest > 0 ? largest / 5 : isMoney ? 1e12 : 1;
  const exponent = Math.floor(Math.log10(least));
  const power = 10 ** exponent;
  const factor = [1, 2, 5].find((each) => each * power >= least) ?? 10;
  const step = factor * power;
  const decimals = Math.max(0, -Math.floor(Math.log10(isMoney ? step / 1e12 : step)));
  return Array.from({ length: Math.max(1, Math.ceil(largest / step)) + 1 }, (_, index) => {
    const at = index * step;
    const label = isMoney
      ? money(BigInt(Math.round(at)), Math.min(12, Math.max(2, decimals)))
      : count(at, Math.min(decimals, 9));
    return { at, label };
  });
}

/** Not every value: that would be read aloud for minutes. */
function wordsOf(series: readonly LineSeries[], labels: readonly string[]): string {
  const said = series.map(({ name, values }) => {
    const label = labeller(values);
    let largest: { readonly value: ChartValue; readonly at: number } | undefined;
    for (const [at, value] of values.slice(0, labels.length).entries()) {
      if (value === null) continue;
      if (largest === undefined || position(value) > position(largest.value))
        largest = { value, at };
    }
    if (largest === undefined) return `${name}: not known`;
    return `${name}: at most ${label(largest.value)} (${labels[largest.at] ?? ''})`;
  });
  const ends = labels.length === 0 ? 'nothing' : `${labels[0] ?? ''} to ${labels.at(-1) ?? ''}`;
  return [ends, ...said].join('; ');
}
