import { spread } from '../statistics.ts';
import type { Result, TraceResult, TraceSum, WorkloadResult } from './measure.ts';
import { POLICIES, type Policy } from './policies.ts';
import { WORKLOADS } from './workloads/index.ts';

/** No policy may ever be further from the lower bound. */
const WORST = 1.25;
/** For all recorded conversations together. */
const TRACE_GOAL = 1.02;

/** Cost / lower bound per workload and policy: the median of the seeds, and their range. Empty without results. */
export function workloadTable(results: readonly Result[]): string {
  const all = results.filter((result) => result.kind === 'workload');
  if (all.length === 0) return '';
  const policies = POLICIES.filter((policy) => all.some((result) => result.policy === policy));
  const rows = WORKLOADS.flatMap(({ name, goal }) => {
    const own = all.filter(({ workload }) => workload === name);
    if (own.length === 0) return [];
    const ratios = policies.map((policy) => ratiosOf(own, policy));
    const ours = ratiosOf(own, 'ours');
    const verdict = ours.length === 0 ? '' : verdictOf(ours, ratiosOf(own, 'none'), goal);
    return [[name, ...ratios.map(showRange), goal.toFixed(2), verdict]];
  });
  return markdown(['workload', ...policies, 'goal', ''], rows);
}

/** The same for the recorded conversations, one column for each policy. Empty without results. */
export function traceTable(results: readonly Result[]): string {
  const all = results.filter((result) => result.kind === 'traces');
  const [first] = all;
  if (first === undefined) return '';
  const ours = all.find(({ policy }) => policy === 'ours');
  const ratio = (name: string, sum: (result: TraceResult) => TraceSum): string[] => {
    const ratios = all.map(sum).map(({ cost, bound }) => cost / bound);
    const own = ours === undefined ? undefined : sum(ours).cost / sum(ours).bound;
    const shown = ratios.map((value) => value.toFixed(3));
    return [name, ...shown, TRACE_GOAL.toFixed(2), passOrFail(own, TRACE_GOAL)];
  };
  const dearer = (sum: (result: TraceResult) => TraceSum): string[] => [
    '… dearer than unmarked',
    ...all.map((result) => String(sum(result).dearer)),
    '0',
    passOrFail(ours && sum(ours).dearer, 0),
  ];
  return markdown(
    [
      `${first.conversations} recorded, ${first.together.calls} calls`,
      ...all.map(({ policy }) => policy),
      'goal',
      '',
    ],
    [
      ratio('20 at once, one router', ({ together }) => together),
      dearer(({ together }) => together),
      ratio('each alone, a router each', ({ alone }) => alone),
      dearer(({ alone }) => alone),
    ],
  );
}

function passOrFail(figure: number | undefined, goal: number): string {
  if (figure === undefined) return '';
  return figure <= goal ? 'pass' : 'FAIL';
}

function ratiosOf(results: readonly WorkloadResult[], policy: Policy): number[] {
  return results
    .filter((result) => result.policy === policy)
    .map(({ cost, bound }) => cost / bound);
}

function showRange(ratios: readonly number[]): string {
  const median = spread(ratios).median.toFixed(2);
  const low = Math.min(...ratios).toFixed(2);
  const high = Math.max(...ratios).toFixed(2);
  return low === high ? median : `${median} (${low}-${high})`;
}

/** The goal holds for the median, the limits for every seed: never dearer than without marks, never far from the bound. */
function verdictOf(ours: readonly number[], none: readonly number[], goal: number): string {
  if (none.some((plain, index) => (ours[index] ?? 0) > plain * 1.000_001)) return 'DEARER';
  return ours.some((ratio) => ratio > WORST) ? 'FAIL' : passOrFail(spread(ours).median, goal);
}

function markdown(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
