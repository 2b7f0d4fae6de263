import type { SimulatedOutage } from '../../src/testing/simulate/traffic/options.ts';
import type { Priority } from '../../src/types.ts';
import type { ProcessClock } from './process-clock.ts';
import type { Scenario } from './scenario.ts';
import type { CallOutcome, Send, SendLog } from './send-log.ts';
import { amountOf, PRIORITIES, requestsPerMinute } from './workload.ts';

const MINUTE = 60_000;

/** What one run comes to. Times in seconds; unknown is `undefined`. */
export interface Figures {
  readonly calls: number;
  readonly sends: number;
  /** Calls that were answered in time. */
  readonly served: number;
  /** When the last of them was. */
  readonly lastServed: number | undefined;
  /** Work that was finished in time, in the scenario's unit. */
  readonly work: number;
  /** Of 1,000 sends: answered 429. */
  readonly refused: number;
  /** Of 1,000 sends: answered 5xx or not at all. */
  readonly faulted: number;
  /** Of 100 calls: given back to the application as an error. */
  readonly failed: number;
  /** From a call's arrival to the send that was answered; what still waits at the end counts with its age. */
  readonly waitP95: Readonly<Partial<Record<Priority, number>>>;
  /** The longest time during which calls of low priority waited and none was sent. */
  readonly lowStarved: number;
  readonly steps: readonly StepFigures[];
  readonly outages: readonly OutageFigures[];
  readonly timersPerSend: number;
  /** The most timers that one process had pending at once. */
  readonly mostTimers: number;
}

export interface StepFigures {
  readonly direction: 'down' | 'up';
  /** Until a minute begins with at most 5 % refused and 80 % of the new rate (down), or with 90 % of it (up). */
  readonly settled: number | undefined;
}

export interface OutageFigures {
  /** Sends during the outage that nobody answered. */
  readonly wasted: number;
  /** From its end to the first send that was answered. */
  readonly first: number | undefined;
  /** From its end until 5 s begin that run at 90 % of what is offered. */
  readonly recovered: number | undefined;
}

/** A run, and the timers that all processes set; a sender without processes sets none. */
export interface Played extends SendLog {
  readonly timers?: ProcessClock['timers'];
}

export function figuresOf(scenario: Scenario, { sends, outcomes, timers }: Played): Figures {
  const end = scenario.minutes * MINUTE;
  const done = outcomes.filter(({ doneAt }) => doneAt !== undefined && doneAt <= end);
  const refused = sends.filter(({ status }) => status === 429);
  const faulted = sends.filter(isFaulted);
  const failed = outcomes.filter(({ failedAt }) => failedAt !== undefined);
  const served = countIn(done.map(({ sentAt = 0 }) => sentAt));
  const turnedAway = countIn(refused.map(({ sentAt }) => sentAt));
  const perThousand = (some: readonly Send[]): number =>
    (1000 * some.length) / Math.max(1, sends.length);
  return {
    calls: outcomes.length,
    sends: sends.length,
    served: done.length,
    lastServed:
      done.length === 0 ? undefined : Math.max(...done.map(({ doneAt = 0 }) => doneAt)) / 1000,
    work: done.reduce((sum, { call }) => sum + amountOf(call, scenario.unit), 0),
    refused: perThousand(refused),
    faulted: perThousand(faulted),
    failed: (100 * failed.length) / Math.max(1, outcomes.length),
    waitP95: waitsOf(outcomes, end),
    lowStarved: starvedMs(outcomes, end) / 1000,
    steps: stepsOf(scenario).map(({ direction, ...step }) => ({
      direction,
      settled: settledAfter({ direction, ...step }, served, turnedAway),
    })),
    outages: (scenario.provider.outages ?? []).map((outage) => ({
      wasted: sends.filter((send) => send.status !== 200 && isDuring(outage, send.sentAt)).length,
      ...recovery(scenario, outage, served, done),
    })),
    timersPerSend: (timers?.set ?? 0) / Math.max(1, sends.length),
    mostTimers: timers?.mostPending ?? 0,
  };
}

function isFaulted({ status }: Send): boolean {
  return status !== undefined && (status === 0 || status >= 500);
}

