import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/schedule/fair-queue.ts';
import type { FairQueue } from '../../src/schedule/types.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import type { Priority } from '../../src/types.ts';
import { testCall, type TestCall } from './test-call.ts';

const AGING_MS = 5000;
/** One service takes so long: the capacity is 10 a second. */
const SERVICE_MS = 100;

function createQueue(): FairQueue<TestCall> {
  return createFairQueue<TestCall>({ agingMs: AGING_MS, cost: ({ cost }) => cost });
}

function serve(queue: FairQueue<TestCall>, now: number): TestCall | undefined {
  const call = queue.next(now);
  if (call !== undefined) queue.take(call, now);
  return call;
}

/** The first letters of the priorities of those that go next. */
function order(queue: FairQueue<TestCall>, count: number, now: number): string {
  return Array.from({ length: count }, () => serve(queue, now)!.priority.charAt(0)).join('');
}

interface Served {
  readonly priority: Priority;
  readonly waitedMs: number;
}

/**
 * Serves one call at a time, `seconds` long. `come` says who comes before each service; so many calls of priority `flood` come
 * that one always waits.
 */
function simulateFlood(
  flood: Priority,
  seconds: number,
  come: (now: number, service: number) => TestCall[],
): Served[] {
  const queue = createQueue();
  const served: Served[] = [];
  for (let service = 0; service < (seconds * 1000) / SERVICE_MS; service++) {
    const now = service * SERVICE_MS;
    for (const call of come(now, service)) queue.push(call);
    if (queue.sizes[flood] === 0) queue.push(testCall({ priority: flood, arrivedAt: now }));
    const call = serve(queue, now)!;
    served.push({ priority: call.priority, waitedMs: now - call.arrivedAt });
  }
  return served;
}

function waits(served: readonly Served[], priority: Priority): number[] {
  const own = served.filter((one) => one.priority === priority);
  return own.map(({ waitedMs }) => waitedMs).sort((a, b) => a - b);
}

/** For each that goes out of turn, what goes first. */
const FLOODS = [
  { flood: 'urgent', times: 19 },
  { flood: 'high', times: 3 },
] as const;

test.each(FLOODS)(
  'a low call in a flood of $flood calls is served when it is due and $times others have gone',
  ({ flood, times }) => {
    const served = simulateFlood(flood, 60, (now, service) =>
      service === 10 ? [testCall({ priority: 'low', arrivedAt: now })] : [],
    );
    const [waited] = waits(served, 'low');
    expect(waited).toBeGreaterThanOrEqual(3 * AGING_MS);
    expect(waited).toBeLessThanOrEqual(3 * AGING_MS + (times + 1) * SERVICE_MS);
  },
);

test.each([
  { flood: 'urgent', share: 0.04, times: 19 },
  { flood: 'high', share: 0.2, times: 3 },
] as const)(
  'low calls of $share of the capacity wait a bounded time in a flood of $flood calls',
  ({ flood, share, times }) => {
    const random = createSeededRandom(7);
    const served = simulateFlood(flood, 1200, (now) =>
      random() < share ? [testCall({ priority: 'low', arrivedAt: now })] : [],
    );
    const low = waits(served, 'low');
    expect(low.length).toBeGreaterThan(1200 * 10 * share * 0.9);
    // What comes together goes one by one, each after so many others.
    const bound = 3 * AGING_MS + 12 * (times + 1) * SERVICE_MS;
    expect(low[Math.floor(low.length * 0.99)]).toBeLessThan(bound);
  },
);

test.each(FLOODS)(
  'an old backlog gets its share of a flood of $flood calls and does not flood',
  ({ flood, times }) => {
    const round = times + 1;
    const served = simulateFlood(flood, 60, (now, service) =>
      service === 0
        ? Array.from({ length: 500 }, () => testCall({ priority: 'low', arrivedAt: now }))
        : [],
    );
    expect(waits(served.slice(0, 150), 'low')).toEqual([]);
    for (let i = 150 + round; i + 2 * round <= served.length; i++) {
      expect(waits(served.slice(i, i + 2 * round), 'low').length).toBe(2);
    }
  },
);

test('what urgent calls make room for does not all go at once when they are gone', () => {
  const queue = createQueue();
  const now = 100_000;
  for (let i = 0; i < 50; i++) queue.push(testCall({ priority: 'low', arrivedAt: 0 }));
  for (let i = 0; i < 19; i++) queue.push(testCall({ priority: 'urgent', arrivedAt: now }));
  for (let i = 0; i < 6; i++) queue.push(testCall({ priority: 'high', arrivedAt: now }));
  expect(order(queue, 27, now)).toBe(`${'u'.repeat(19)}lhhhlhhh`);
});

test('where even the urgent wait ever longer, no class is forgotten', () => {
  const queue = createQueue();
  const goneAt: Record<Priority, number[]> = { urgent: [], high: [], normal: [], low: [] };
  // Urgent calls alone come at twice the rate at which calls go.
  for (let now = 0; now < 300_000; now += SERVICE_MS) {
    for (const priority of ['urgent', 'urgent', 'high', 'normal', 'low'] as const) {
      queue.push(testCall({ priority, arrivedAt: now }));
    }
    goneAt[serve(queue, now)!.priority].push(now);
  }
  for (const [rank, priority] of (['urgent', 'high', 'normal', 'low'] as const).entries()) {
    if (rank === 0) continue;
    // Due, forgotten, and then three classes at most that need 19 others each.
    const most = (rank + 6) * AGING_MS + 3 * 20 * SERVICE_MS;
    const times = [0, ...goneAt[priority], 300_000];
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(most);
  }
  expect(goneAt.urgent.length).toBeGreaterThan(3000 * 0.95);
});

