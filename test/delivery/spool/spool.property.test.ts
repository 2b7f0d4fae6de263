/**
 * Processes come and go in one folder, are killed or close, with sinks that fail as they like: in the end every record that was
 * pushed is in every sink, each sink has each one once (it knows them by id), and what is counted adds up.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { createDelivery } from '../../../src/delivery/delivery.ts';
import type { Delivery } from '../../../src/delivery/delivery.ts';
import { FAILURES_BEFORE_PARTS } from '../../../src/delivery/probe.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts';
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import type { Sink, UsageRecord } from '../../../src/types.ts';
import { afterKill, emptyFolder, outboxes } from './spooling.ts';

type Step =
  | { readonly do: 'push'; readonly count: number; readonly by: number }
  | { readonly do: 'wait'; readonly ms: number }
  | {
      readonly do: 'fail';
      readonly sink: number;
      readonly writes: number;
      readonly stored: boolean;
    }
  | { readonly do: 'close'; readonly by: number }
  | { readonly do: 'flush'; readonly by: number }
  | { readonly do: 'kill' };

const which = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('push' as const),
    count: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 250, max: 300 })),
    by: which,
  }),
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1_000, max: 90_000 })),
  }),
  fc.record({
    do: fc.constant('fail' as const),
    sink: which,
    writes: fc.integer({ min: 1, max: 6 }),
    // It may have stored the batch and lost the connection before it could say so.
    stored: fc.boolean(),
  }),
  fc.record({ do: fc.constant('close' as const), by: which }),
  fc.record({ do: fc.constant('flush' as const), by: which }),
  fc.record({ do: fc.constant('kill' as const) }),
);

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  durability: fc.constantFrom('batched', 'process'),
  batchSize: fc.integer({ min: 1, max: 300 }),
  seed: fc.integer(),
});

/** A store that outlives the processes that write to it. */
class Store {
  readonly records = new Map<string, UsageRecord>();
  failures: boolean[] = [];
  /** One more in a row, and a lane begins to look for poison. */
  #failuresLeft = FAILURES_BEFORE_PARTS - 1;

  fail(writes: number, stored: boolean): void {
    const count = Math.min(writes, this.#failuresLeft);
    this.#failuresLeft -= count;
    this.failures.push(...Array.from({ length: count }, () => stored));
  }

  sink(name: string, isAlive: () => boolean): Sink {
    return {
      name,
      write: async (records) => {
        await Promise.resolve();
        if (!isAlive()) return;
        const stored = this.failures.shift();
        if (stored !== false) for (const record of records) this.records.set(record.id, record);
        if (stored !== undefined) throw new Error('connection lost');
      },
    };
  }
}

test('every record is in every sink in the end, whoever was killed', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ steps, durability, batchSize, seed }) => {
      const clock: VirtualClock = createVirtualClock();
      const random = createSeededRandom(seed);
      const stores = [new Store(), new Store()];
      let folder = emptyFolder();
      let generation = 0;
      let pushed: string[] = [];
      /** Gathered and not on the disk: what a kill may take with it. */
      let atRisk: string[] = [];

      function start(): Delivery {
        const own = generation;
        return createDelivery({
          sinks: stores.map((store, index) => store.sink(`s${index}`, () => own === generation)),
          clock,
          random,
          durability,
          spoolDir: folder,
          batchSize,
        });
      }

      function checkCounts(delivery: Delivery, count: number): void {
        const { sinks, spool } = delivery.snapshot();
        for (const { written, pending, dropped } of sinks) {
          // What a process left, another sink may have waited for.
          expect(written + pending).toBeGreaterThanOrEqual(count);
          expect(written + pending).toBeLessThanOrEqual(count + (spool?.adopted ?? 0));
          expect(Object.values(dropped)).toEqual([0, 0, 0, 0, 0]);
        }
      }

      const deliveries = [start(), start()];
      const counts = [0, 0];
      for (const action of steps) {
        if (action.do === 'push') {
          for (let i = 0; i < action.count; i++) {
            const record = sampleRecord();
            pushed.push(record.id);
            atRisk.push(record.id);
            deliveries[action.by]!.push(record);
          }
          counts[action.by]! += action.count;
          if (durability === 'process') atRisk = [];
          // At most so many are gathered by each process.
          atRisk = atRisk.slice(-510);
        } else if (action.do === 'wait') {
          await clock.advance(action.ms);
          if (action.ms >= 5) atRisk = [];
        } else if (action.do === 'fail') {
          stores[action.sink]!.fail(action.writes, action.stored);
        } else if (action.do === 'flush') {
          void deliveries[action.by]!.flush();
        } else if (action.do === 'close') {
          const closed = deliveries[action.by]!.close({ timeoutMs: 50 });
          await clock.advance(50);
          await closed;
          atRisk = [];
          deliveries[action.by] = start();
          counts[action.by] = 0;
        } else {
          folder = afterKill(folder);
          generation++;
          const known = new Set(stores.flatMap(({ records }) => [...records.keys()]));
          const lost = new Set(atRisk.filter((id) => !known.has(id)));
          const old = deliveries.splice(0);
          deliveries.push(start(), start());
          counts.fill(0);
          // The dead deliver to nobody; that they still run is only in this test.
          await Promise.all(
            old.map(async (delivery) => {
              const closed = delivery.close({ timeoutMs: 0 });
              await clock.advance(0);
              return closed;
            }),
          );
          await clock.advance(5);
          pushed = pushed.filter((id) => !lost.has(id));
          for (const id of lost) stores.forEach(({ records }) => records.delete(id));
          atRisk = [];
        }
        for (const [index, delivery] of deliveries.entries()) checkCounts(delivery, counts[index]!);
      }

      for (const store of stores) store.failures = [];
      await clock.advance(240_000);
      for (const [index, delivery] of deliveries.entries()) checkCounts(delivery, counts[index]!);
      await Promise.all(deliveries.map((delivery) => delivery.close()));
      expect(clock.pending).toBe(0);
      expect(outboxes(folder)).toEqual([]);
      for (const { records } of stores) {
        const stored = pushed.filter((id) => records.has(id));
        expect(stored).toEqual(pushed);
      }
    }),
    { numRuns: 25 },
  );
}, 120_000);
