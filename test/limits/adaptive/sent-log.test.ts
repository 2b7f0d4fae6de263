import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SentLog } from '../../../src/limits/adaptive/sent-log.ts';

describe('SentLog', () => {
  test('adds up runs of requests, with what is known of each by now', () => {
    const log = new SentLog();
    for (const sentAt of [10, 20, 30]) log.set(log.add(sentAt), 'input', sentAt);
    expect(log.sum('input', 0, 3)).toBe(60);
    expect(log.sum('input', 1, Infinity)).toBe(50);
    log.set(1, 'input', 5);
    expect(log.sum('input', 0, 3)).toBe(45);
    expect(log.sum('most', 0, 3)).toBe(0);
  });

  test('finds the first request after a moment', () => {
    const log = new SentLog();
    for (const sentAt of [10, 20, 30]) log.add(sentAt);
    expect([0, 10, 19, 30, 99].map((time) => log.firstAfter(time))).toEqual([0, 1, 1, 3, 3]);
  });

  test('keeps two minutes, and after that what fits', () => {
    const log = new SentLog();
    for (let i = 0; i < 1000; i++) log.set(log.add(i * 100), 'requests', 1);
    expect(log.reaches(0)).toBe(true);
    expect(log.sum('requests', 0, 1000)).toBe(1000);
    for (let i = 0; i < 2000; i++) log.set(log.add(300_000 + i * 1000), 'requests', 1);
    expect(log.reaches(0)).toBe(false);
    expect(log.sum('requests', 0, Infinity)).toBe(1024);
    log.set(0, 'requests', 7);
    expect(log.sum('requests', 0, Infinity)).toBe(1024);
  });

  test('is bounded, however fast requests come', () => {
    const log = new SentLog();
    for (let i = 0; i < 10_000; i++) log.set(log.add(i), 'requests', 1);
    expect(log.sum('requests', 0, Infinity)).toBe(4096);
  });

  test('is what a plain list says', () => {
    const request = fc.record({
      pause: fc.integer({ min: 1, max: 5000 }),
      tokens: fc.integer({ min: 0, max: 1e6 }),
      correct: fc.option(fc.tuple(fc.nat(99), fc.integer({ min: 0, max: 1e6 }))),
    });
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 300 }),
        fc.array(fc.tuple(fc.nat(320), fc.nat(320)), { maxLength: 10 }),
        (requests, ranges) => {
          const log = new SentLog();
          const plain: number[] = [];
          let now = 0;
          for (const { pause, tokens, correct } of requests) {
            now += pause;
            log.set(log.add(now), 'most', tokens);
            plain.push(tokens);
            if (correct === null) continue;
            const number = plain.length - 1 - Math.min(correct[0], plain.length - 1);
            log.set(number, 'most', correct[1]);
            if (log.reaches(number)) plain[number] = correct[1];
          }
          for (const [from, to] of ranges) {
            let known = 0;
            for (let i = from; i < Math.min(to, plain.length); i++) {
              if (log.reaches(i)) known += plain[i]!;
            }
            expect(log.sum('most', from, to)).toBe(known);
          }
        },
      ),
    );
  });
});
