import type { Result, Trace } from './measure.ts';
import { scenarioNamed } from './scenarios/index.ts';
import type { SenderName } from './senders.ts';

/** What is drawn: a limit that nobody announces falls to a third, and comes back. */
export const CHARTED = 'hidden, bucket, steps';

const DRAWN: ReadonlyArray<readonly [SenderName, string]> = [
  ['ours', 'this router, told nothing'],
  ['adr009', 'strategy adr009, told 60 a minute'],
  ['aimd', 'strategy aimd'],
  ['SDK, 8 retries', 'no router: 8 retries of the SDK'],
];

const MINUTE = 60_000;
/** Rates are those of the last 30 s, looked at every 10 s. */
const WINDOW_MS = 30_000;
const SAMPLE_MS = 10_000;

/** Sizes in pixels. The top of a panel is this many requests a minute; what is above is cut off and said in words. */
const TOP = 100;
const LEFT = 52;
const PANEL = { width: 700, height: 120, gap: 44 };
const HEAD = 64;

/** A panel for each sender: the limit, and what was answered and refused a minute. */
export function chart(results: readonly Result[]): string {
  const panels = DRAWN.flatMap(([sender, title]) => {
    const trace = results.find(
      (result) => result.scenario === CHARTED && result.sender === sender && result.trace,
    )?.trace;
    return trace === undefined ? [] : [{ title, trace }];
  });
  const width = LEFT + PANEL.width + 40;
  const height = HEAD + panels.length * (PANEL.height + PANEL.gap) + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">Requests answered and refused a minute, by sender, while a provider's limit goes from 60 to 20 and back</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="heading" x="${LEFT}" y="22">A limit that nobody announces: 60 requests a minute, 20, and 60 again</text>
${legend(LEFT, 46)}
${panels.map(({ title, trace }, index) => panel(title, trace, HEAD + index * (PANEL.height + PANEL.gap))).join('\n')}
</svg>
`;
}

/** Readable in light and dark: it brings its own paper. */
const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.heading { font-size: 15px; font-weight: 600; }
.name { font-weight: 600; }
.paper { fill: #ffffff; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.limit { stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
.served { stroke: #0969da; stroke-width: 2; fill: none; }
.refused { stroke: none; fill: #cf222e; fill-opacity: 0.45; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .paper { fill: #0d1117; }
  .grid { stroke: #30363d; }
  .limit { stroke: #8b949e; }
  .served { stroke: #58a6ff; }
  .refused { fill: #ff7b72; }
}
`;

function legend(x: number, y: number): string {
  return [
    `<line class="limit" x1="${x}" x2="${x + 26}" y1="${y - 4}" y2="${y - 4}"/>`,
    `<text x="${x + 32}" y="${y}">limit</text>`,
    `<line class="served" x1="${x + 90}" x2="${x + 116}" y1="${y - 4}" y2="${y - 4}"/>`,
    `<text x="${x + 122}" y="${y}">answered a minute</text>`,
    `<rect class="refused" x="${x + 252}" y="${y - 10}" width="26" height="11"/>`,
    `<text x="${x + 284}" y="${y}">refused a minute (429)</text>`,
  ].join('\n');
}

function panel(title: string, { served, refused }: Trace, top: number): string {
  const { minutes } = scenarioNamed(CHARTED);
  const xOf = (at: number): number => LEFT + (at / (minutes * MINUTE)) * PANEL.width;
  const yOf = (rate: number): number =>
    top + 22 + (1 - Math.min(rate, TOP) / TOP) * (PANEL.height - 22);
  const answers = rates(served, minutes);
  const refusals = rates(refused, minutes);
  const points = (samples: readonly Sample[]): string =>
    samples.map(({ at, rate }) => `${round(xOf(at))},${round(yOf(rate))}`).join(' ');
  const bottom = round(yOf(0));
  const peak = Math.max(...refusals.map(({ rate }) => rate));
  const cut = peak > TOP ? `: up to ${peak} a minute refused` : '';
  const levels = [0, 20, 60, TOP].map(
    (rate) =>
      `<line class="grid" x1="${LEFT}" x2="${LEFT + PANEL.width}" y1="${round(yOf(rate))}" y2="${round(yOf(rate))}"/>` +
      `<text x="${LEFT - 8}" y="${round(yOf(rate) + 4)}" text-anchor="end">${rate}</text>`,
  );
  const times = Array.from({ length: minutes / 6 + 1 }, (_, index) => {
    const minute = index * 6;
    const label = minute === minutes ? `${minute} min` : String(minute);
    return `<text x="${round(xOf(minute * MINUTE))}" y="${bottom + 16}" text-anchor="middle">${label}</text>`;
  });
  return [
    `<text class="name" x="${LEFT}" y="${top + 14}">${title}${cut}</text>`,
    ...levels,
    `<polygon class="refused" points="${xOf(0)},${bottom} ${points(refusals)} ${xOf(minutes * MINUTE)},${bottom}"/>`,
    `<polyline class="limit" points="${points(limitOf(minutes))}"/>`,
    `<polyline class="served" points="${points(answers)}"/>`,
    ...times,
    `<text transform="translate(14 ${round(yOf(TOP / 2))}) rotate(-90)" text-anchor="middle">a minute</text>`,
  ].join('\n');
}

interface Sample {
  readonly at: number;
  /** A minute. */
  readonly rate: number;
}

function rates(times: readonly number[], minutes: number): Sample[] {
  const samples: Sample[] = [];
  let from = 0;
  let to = 0;
  for (let at = SAMPLE_MS; at <= minutes * MINUTE; at += SAMPLE_MS) {
    while ((times[to] ?? Infinity) <= at) to++;
    while ((times[from] ?? Infinity) <= at - WINDOW_MS) from++;
    samples.push({ at, rate: Math.round(((to - from) * MINUTE) / Math.min(at, WINDOW_MS)) });
  }
  return samples;
}

/** The limit as a line with corners. */
function limitOf(minutes: number): Sample[] {
  const [limit] = scenarioNamed(CHARTED).provider.limits ?? [];
  if (limit === undefined) return [];
  const samples: Sample[] = [{ at: 0, rate: limit.limit }];
  let rate = limit.limit;
  for (const [at, next] of limit.schedule ?? []) {
    samples.push({ at, rate }, { at, rate: next });
    rate = next;
  }
  return [...samples, { at: minutes * MINUTE, rate }];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
