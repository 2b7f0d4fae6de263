import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { ClientName } from './clients/index.ts';
import { goalsOf, type Goal } from './goals.ts';
import type { CellResult } from './measure.ts';
import { pairedRatio, spread } from './statistics.ts';

/** Where and when a run took place. */
export interface Environment {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly loadAverage: { readonly before: number; readonly after: number };
}

/** @param loadBefore the machine's load average when the run began. */
export function environment(loadBefore: number): Environment {
  const names = ['undici', 'openai', '@anthropic-ai/sdk'];
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: `${cpus().length} x ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
    node: `${process.version} (its own undici ${process.versions['undici']})`,
    versions: Object.fromEntries(names.map((name) => [name, versionOf(name)])),
    loadAverage: { before: loadBefore, after: loadavg()[0]! },
  };
}

/** Against whom a client is compared. */
function referenceOf(name: ClientName): ClientName {
  switch (name) {
    case 'openai + router':
      return 'openai';
    case '@anthropic-ai/sdk + router':
      return '@anthropic-ai/sdk';
    default:
      return 'undici.request';
  }
}

/** All figures as text: a table for each group, then the goals. */
export function tables(results: readonly CellResult[], about: Environment): string {
  const { date, machine, node, versions, loadAverage } = about;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date} UTC, Node ${node}, ${packages.join(', ')}`,
    `${machine}, load average ${loadAverage.before.toFixed(1)} before, ${loadAverage.after.toFixed(1)} after`,
    ...GROUPS.map(({ group, title }) => {
      const own = results.filter(({ cell }) => cell.group === group);
      return own.length === 0 ? '' : `\n## ${title}\n\n${tableOf(own)}`;
    }),
    `\n## Goals\n\n${goalTable(goalsOf(results))}`,
  ].join('\n');
}

/** The same as data, every round of it. */
export function asJson(results: readonly CellResult[], about: Environment): unknown {
  return {
    ...about,
    cells: results.map(({ cell: { clients: _clients, ...cell }, cpuUs }) => ({
      ...cell,
      cpuUs: Object.fromEntries(cpuUs),
    })),
    goals: goalsOf(results),
  };
}

const GROUPS = [
  { group: 'whole', title: 'Whole answers over loopback: CPU us per call' },
  { group: 'stream', title: 'Streams over loopback: CPU us per chunk' },
  { group: 'null', title: 'No sockets: CPU us per call, per frame' },
] as const;

function tableOf(results: readonly CellResult[]): string {
  const clients = results[0]!.cell.clients;
  const rows = clients.map((name) => [
    name,
    ...results.map(({ cpuUs }) => {
      const own = cpuUs.get(name)!;
      const { median } = spread(own);
      const reference = referenceOf(name);
      if (reference === name || name === 'bare') return digits(median);
      return `${digits(median)} (${pairedRatio(own, cpuUs.get(reference)!).median.toFixed(2)}x)`;
    }),
    referenceOf(name) === name ? '' : referenceOf(name),
  ]);
  return markdown(['client', ...results.map(({ cell }) => cell.title), 'x of'], rows);
}

function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, unit, limit, end, figure, isMet }) => {
    const show = (value: number): string => `${digits(value)} ${unit}`;
    return [
      what,
      show(figure.median),
      `${digits(figure.low)} to ${digits(figure.high)}`,
      show(limit),
      isMet ? 'pass' : 'FAIL',
      show(end),
      figure.median <= end ? 'pass' : 'not yet',
    ];
  });
  const head = ['figure', 'median', 'half of the rounds', 'goal', '', 'end goal', ''];
  return markdown(head, rows);
}

function markdown(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function digits(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
