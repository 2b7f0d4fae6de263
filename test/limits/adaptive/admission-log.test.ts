import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AdmissionLog } from '../../../src/limits/adaptive/admission-log.ts';

test('counts what went out after one moment, up to and with another', () => {
  const log = new AdmissionLog();
  for (const at of [10, 20, 30]) log.add(at);
  expect(log.count(10, 30)).toBe(2);
  expect(log.count(9, 10)).toBe(1);
  expect(log.count(30, 10)).toBe(0);
  expect(log.nthAfter(10, 1)).toBe(20);
  expect(log.nthAfter(10, 3)).toBeUndefined();
});

test('takes out what was not admitted, once', () => {
  const log = new AdmissionLog();
  for (const at of [10, 20, 30]) log.add(at);
  expect(log.remove(20)).toBe(true);
  expect(log.remove(20)).toBe(false);
  expect(log.count(0, 99)).toBe(2);
});

test('forgets the oldest when it is full', () => {
  const log = new AdmissionLog(100);
  for (let at = 1; at <= 1000; at++) log.add(at);
  expect(log.isFull).toBe(true);
  expect(log.size).toBe(100);
  expect(log.nthAfter(0, 1)).toBe(901);
});

test('is what a plain list says', () => {
  const step = fc.record({
    pause: fc.integer({ min: 1, max: 500 }),
    remove: fc.option(fc.nat(12), { nil: undefined, freq: 3 }),
    after: fc.integer({ min: -100, max: 30_000 }),
    length: fc.integer({ min: -10, max: 10_000 }),
    n: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 80 }),
      (steps, most) => {
        const log = new AdmissionLog(most);
        let plain: number[] = [];
        let now = 0;
        for (const { pause, remove, after, length, n } of steps) {
          now += pause;
          log.add(now);
          plain = [...plain, now].slice(-most);
          if (remove !== undefined) {
            const gone = plain.at(-1 - remove) ?? -1;
            expect(log.remove(gone)).toBe(plain.includes(gone));
            plain = plain.filter((at) => at !== gone);
          }
          const between = plain.filter((at) => at > after && at <= after + length);
          expect(log.count(after, after + length)).toBe(between.length);
          expect(log.nthAfter(after, n)).toBe(plain.filter((at) => at > after)[n - 1]);
          expect(log.size).toBe(plain.length);
        }
      },
    ),
  );
});