function isDuring({ from, to }: SimulatedOutage, at: number): boolean {
  return from <= at && at < to;
}

function waitsOf(outcomes: readonly CallOutcome[], end: number): Figures['waitP95'] {
  const waits: Partial<Record<Priority, number>> = {};
  for (const priority of PRIORITIES) {
    const own = outcomes
      .filter(({ call, failedAt }) => call.priority === priority && failedAt === undefined)
      .map(({ call, sentAt = end }) => sentAt - call.arrivedAt)
      .toSorted((a, b) => a - b);
    const wait = own[Math.ceil(0.95 * own.length) - 1];
    if (wait !== undefined) waits[priority] = wait / 1000;
  }
  return waits;
}

function starvedMs(outcomes: readonly CallOutcome[], end: number): number {
  const events = outcomes
    .filter(({ call }) => call.priority === 'low')
    .flatMap(({ call, sentAt, failedAt }) => {
      const comes = { at: call.arrivedAt, change: 1, isServed: false };
      const leavesAt = sentAt ?? failedAt;
      return leavesAt === undefined
        ? [comes]
        : [comes, { at: leavesAt, change: -1, isServed: sentAt !== undefined }];
    })
    .toSorted((a, b) => a.at - b.at || b.change - a.change);
  let waiting = 0;
  let since = 0;
  let longest = 0;
  for (const { at, change, isServed } of events) {
    if (waiting > 0 && (isServed || waiting + change === 0)) {
      longest = Math.max(longest, at - since);
      since = at;
    }
    if (waiting === 0) since = at;
    waiting += change;
  }
  return waiting > 0 ? Math.max(longest, end - since) : longest;
}

/** A change of the limit, and how long it stays. */
interface Step {
  readonly at: number;
  readonly until: number;
  readonly perMinute: number;
  readonly direction: 'down' | 'up';
}

function stepsOf({ provider, minutes }: Scenario): readonly Step[] {
  return (provider.limits ?? []).flatMap(({ limit, schedule = [] }) =>
    schedule.map(([at, perMinute], index): Step => {
      const before = schedule[index - 1]?.[1] ?? limit;
      const until = schedule[index + 1]?.[0] ?? minutes * MINUTE;
      return { at, until, perMinute, direction: perMinute < before ? 'down' : 'up' };
    }),
  );
}

function settledAfter(
  { at, until, perMinute, direction }: Step,
  served: CountIn,
  refused: CountIn,
): number | undefined {
  for (let from = at; from + MINUTE <= until; from += 1000) {
    const good = served(from, from + MINUTE);
    const bad = refused(from, from + MINUTE);
    const isSettled =
      direction === 'down'
        ? bad <= 0.05 * (good + bad) && good >= 0.8 * perMinute
        : good >= 0.9 * perMinute;
    if (isSettled) return (from - at) / 1000;
  }
  return undefined;
}

/** How long recovery is looked for, and in which windows. */
const RECOVERY = { longestMs: 300_000, stepMs: 500, windowMs: 5000 };

function recovery(
  scenario: Scenario,
  { to }: SimulatedOutage,
  served: CountIn,
  done: readonly CallOutcome[],
): Omit<OutageFigures, 'wasted'> {
  const { longestMs, stepMs, windowMs } = RECOVERY;
  const offered = requestsPerMinute(scenario) * Math.min(1, scenario.load.share);
  const enough = (0.9 * offered * windowMs) / MINUTE;
  const after = done.map(({ sentAt = 0 }) => sentAt).filter((at) => at >= to);
  const first = after.length === 0 ? undefined : (Math.min(...after) - to) / 1000;
  for (let ms = 0; ms < longestMs; ms += stepMs) {
    if (served(to + ms, to + ms + windowMs) >= enough) return { first, recovered: ms / 1000 };
  }
  return { first, recovered: undefined };
}

/** How many times lie in [from, to). */
type CountIn = (from: number, to: number) => number;

function countIn(times: readonly number[]): CountIn {
  const sorted = times.toSorted((a, b) => a - b);
  const before = (limit: number): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? Infinity) < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return (from, to) => before(to) - before(from);
}
