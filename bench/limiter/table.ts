import type { Figures } from './figures.ts';
import type { Result } from './measure.ts';
import type { Scenario } from './scenario.ts';
import { HERDS, SCENARIOS } from './scenarios/index.ts';
import { SENDERS, type SenderName } from './senders.ts';
import { PRIORITIES } from './workload.ts';

/** The runs of one sender on one scenario, one for each seed, beside those of the oracle. */
interface Cell {
  readonly runs: readonly Figures[];
  /** Work done for each that the oracle did, by seed. */
  readonly goodput: readonly number[];
}

/** Every table that the results fill, each with its heading. */
export function report(results: readonly Result[]): string {
  const tables = [
    ['Goodput in % of the oracle / 429s per 1,000 sends', throughput(results)],
    ['Calls given back as an error, %', compared(results, failures)],
    [
      'The router, in seconds: p95 of the wait, and what low priority has to go through',
      waits(results),
    ],
    ['Seconds until a changed limit is kept to: down / up', compared(results, steps)],
    [
      'Outages: sends wasted / seconds to the first answer / to 90 % of the rate',
      compared(results, outages),
    ],
    ['Herds: calls answered, sends wasted, seconds', herds(results)],
  ] as const;
  return tables
    .filter(([, table]) => table !== '')
    .map(([title, table]) => `${title}\n\n${table}`)
    .join('\n\n');
}

function throughput(results: readonly Result[]): string {
  const show = ({ runs, goodput }: Cell): string =>
    `${percent(mean(goodput))} / ${rate(mean(runs.map(({ refused }) => refused)))}`;
  return compared(results, show, ['goal', ''], ({ goal, name }) => {
    const { runs, goodput } = cellOf(results, name, 'ours');
    const isMet =
      100 * mean(goodput) >= goal.goodput &&
      mean(runs.map(({ refused }) => refused)) <= goal.refused;
    const verdict = isMet ? 'pass' : 'FAIL';
    return [`${goal.goodput} / ${goal.refused}`, runs.length === 0 ? '' : verdict];
  });
}

function failures({ runs }: Cell): string {
  return rate(mean(runs.map(({ failed }) => failed)));
}

function steps({ runs }: Cell): string | undefined {
  const [first] = runs;
  if (first === undefined || first.steps.length === 0) return undefined;
  return first.steps
    .map((_, index) => seconds(median(runs.map((run) => run.steps[index]?.settled ?? Infinity))))
    .join(' / ');
}

function outages({ runs }: Cell): string | undefined {
  const all = runs.flatMap(({ outages }) => outages);
  if (all.length === 0) return undefined;
  const wasted = median(all.map((outage) => outage.wasted));
  const first = median(all.map((outage) => outage.first ?? Infinity));
  const recovered = median(all.map((outage) => outage.recovered ?? Infinity));
  return `${wasted} / ${seconds(first)} / ${seconds(recovered)}`;
}

/** One row for each scenario of which any sender has something to show. */
function compared(
  results: readonly Result[],
  show: (cell: Cell) => string | undefined,
  moreTitles: readonly string[] = [],
  more: (scenario: Scenario) => readonly string[] = () => [],
): string {
  const senders = SENDERS.filter((sender) => results.some((result) => result.sender === sender));
  const rows = SCENARIOS.flatMap((scenario) => {
    const cells = senders.map((sender) => cellOf(results, scenario.name, sender));
    const shown = cells.map((cell) => (cell.runs.length === 0 ? undefined : show(cell)));
    if (shown.every((text) => text === undefined)) return [];
    return [[scenario.name, ...shown.map((text) => text ?? ''), ...more(scenario)]];
  });
  return rows.length === 0 ? '' : markdown(['scenario', ...senders, ...moreTitles], rows);
}

function waits(results: readonly Result[]): string {
  const rows = SCENARIOS.flatMap(({ name }) => {
    const { runs } = cellOf(results, name, 'ours');
    const oracle = figuresOf(results, name, 'oracle');
    if (runs.length === 0) return [];
    const p95 = (some: readonly Figures[], priority: (typeof PRIORITIES)[number]): string =>
      seconds(median(some.map(({ waitP95 }) => waitP95[priority] ?? 0)));
    return [
      [
        name,
        p95(oracle, 'urgent'),
        ...PRIORITIES.map((priority) => p95(runs, priority)),
        seconds(median(runs.map(({ lowStarved }) => lowStarved))),
        rate(mean(runs.map(({ faulted }) => faulted))),
        mean(runs.map(({ timersPerSend }) => timersPerSend)).toFixed(1),
      ],
    ];
  });
  const head = ['scenario', 'oracle, urgent', ...PRIORITIES, 'low waits, none sent'];
  return rows.length === 0 ? '' : markdown([...head, '5xx per 1,000', 'timers per send'], rows);
}

function herds(results: readonly Result[]): string {
  const rows = HERDS.flatMap(({ name }) =>
    SENDERS.flatMap((sender) => {
      const runs = figuresOf(results, name, sender);
      if (runs.length === 0) return [];
      const served = median(runs.map((run) => run.served));
      const calls = median(runs.map((run) => run.calls));
      const wasted = median(runs.map((run) => run.sends - run.served));
      const last = median(runs.map((run) => run.lastServed ?? Infinity));
      return [[name, sender, `${served} of ${calls}`, String(wasted), seconds(last)]];
    }),
  );
  return rows.length === 0
    ? ''
    : markdown(['herd', 'sender', 'answered', 'wasted', 'last answer'], rows);
}

function figuresOf(
  results: readonly Result[],
  scenario: string,
  sender: SenderName | 'oracle',
): readonly Figures[] {
  return results
    .filter((result) => result.scenario === scenario && result.sender === sender)
    .toSorted((a, b) => a.seed - b.seed)
    .map(({ figures }) => figures);
}

function cellOf(results: readonly Result[], scenario: string, sender: SenderName): Cell {
  const runs = figuresOf(results, scenario, sender);
  const oracle = figuresOf(results, scenario, 'oracle');
  return { runs, goodput: runs.map(({ work }, seed) => work / (oracle[seed]?.work ?? Number.NaN)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The lower one of the two in the middle: one of the values, also where some are infinite. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** Rounded down: a goal that is just missed does not look met. */
function percent(share: number): string {
  return String(Math.floor(100 * share));
}

function rate(value: number): string {
  return value === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
}

function seconds(value: number): string {
  if (value === Infinity) return 'never';
  return value === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
}

function markdown(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
