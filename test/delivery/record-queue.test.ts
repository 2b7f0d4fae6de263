import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { RecordQueue } from '../../src/delivery/record-queue.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';

test('behaves like an array that is pushed to and shifted from', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ take: fc.integer({ min: 0, max: 90 }) }),
      fc.constant('shift' as const),
      fc.constant('clear' as const),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (todo) => {
      const queue = new RecordQueue();
      let model: ReturnType<typeof sampleRecord>[] = [];
      let pushed = 0;
      function take(count: number): void {
        const from = pushed - model.length;
        const expected = model
          .splice(0, count)
          .map((record, index) => ({ record, source: queue, position: from + index }));
        expect(queue.take(count)).toEqual(expected);
      }
      function push(count: number): void {
        for (let i = 0; i < count; i++) {
          const record = sampleRecord();
          queue.push(record);
          model.push(record);
          pushed++;
        }
      }
      function shift(): void {
        expect(queue.shift()).toBe(model.shift());
      }
      function clear(): void {
        queue.clear();
        model = [];
      }
      for (const step of todo) {
        if (step === 'shift') shift();
        else if (step === 'clear') clear();
        else if ('push' in step) push(step.push);
        else take(step.take);
        expect(queue.length).toBe(model.length);
        expect(queue.end).toBe(pushed);
        expect(queue.taken).toBe(pushed - model.length);
      }
      take(Infinity);
    }),
  );
});
