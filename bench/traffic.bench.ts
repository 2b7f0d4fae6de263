/**
 * What it costs to decide when a call is sent, while nothing has to wait and while 100,000 calls do.
 *
 *     node --expose-gc --conditions=@tokenrouter/source bench/traffic.bench.ts [--smoke]
 *
 * - `dedupe + schedule + limit`: a router's whole pipeline against the same without them, over an answer from memory. One call
 *   at a time, with the headers of a provider that tells its limits.
 * - Peers wrap a function that does nothing, against calling it. They know no answers, tokens, accounts or models.
 * - Queues: everybody comes, then everybody goes. Each caller has a promise, whoever makes it.
 *
 * CPU time of the process. Candidates take turns in slices of some milliseconds, every other round runs backwards, and what is
 * reported is the median of the differences within a round.
 */
import { parseArgs } from 'node:util';
import Bottleneck from 'bottleneck';
import PQueue from 'p-queue';
import { benchRequest } from './inputs/requests.ts';
import { pairedDifference, spread, type Spread } from './statistics.ts';
import { benchPipeline, CHAT_URL } from './traffic/pipeline.ts';
import { places, WAITING_ROOMS, type WaitingRoom } from './traffic/queues.ts';

const { values } = parseArgs({ options: { smoke: { type: 'boolean', default: false } } });
const EFFORT = values.smoke
  ? { rounds: 1, calls: 100, warmUps: 1, waiting: 2000, queueRounds: 1 }
  : { rounds: 101, calls: 500, warmUps: 20, waiting: 100_000, queueRounds: 5 };
/** Microseconds that the three stages may take of a call. */
const GOAL_US = 6;
const STAGES = ['dedupe', 'schedule', 'limit'];

const { gc } = globalThis;
if (gc === undefined) throw new Error('Run it with --expose-gc.');

type Candidates = Readonly<Record<string, () => Promise<unknown>>>;

/** Microseconds of CPU time a call, round by round. */
async function slices(
  candidates: Candidates,
  calls = EFFORT.calls,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const names = Object.keys(candidates);
  const times = new Map(names.map((name): [string, number[]] => [name, []]));
  for (let round = -EFFORT.warmUps; round < EFFORT.rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const call = candidates[name]!;
      // Only the young generation: a full collection throws compiled code away as well.
      gc?.({ type: 'minor' });
      const before = process.cpuUsage();
      for (let index = 0; index < calls; index++) {
        await call();
        // A loop of promises never leaves the microtask queue, and nothing is collected until it does.
        if (index % 16 === 0) await new Promise((resolve) => void setImmediate(resolve));
      }
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) times.get(name)!.push((user + system) / calls);
    }
  }
  return times;
}

async function measureStages(): Promise<void> {
  const { chat } = benchRequest(2);
  const all = benchPipeline([]);
  const without = benchPipeline(STAGES);
  const dedupe = benchPipeline(['schedule', 'limit']);
  // A permit that schedule takes is given back by limit.
  const turns = benchPipeline(['dedupe']);
  const init = (temperature: number): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
    body: JSON.stringify({ ...chat, temperature }),
  });
  const shared = init(0);
  const single = init(1);
  const through = (fetch: typeof globalThis.fetch, request: RequestInit) => async () => {
    const response = await fetch(CHAT_URL, request);
    await response.text();
    if (!response.ok) throw new Error(`A call was answered ${response.status}.`);
  };
  const times = await slices({
    without: through(without.fetch, single),
    'may not share': through(all.fetch, single),
    'may share': through(all.fetch, shared),
    'only dedupe': through(dedupe.fetch, single),
    'only schedule + limit': through(turns.fetch, single),
  });
  for (const pipeline of [all, without, dedupe, turns]) pipeline.close();
  const reference = times.get('without')!;
  print(
    ['pipeline', 'CPU us a call', 'more than without', 'half of the rounds', 'goal', ''],
    [...times].map(([name, own]) => {
      if (own === reference) return [name, us(spread(own).median), '', '', '', ''];
      const more = pairedDifference(own, reference);
      const goal = name.startsWith('may') ? [String(GOAL_US), verdict(more)] : ['', ''];
      return [name, us(spread(own).median), us(more.median), range(more), ...goal];
    }),
  );
}

async function measurePeers(): Promise<void> {
  const nothing = async (): Promise<number> => 1;
  const queue = new PQueue({ concurrency: Infinity });
  const capped = new PQueue({ concurrency: Infinity, interval: 1000, intervalCap: 1e9 });
  const limiter = new Bottleneck({ minTime: 0, reservoir: 1e9 });
  const groups = [
    await slices({
      nothing,
      'p-queue': () => queue.add(nothing),
      'p-queue, intervalCap': () => capped.add(nothing),
    }),
    // Every call waits for several timers of 0 ms.
    await slices({ nothing, 'bottleneck, reservoir': () => limiter.schedule(nothing) }, 20),
  ];
  const rows = groups.flatMap((times) =>
    [...times].slice(1).map(([name, own]) => {
      const more = pairedDifference(own, times.get('nothing')!);
      return [name, us(spread(own).median), us(more.median), range(more)];
    }),
  );
  print(['peer', 'CPU us a call', 'more than nothing', 'half of the rounds'], rows);
}

interface Stay {
  readonly comingUs: number;
  readonly goingUs: number;
  readonly bytes: number;
}

async function stay(room: WaitingRoom, count: number): Promise<Stay> {
  const callers = places(count);
  const over: Array<Promise<void>> = [];
  await collect();
  const heap = process.memoryUsage().heapUsed;
  const before = process.cpuUsage();
  for (const caller of callers) over.push(room.wait(caller));
  await room.settled();
  const coming = process.cpuUsage(before);
  await collect();
  const bytes = process.memoryUsage().heapUsed - heap;
  const between = process.cpuUsage();
  room.open();
  await Promise.all(over);
  const going = process.cpuUsage(between);
  const each = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / count;
  return { comingUs: each(coming), goingUs: each(going), bytes: bytes / count };
}

/** What is only weakly held goes in the second collection. */
async function collect(): Promise<void> {
  for (let time = 0; time < 2; time++) {
    await new Promise((resolve) => void setImmediate(resolve));
    gc?.();
  }
}

async function measureQueues(): Promise<void> {
  const rows: string[][] = [];
  for (const { name, make, most = Infinity } of WAITING_ROOMS) {
    const count = Math.min(EFFORT.waiting, most);
    const stays: Stay[] = [];
    for (let round = 0; round < EFFORT.queueRounds; round++) stays.push(await stay(make(), count));
    const median = (part: (one: Stay) => number): number => spread(stays.map(part)).median;
    rows.push([
      name,
      count.toLocaleString('en'),
      us(median(({ comingUs }) => comingUs)),
      us(median(({ goingUs }) => goingUs)),
      us(median(({ comingUs, goingUs }) => comingUs + goingUs)),
      median(({ bytes }) => bytes).toFixed(0),
    ]);
  }
  print(['queue', 'wait', 'us to come', 'us to go', 'together', 'bytes a call'], rows);
}

function verdict({ median }: Spread): string {
  return median <= GOAL_US ? 'pass' : 'FAIL';
}

function range({ low, high }: Spread): string {
  return `${us(low)} to ${us(high)}`;
}

function us(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

function print(head: readonly string[], rows: ReadonlyArray<readonly string[]>): void {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  console.log(
    [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line), ''].join('\n'),
  );
}

console.log(
  `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, Node ${process.version}\n`,
);
await measureStages();
await measurePeers();
await measureQueues();
