import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/schedule/fair-queue.ts';
import type { Priority } from '../../src/types.ts';
import { NaiveFairQueue, rankOf } from './naive-fair-queue.ts';
import { testCall, type TestCall } from './test-call.ts';

const AGING_MS = 10;
const WEIGHTS = { a: 1, b: 1, c: 2, d: 3 };

const flow = fc.constantFrom('a', 'b', 'c', 'd');
const priority = fc.constantFrom<Priority>('urgent', 'high', 'normal', 'low');
const which = fc.nat(1000);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      flow,
      priority,
      cost: fc.integer({ min: 1, max: 4 }),
      /** A call that came earlier but was held up on its way here. */
      lateMs: fc.constantFrom(0, 0, 5, 10, 20, 30),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('takeNext' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('comeBack' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('block' as const), flow }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unblock' as const), flow }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 5, 10, 25, 70),
    }),
  },
);

test('whatever happens, it does what the rules over plain lists do: nobody is lost, nobody goes twice', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
      const queue = createFairQueue<TestCall>({
        agingMs: AGING_MS,
        weightOf: (name) => WEIGHTS[name as 'a'],
        cost: ({ cost }) => cost,
      });
      const naive = new NaiveFairQueue(AGING_MS, WEIGHTS);
      const taken: TestCall[] = [];
      let now = 100;
      const take = (call: TestCall): void => {
        naive.take(call, now);
        expect(queue.take(call, now)).toBe(call.cost);
        expect([queue.take(call, now), queue.remove(call)]).toEqual([0, false]);
        taken.push(call);
      };
      const compare = (): void => {
        expect(queue.next(now)).toBe(naive.next(now));
        expect(queue.last()).toBe(naive.last());
        expect(queue.size).toBe(naive.waiting.length);
        for (const [priority, size] of Object.entries(queue.sizes)) {
          expect(size).toBe(naive.waiting.filter((call) => call.priority === priority).length);
        }
      };
      for (const [i, step] of steps.entries()) {
        if (step.kind === 'push') {
          const arrivedAt = now - step.lateMs;
          const sequence = arrivedAt * 1000 + i;
          const call = testCall({ ...step, arrivedAt, sequence });
          naive.push(call);
          queue.push(call);
          queue.push(call);
        } else if (step.kind === 'takeNext') {
          const call = queue.next(now);
          if (call !== undefined) take(call);
        } else if (step.kind === 'take' || step.kind === 'remove') {
          const call = naive.waiting[step.which % naive.waiting.length];
          if (call === undefined) continue;
          if (step.kind === 'take') {
            take(call);
          } else {
            naive.remove(call);
            expect([queue.remove(call), queue.remove(call)]).toEqual([true, false]);
          }
        } else if (step.kind === 'comeBack') {
          const [call] = taken.splice(step.which % (taken.length + 1), 1);
          if (call === undefined) continue;
          const again = { ...call, charged: call.cost };
          naive.push(again);
          queue.push(again);
        } else if (step.kind === 'wait') {
          now += step.ms;
        } else {
          queue[step.kind](step.flow);
          naive[step.kind](step.flow);
        }
        compare();
      }
      for (const name of Object.keys(WEIGHTS)) {
        queue.unblock(name);
        naive.unblock(name);
      }
      for (let left = queue.size; left > 0; left--) {
        compare();
        take(queue.next(now)!);
        now++;
      }
      compare();
      expect(queue.next(now)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

test('calls that came together go by class, however long they wait; those of a flow in their order', () => {
  const call = fc.record({ flow, priority, cost: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), fc.array(fc.nat(30)), (parts, waits) => {
      const queue = createFairQueue<TestCall>({ agingMs: AGING_MS, cost: ({ cost }) => cost });
      const calls = parts.map((part) => testCall(part));
      for (const call of calls.toReversed()) queue.push(call);
      const went: TestCall[] = [];
      let now = 0;
      for (const [i] of calls.entries()) {
        now += waits[i] ?? 0;
        const call = queue.next(now)!;
        queue.take(call, now);
        went.push(call);
      }
      expect(went.map(rankOf)).toEqual(calls.map(rankOf).sort((a, b) => a - b));
      for (const call of calls) {
        const isOfSameFlow = (other: TestCall): boolean =>
          other.flow === call.flow && other.priority === call.priority;
        expect(went.filter(isOfSameFlow)).toEqual(calls.filter(isOfSameFlow));
      }
    }),
    { numRuns: 100 },
  );
});

test.each([
  { best: 'urgent', times: 19 },
  { best: 'high', times: 3 },
] as const)(
  'a flood of $best calls gets $times times what goes out of turn at every moment, whatever they cost',
  ({ best, times }) => {
    const cost = fc.integer({ min: 1, max: 20 });
    const others = fc.array(
      fc.record({ priority: fc.constantFrom<Priority>('normal', 'low'), cost }),
      { minLength: 5, maxLength: 40 },
    );
    fc.assert(
      fc.property(others, fc.array(cost, { minLength: 200, maxLength: 200 }), (worse, flood) => {
        const queue = createFairQueue<TestCall>({ agingMs: AGING_MS, cost: ({ cost }) => cost });
        for (const part of worse) queue.push(testCall(part));
        let inTurn = 0;
        let rest = 0;
        for (const [i, cost] of flood.entries()) {
          const now = 1000 + i;
          if (queue.sizes[best] === 0) {
            queue.push(testCall({ priority: best, cost, arrivedAt: now }));
          }
          const call = queue.next(now)!;
          queue.take(call, now);
          if (call.priority === best) inTurn += call.cost;
          else rest += call.cost;
          expect(inTurn).toBeGreaterThanOrEqual(times * rest);
        }
        // And not much more either, while others are overdue.
        if (queue.size > 1) expect(rest).toBeGreaterThanOrEqual((inTurn - 20) / times - 20);
      }),
      { numRuns: 100 },
    );
  },
);

test('where urgent calls come and go, low ones get at least one in 20, never two in a row and a quarter at most', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { minLength: 20, maxLength: 40 }), (phases) => {
      const queue = createFairQueue<TestCall>({ agingMs: AGING_MS });
      for (let i = 0; i < 300; i++) queue.push(testCall({ priority: 'low' }));
      const now = 1000;
      let low = 0;
      let others = 0;
      let inTurn = 0;
      for (const [i, length] of phases.entries()) {
        for (let j = 0; j < length; j++) {
          for (const priority of i % 2 === 0
            ? (['urgent', 'high'] as const)
            : (['high'] as const)) {
            if (queue.sizes[priority] > 0) continue;
            queue.push(testCall({ priority, arrivedAt: now }));
          }
          const call = queue.next(now)!;
          queue.take(call, now);
          if (call.priority === 'low') {
            expect(inTurn).toBeGreaterThan(0);
            low++;
            inTurn = 0;
          } else {
            others++;
            inTurn++;
          }
          expect(inTurn).toBeLessThanOrEqual(19);
          expect(others).toBeGreaterThanOrEqual(3 * low);
        }
      }
    }),
    { numRuns: 50 },
  );
});
