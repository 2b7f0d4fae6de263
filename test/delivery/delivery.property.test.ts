/**
 * Whatever calls, sinks and time do: nothing is lost without being counted, nothing is stored twice, order is kept.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { createDelivery } from '../../src/delivery/delivery.ts';
import { FAILURES_BEFORE_PARTS } from '../../src/delivery/probe.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { createSeededRandom } from '../../src/testing/seeded-random.ts';
import { createVirtualClock } from '../../src/testing/virtual-clock.ts';
import { createTestSink } from './test-sink.ts';
import type { Answer, TestSink } from './test-sink.ts';

type Step =
  | { readonly do: 'push'; readonly count: number; readonly poisonFirst: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'answer'; readonly sink: number; readonly answers: readonly Answer[] }
  | { readonly do: 'outage'; readonly sink: number; readonly down: boolean }
  | { readonly do: 'unblock'; readonly sink: number }
  | { readonly do: 'flush' };

const sinkIndex = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('push' as const),
    count: fc.integer({ min: 1, max: 12 }),
    poisonFirst: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1_000, max: 60_000 })),
  }),
  fc.record({
    do: fc.constant('answer' as const),
    sink: sinkIndex,
    answers: fc.array(fc.constantFrom<Answer>('store', 'reject', 'throw', 'lie', 'block'), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.record({ do: fc.constant('outage' as const), sink: sinkIndex, down: fc.boolean() }),
  fc.record({ do: fc.constant('unblock' as const), sink: sinkIndex }),
  fc.record({ do: fc.constant('flush' as const) }),
);

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  batchSize: fc.integer({ min: 1, max: 6 }),
  maxMemoryRecords: fc.integer({ min: 1, max: 20 }),
  seed: fc.integer(),
  ending: fc.constantFrom('heal', 'close', 'close while down'),
});

test('every record is stored once in each sink, in order, or counted as dropped', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ steps, batchSize, maxMemoryRecords, seed, ending }) => {
      const clock = createVirtualClock();
      const sinks = ['a', 'b', 'c'].map(createTestSink);
      const reported = new Map<string, number>();
      const delivery = createDelivery({
        sinks,
        clock,
        random: createSeededRandom(seed),
        batchSize,
        maxMemoryRecords,
        onDrop: ({ sink, count }) => reported.set(sink, (reported.get(sink) ?? 0) + count),
      });
      const pushed: string[] = [];
      const flushes: Promise<void>[] = [];

      function push(count: number, poisonFirst: boolean): void {
        for (let i = 0; i < count; i++) {
          const record = sampleRecord();
          if (poisonFirst && i === 0) for (const sink of sinks) sink.poison.add(record.id);
          pushed.push(record.id);
          delivery.push(record);
        }
      }

      function checkCounts(): void {
        for (const [index, snapshot] of delivery.snapshot().sinks.entries()) {
          const { written, pending, dropped } = snapshot;
          const lost = dropped.overflow + dropped.poison + dropped.closed;
          expect(written + pending + lost).toBe(pushed.length);
          expect(pending).toBeLessThanOrEqual(maxMemoryRecords);
          expect(sinks[index]?.overlapped).toBe(false);
        }
      }

      for (const action of steps) {
        const sink = 'sink' in action ? (sinks[action.sink] as TestSink) : undefined;
        if (action.do === 'push') push(action.count, action.poisonFirst);
        else if (action.do === 'wait') await clock.advance(action.ms);
        else if (action.do === 'answer') sink?.answers.push(...action.answers);
        else if (action.do === 'outage') sink!.down = action.down;
        else if (action.do === 'unblock') sink?.unblock();
        else flushes.push(delivery.flush());
        checkCounts();
      }

      for (const sink of sinks) {
        sink.answers.length = 0;
        sink.down = ending === 'close while down';
      }
      if (ending === 'heal') {
        for (const sink of sinks) sink.unblock();
        await clock.advance(60_000);
        // Poison waits for a record that shows that the sink works: each one settles at least one.
        for (let i = 0; i <= maxMemoryRecords && clock.pending > 0; i++) {
          push(1, false);
          await clock.advance(7_200_000);
        }
        await Promise.all(flushes);
      } else {
        const closed = delivery.close();
        await clock.advance(5_000);
        await Promise.all([closed, ...flushes]);
      }
      await clock.runAll();
      expect(clock.pending).toBe(0);

      checkCounts();
      const positions = new Map(pushed.map((id, position) => [id, position]));
      for (const [index, sink] of sinks.entries()) {
        const snapshot = delivery.snapshot().sinks[index]!;
        const { overflow, poison, closed } = snapshot.dropped;
        expect(snapshot.pending).toBe(0);
        expect(snapshot.state).toBe(ending === 'heal' ? 'idle' : 'closed');
        expect(new Set(sink.stored).size).toBe(sink.stored.length);
        expect(sink.stored).toHaveLength(snapshot.written);
        expect(reported.get(sink.name) ?? 0).toBe(overflow + poison + closed);
        // With fewer failures there was never a witness that could overtake.
        const inOrder = snapshot.retries < FAILURES_BEFORE_PARTS;
        const order = sink.stored.map((id) => positions.get(id) ?? -1);
        expect(order).toEqual(inOrder ? order.toSorted((a, b) => a - b) : order);
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);
