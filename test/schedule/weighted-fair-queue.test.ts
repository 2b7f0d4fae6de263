import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeightedFairQueue } from '../../src/schedule/weighted-fair-queue.ts';
import { testCall, type TestCall } from './test-call.ts';

const FLOWS = ['a', 'b', 'c'];

function createQueue(weights: Readonly<Record<string, number>> = {}): WeightedFairQueue<TestCall> {
  return new WeightedFairQueue((flow) => weights[flow] ?? 1);
}

function push(queue: WeightedFairQueue<TestCall>, ...calls: readonly TestCall[]): void {
  for (const call of calls) queue.push(call, false);
}

/** Takes the next one, and says which flow it is of. */
function serve(queue: WeightedFairQueue<TestCall>): TestCall {
  const call = queue.head()!;
  queue.take(call, call.cost);
  return call;
}

/** What each flow was served, by cost, while all of them always had calls that waited. */
function served(
  weights: Readonly<Record<string, number>>,
  costs: readonly number[],
  services: number,
): Record<string, number> {
  const queue = createQueue(weights);
  const flows = Object.keys(weights);
  const sums = Object.fromEntries(flows.map((flow) => [flow, 0]));
  let made = 0;
  const come = (flow: string): void =>
    push(queue, testCall({ flow, cost: costs[made++ % costs.length]! }));
  // They come one flow after the other, so first come, first served would be far from fair.
  for (const flow of flows) for (let i = 0; i < 3; i++) come(flow);
  for (let i = 0; i < services; i++) {
    const { flow, cost } = serve(queue);
    sums[flow]! += cost;
    come(flow);
  }
  return sums;
}

const costs = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 50 });

test('flows with calls always waiting get the same, within a tenth, whatever their calls cost', () => {
  fc.assert(
    fc.property(costs, (costs) => {
      const sums = served({ a: 1, b: 1, c: 1 }, costs, 3000);
      const mean = (sums['a']! + sums['b']! + sums['c']!) / 3;
      for (const flow of FLOWS) expect(Math.abs(sums[flow]! / mean - 1)).toBeLessThan(0.1);
    }),
    { numRuns: 30 },
  );
});

test('weights of 1 and 3 share in that proportion, within a tenth', () => {
  fc.assert(
    fc.property(costs, (costs) => {
      const sums = served({ a: 1, b: 3 }, costs, 3000);
      expect(Math.abs(sums['b']! / sums['a']! / 3 - 1)).toBeLessThan(0.1);
    }),
    { numRuns: 30 },
  );
});

test('calls of one flow each go first come, first served', () => {
  const queue = createQueue();
  const calls = Array.from({ length: 100 }, (_, i) => testCall({ flow: `flow ${i}` }));
  const went: TestCall[] = [];
  push(queue, ...calls.slice(0, 60));
  for (const call of calls.slice(60)) {
    went.push(serve(queue));
    push(queue, call);
  }
  while (queue.size > 0) went.push(serve(queue));
  expect(went).toEqual(calls);
});

test('a flow that was idle gets its share from then on, and nothing for the past', () => {
  const queue = createQueue();
  for (let i = 0; i < 1000; i++) push(queue, testCall({ flow: 'a' }), testCall({ flow: 'b' }));
  push(queue, testCall({ flow: 'c' }));
  for (let i = 0; i < 900; i++) serve(queue);
  for (let i = 0; i < 200; i++) push(queue, testCall({ flow: 'c' }));
  const flows = Array.from({ length: 300 }, () => serve(queue).flow);
  for (let i = 0; i < 300; i += 30) {
    const part = flows.slice(i, i + 30);
    for (const flow of FLOWS) {
      expect(part.filter((other) => other === flow).length).toBeGreaterThanOrEqual(9);
    }
  }
});

test('what a flow has had while it was alone is not held against it', () => {
  const queue = createQueue();
  for (let i = 0; i < 100; i++) push(queue, testCall({ flow: 'a' }));
  const big = testCall({ flow: 'a', cost: 100 });
  push(queue, big, testCall({ flow: 'b' }));
  queue.take(big, 100);
  expect(serve(queue).flow).toBe('b');
  for (let i = 0; i < 20; i++) serve(queue);
  for (let i = 0; i < 20; i++) push(queue, testCall({ flow: 'c' }));
  const flows = Array.from({ length: 20 }, () => serve(queue).flow);
  expect(flows.filter((flow) => flow === 'c').length).toBe(10);
});

test('a flow with one call at a time gets as much as one with a thousand, and no more', () => {
  const queue = createQueue();
  for (let i = 0; i < 1000; i++) push(queue, testCall({ flow: 'many' }));
  push(queue, testCall({ flow: 'one' }));
  let ones = 0;
  for (let i = 0; i < 1000; i++) {
    if (serve(queue).flow !== 'one') continue;
    ones++;
    push(queue, testCall({ flow: 'one' }));
  }
  expect(Math.abs(ones - 500)).toBeLessThanOrEqual(2);
});

test('a flow with many calls is served even when new flows come all the time', () => {
  const queue = createQueue();
  for (let i = 0; i < 50; i++) push(queue, testCall({ flow: `first ${i}` }));
  for (let i = 0; i < 100; i++) push(queue, testCall({ flow: 'many' }));
  let many = 0;
  for (let i = 0; i < 1000; i++) {
    push(queue, testCall({ flow: `later ${i}` }));
    if (serve(queue).flow === 'many') many++;
  }
  // One in 51 at first, and fewer as more wait.
  expect(many).toBeGreaterThanOrEqual(14);
});