test('one that is forgotten goes before one that has been due for longer', () => {
  const queue = createQueue();
  const now = 8 * AGING_MS;
  // Normal calls have gone until now and are due for longer; the low one has been due since 6 times the aging and a bit.
  const normal = Array.from({ length: 3 }, () => testCall({ priority: 'normal', arrivedAt: -1 }));
  for (const call of normal) queue.push(call);
  queue.take(normal[0]!, now);
  queue.push(testCall({ priority: 'low', arrivedAt: -AGING_MS - 1 }));
  for (let i = 0; i < 9; i++) queue.push(testCall({ priority: 'high', arrivedAt: now }));
  expect(order(queue, 8, now)).toBe('hhhlhhhn');
});

test('calls that came together are not forgotten: they go by class', () => {
  const queue = createQueue();
  for (const priority of ['low', 'normal', 'high', 'urgent'] as const) {
    for (let i = 0; i < 30; i++) queue.push(testCall({ priority, arrivedAt: 0 }));
  }
  const went = order(queue, 120, 100 * AGING_MS);
  expect(went).toBe(['u', 'h', 'n', 'l'].map((letter) => letter.repeat(30)).join(''));
});

test('the room out of turn goes to whoever has been due the longest, whatever the class', () => {
  const queue = createQueue();
  const now = 20_000;
  const low = testCall({ priority: 'low', arrivedAt: 0 });
  const high = testCall({ priority: 'high', arrivedAt: 11_000 });
  const normal = testCall({ priority: 'normal', arrivedAt: 4000 });
  for (const call of [low, high, normal]) queue.push(call);
  for (let i = 0; i < 80; i++) queue.push(testCall({ priority: 'urgent', arrivedAt: now }));
  const nineteen = 'u'.repeat(19);
  expect(order(queue, 70, now)).toBe(`${nineteen}n${nineteen}l${nineteen}h${'u'.repeat(10)}`);
});

test('without anybody overdue there is no credit for later', () => {
  const queue = createQueue();
  queue.push(testCall({ priority: 'low', arrivedAt: 0 }));
  for (let i = 0; i < 50; i++) {
    queue.push(testCall({ priority: 'urgent', arrivedAt: i }));
    expect(serve(queue, i)?.priority).toBe('urgent');
  }
  const later = 3 * AGING_MS + 1;
  for (let i = 0; i < 19; i++) {
    queue.push(testCall({ priority: 'urgent', arrivedAt: later }));
    expect(serve(queue, later)?.priority).toBe('urgent');
  }
  queue.push(testCall({ priority: 'urgent', arrivedAt: later }));
  expect(serve(queue, later)?.priority).toBe('low');
});

test('a call that is not due waits, even if it will be due before a better one', () => {
  const queue = createQueue();
  queue.push(testCall({ priority: 'low', arrivedAt: 0 }));
  const now = 2.5 * AGING_MS;
  for (let i = 0; i < 20; i++) {
    queue.push(testCall({ priority: 'high', arrivedAt: now }));
    queue.push(testCall({ priority: 'normal', arrivedAt: now }));
  }
  for (let i = 0; i < 20; i++) expect(serve(queue, now)?.priority).toBe('high');
});

test('whoever is taken out of turn neither uses up credit nor adds to it for long', () => {
  const queue = createQueue();
  const now = 100_000;
  const low = Array.from({ length: 50 }, () => testCall({ priority: 'low', arrivedAt: 0 }));
  const high = Array.from({ length: 80 }, () => testCall({ priority: 'high', arrivedAt: now }));
  for (const call of [...low, ...high]) queue.push(call);
  for (const call of low.splice(0, 10)) queue.take(call, now);
  expect(order(queue, 8, now)).toBe('hhhlhhhl');
  // The credit stays at what one low call needs and one service more, however many pass it.
  for (const call of high.splice(40)) queue.take(call, now);
  expect(order(queue, 8, now)).toBe('lhhlhhhl');
});

test('aging takes the one that fair queueing would take, not the flow with the oldest calls', () => {
  const queue = createQueue();
  for (let i = 0; i < 100; i++)
    queue.push(testCall({ priority: 'low', flow: 'old', arrivedAt: 0 }));
  for (let i = 0; i < 100; i++)
    queue.push(testCall({ priority: 'low', flow: 'new', arrivedAt: 900 }));
  const now = 100_000;
  const flows: string[] = [];
  for (let i = 0; i < 160; i++) {
    queue.push(testCall({ priority: 'high', flow: 'old', arrivedAt: now }));
    const call = serve(queue, now)!;
    if (call.priority === 'low') flows.push(call.flow);
  }
  expect(flows.length).toBe(40);
  expect(flows.filter((flow) => flow === 'old').length).toBe(20);
});
