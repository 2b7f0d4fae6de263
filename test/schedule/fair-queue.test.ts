import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/schedule/fair-queue.ts';
import type { FairQueue, Waiter } from '../../src/schedule/types.ts';
import type { Priority } from '../../src/types.ts';
import { testCall, type TestCall } from './test-call.ts';

const AGING_MS = 5000;

function createQueue(): FairQueue<TestCall> {
  return createFairQueue<TestCall>({ agingMs: AGING_MS, cost: ({ cost }) => cost });
}

function serve(queue: FairQueue<TestCall>, now: number): TestCall | undefined {
  const call = queue.next(now);
  if (call !== undefined) queue.take(call, now);
  return call;
}

test('all that wait in better classes are ahead, and nobody in worse ones', () => {
  const queue = createQueue();
  for (const priority of ['urgent', 'high', 'normal', 'normal', 'low'] as const) {
    queue.push(testCall({ priority }));
  }
  queue.push(testCall({ priority: 'urgent', flow: 'full' }));
  queue.block('full');
  const priorities: Priority[] = ['urgent', 'high', 'normal', 'low'];
  expect(priorities.map((priority) => queue.ahead(priority, 'a'))).toEqual([1, 2, 4, 5]);
});

test('a call that comes back goes first again', () => {
  const queue = createQueue();
  const calls = Array.from({ length: 10 }, (_, i) => testCall({ flow: `flow ${i % 3}` }));
  for (const call of calls) queue.push(call);
  const first = queue.next(0)!;
  const charged = queue.take(first, 0);
  serve(queue, 0);
  const again = { ...first, charged };
  queue.push(again);
  expect(queue.next(0)).toBe(again);
});

test('weights and costs that are no numbers count as 1', () => {
  const queue = createFairQueue<Waiter>({
    agingMs: AGING_MS,
    weightOf: (flow) => (flow === 'a' ? Number.NaN : 0),
    cost: ({ flow }) => (flow === 'a' ? -5 : Infinity),
  });
  for (let i = 0; i < 10; i++) for (const flow of ['a', 'b']) queue.push(testCall({ flow }));
  const flows = Array.from({ length: 20 }, () => {
    const call = queue.next(0)!;
    expect(queue.take(call, 0)).toBe(1);
    return call.flow;
  });
  expect(flows.join('')).toBe('ab'.repeat(10));
});

test('a blocked flow is passed over in all classes, until it is unblocked or a more urgent call of it comes', () => {
  const queue = createQueue();
  const high = testCall({ flow: 'full', priority: 'high' });
  const low = testCall({ flow: 'full', priority: 'low' });
  const other = testCall({ flow: 'free', priority: 'low' });
  for (const call of [high, low, other]) queue.push(call);
  queue.block('full');
  queue.push(testCall({ flow: 'full', priority: 'high' }));
  queue.push(testCall({ flow: 'full', priority: 'normal' }));
  expect(queue.next(0)).toBe(other);
  queue.remove(other);
  expect(queue.next(0)).toBeUndefined();
  expect([queue.size, queue.sizes.high, queue.ahead('low', 'free')]).toEqual([4, 2, 0]);
  const urgent = testCall({ flow: 'full', priority: 'urgent' });
  queue.push(urgent);
  expect(queue.next(0)).toBe(urgent);
  queue.take(urgent, 0);
  expect(queue.next(0)).toBe(high);
  queue.block('full');
  expect(queue.next(0)).toBeUndefined();
  queue.unblock('full');
  expect(queue.next(0)).toBe(high);
});

test('a block ends with the last call of its flow', () => {
  const queue = createQueue();
  queue.block('nobody');
  const first = testCall({ flow: 'nobody' });
  queue.push(first);
  expect(queue.next(0)).toBe(first);
  for (const leave of [
    (call: TestCall) => queue.remove(call),
    (call: TestCall) => queue.take(call, 0),
  ]) {
    queue.block('nobody');
    expect(queue.next(0)).toBeUndefined();
    for (let call = queue.last(); call !== undefined; call = queue.last()) leave(call);
    const next = testCall({ flow: 'nobody' });
    queue.push(next);
    expect(queue.next(0)).toBe(next);
  }
});

/** A call that counts how often it is compared. */
class CountedCall implements Waiter {
  static reads = 0;
  readonly priority: Priority;
  readonly flow: string;
  readonly arrivedAt = 0;
  readonly #sequence: number;

  constructor(priority: Priority, flow: string, sequence: number) {
    this.priority = priority;
    this.flow = flow;
    this.#sequence = sequence;
  }

  get sequence(): number {
    CountedCall.reads++;
    return this.#sequence;
  }
}

/** The most reads of sequences that one run of `work` takes. */
function mostReads<T>(items: readonly T[], work: (item: T) => void): number {
  let most = 0;
  for (const item of items) {
    CountedCall.reads = 0;
    work(item);
    most = Math.max(most, CountedCall.reads);
  }
  return most;
}

test.each([1, 1000, 100_000])(
  'with 100,000 waiting calls of %i flows, all work is logarithmic',
  (flows) => {
    const size = 100_000;
    const queue = createFairQueue<CountedCall>({ agingMs: AGING_MS });
    // In no order of their sequence.
    const calls = Array.from(
      { length: size },
      (_, i) => new CountedCall('normal', `flow ${i % flows}`, (i * 7919) % size),
    );
    // Three comparisons for each of 17 levels, and each reads two sequences.
    const bound = 2 * 3 * Math.log2(size);
    expect(mostReads(calls, (call) => queue.push(call))).toBeLessThan(bound);
    expect(mostReads(calls.slice(0, 10_000), (call) => queue.remove(call))).toBeLessThan(bound);
    const takes = Array.from({ length: 10_000 });
    const takeNext = (): void => {
      queue.take(queue.next(0)!, 0);
    };
    expect(mostReads(takes, takeNext)).toBeLessThan(bound);
    expect(mostReads(takes, () => queue.remove(queue.last()!))).toBeLessThan(bound);
    expect(queue.size).toBe(70_000);
  },
  60_000,
);

test('a thousand blocked flows cost nothing once they are blocked', () => {
  const queue = createFairQueue<CountedCall>({ agingMs: AGING_MS });
  const flows = Array.from({ length: 1000 }, (_, i) => `flow ${i}`);
  for (const [i, flow] of flows.entries()) {
    for (let j = 0; j < 10; j++) queue.push(new CountedCall('normal', flow, i * 10 + j));
  }
  for (let i = 0; i < 100; i++) queue.push(new CountedCall('normal', 'free', 1_000_000 + i));
  const block = (flow: string): void => {
    expect(queue.next(0)?.flow).toBe(flow);
    queue.block(flow);
  };
  expect(mostReads(flows, block)).toBeLessThan(4 * Math.log2(1000));
  expect(
    mostReads(Array.from({ length: 100 }), () => {
      const call = queue.next(0)!;
      expect(call.flow).toBe('free');
      queue.take(call, 0);
    }),
  ).toBeLessThan(8 * Math.log2(10_000));
  expect(queue.next(0)).toBeUndefined();
  expect(mostReads(flows, (flow) => queue.unblock(flow))).toBeLessThan(4 * Math.log2(1000));
  expect(queue.next(0)?.flow).toBe('flow 0');
});