test('a call that comes back goes before all others of its flow, and its flow has paid nothing', () => {
  const queue = createQueue();
  const calls = Array.from({ length: 400 }, (_, i) => testCall({ flow: i % 2 === 0 ? 'a' : 'b' }));
  push(queue, ...calls);
  const done = { a: 0, b: 0 };
  const back: TestCall[] = [];
  let turns = 0;
  for (let i = 0; i < 240; i++) {
    const call = serve(queue);
    const left = calls.filter((other) => queue.has(other) && other.flow === call.flow);
    expect(call.sequence).toBeLessThan(Math.min(...left.map(({ sequence }) => sequence)));
    // Every other request of a is refused, and back three services later.
    if (call.flow === 'a' && turns++ % 2 === 0) back.push(call);
    else done[call.flow as 'a']++;
    if (i % 3 > 0 || back.length === 0) continue;
    const again = { ...back.shift()!, charged: 1 };
    calls[calls.findIndex(({ sequence }) => sequence === again.sequence)] = again;
    push(queue, again);
  }
  expect(done.a).toBeGreaterThan(70);
  expect(Math.abs(done.a / done.b - 1)).toBeLessThan(0.1);
});

test('many calls that come back together do not go before all others for as long', () => {
  const queue = createQueue();
  for (let i = 0; i < 200; i++) push(queue, testCall({ flow: 'a' }), testCall({ flow: 'b' }));
  const refused = Array.from({ length: 100 }, () => serve(queue)).filter(
    ({ flow }) => flow === 'a',
  );
  for (const call of refused) push(queue, { ...call, charged: 1 });
  const flows = Array.from({ length: 20 }, () => serve(queue).flow);
  expect(flows.filter((flow) => flow === 'b').length).toBeGreaterThanOrEqual(8);
});

test('a blocked flow keeps its calls and its order, and gets nothing for the time it was blocked', () => {
  const queue = createQueue();
  const calls = Array.from({ length: 300 }, (_, i) => testCall({ flow: FLOWS[i % 3]! }));
  push(queue, ...calls);
  queue.setBlocked('a', true);
  for (let i = 0; i < 100; i++) expect(serve(queue).flow).not.toBe('a');
  queue.setBlocked('a', false);
  const flows = Array.from({ length: 60 }, () => serve(queue).flow);
  for (const flow of FLOWS) {
    expect(Math.abs(flows.filter((other) => other === flow).length - 20)).toBeLessThanOrEqual(1);
  }
});

test('a flow is no longer blocked when none of its calls waits', () => {
  const queue = createQueue();
  const call = testCall({ flow: 'a' });
  push(queue, call, testCall({ flow: 'b' }));
  queue.setBlocked('a', true);
  expect(queue.isBlocked('a')).toBe(true);
  queue.remove(call);
  expect(queue.isBlocked('a')).toBe(false);
});

test('what is ahead counts the flow itself and its rounds, but nobody who is blocked', () => {
  const queue = createQueue({ heavy: 3 });
  expect(queue.ahead('a')).toBe(0);
  for (let i = 0; i < 10; i++) push(queue, testCall({ flow: 'a' }));
  for (let i = 0; i < 4; i++) push(queue, testCall({ flow: 'b' }));
  expect(queue.ahead('a')).toBe(14);
  expect(queue.ahead('b')).toBe(4 + 5);
  expect(queue.ahead('new')).toBe(2);
  expect(queue.ahead('heavy')).toBe(1);
  queue.setBlocked('b', true);
  expect(queue.ahead('a')).toBe(10);
  expect(queue.ahead('new')).toBe(1);
});

test('flows that came once do not pile up', () => {
  const queue = createQueue();
  for (let i = 0; i < 10; i++) push(queue, testCall({ flow: 'steady' }));
  for (let i = 0; i < 3000; i++) {
    const once = testCall({ flow: `once ${i}` });
    push(queue, once);
    if (i % 2 === 0) queue.take(once, 1);
    else queue.remove(once);
  }
  expect([queue.size, queue.flowCount]).toEqual([10, 1001]);
});

test('those that have had the least are forgotten first', () => {
  const queue = createQueue();
  for (let i = 0; i < 10; i++) push(queue, testCall({ flow: 'steady' }));
  const greedy = testCall({ flow: 'greedy' });
  push(queue, greedy);
  queue.take(greedy, 50);
  for (let i = 0; i < 3000; i++) {
    const once = testCall({ flow: `once ${i}` });
    push(queue, once);
    queue.remove(once);
  }
  push(queue, testCall({ flow: 'greedy' }));
  expect(Array.from({ length: 10 }, () => serve(queue).flow)).not.toContain('greedy');
});

test('nothing is left when nobody waits', () => {
  const which = fc.array(fc.record({ flow: fc.nat(20), take: fc.boolean(), block: fc.boolean() }));
  fc.assert(
    fc.property(which, (parts) => {
      const queue = createQueue();
      const calls = parts.map(({ flow }) => testCall({ flow: `flow ${flow}`, cost: 1 + flow }));
      push(queue, ...calls);
      for (const { flow, block } of parts) if (block) queue.setBlocked(`flow ${flow}`, true);
      queue.setBlocked('unknown', true);
      for (const [i, { take }] of parts.entries()) {
        if (take) queue.take(calls[i]!, calls[i]!.cost);
        else queue.remove(calls[i]!);
      }
      expect([queue.size, queue.readySize, queue.flowCount]).toEqual([0, 0, 0]);
      expect([queue.head(), queue.last(), queue.ahead('flow 1')]).toEqual([
        undefined,
        undefined,
        0,
      ]);
    }),
    { numRuns: 50 },
  );
});
