import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SLOTS, SlidingWindow } from '../../../src/limits/rules/sliding-window.ts';

const WINDOW_MS = 1000;

type Step =
  | { readonly do: 'add'; readonly amount: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'correct'; readonly which: number; readonly to: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), amount: fc.integer({ min: 0, max: 50 }) }),
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.oneof(fc.double({ min: 0, max: 30, noNaN: true }), fc.integer({ min: 0, max: 1500 })),
  }),
  fc.record({
    do: fc.constant('correct' as const),
    which: fc.nat(),
    to: fc.integer({ min: 0, max: 80 }),
  }),
);

interface Counted {
  readonly at: number;
  readonly slot: number;
  amount: number;
}

/** Runs the steps beside a plain list of all that was counted. */
function run(
  window: SlidingWindow,
  steps: readonly Step[],
  check: (now: number, sumSince: (at: number) => number) => void,
): void {
  const counted: Counted[] = [];
  const sumSince = (at: number): number =>
    counted.reduce((sum, each) => (each.at > at ? sum + each.amount : sum), 0);
  let now = 0.1;
  for (const each of steps) {
    if (each.do === 'wait') now += each.ms;
    if (each.do === 'add') {
      counted.push({ at: now, slot: window.add(each.amount, now), amount: each.amount });
    }
    if (each.do === 'correct' && counted.length > 0) {
      const found = counted[each.which % counted.length]!;
      window.correct(found.slot, each.to - found.amount);
      found.amount = each.to;
    }
    check(now, sumSince);
  }
}

const steps = fc.array(step, { maxLength: 200, size: 'max' });

describe('what is counted', () => {
  test('exactly what came in the last windowMs, with slots of no width', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const window = new SlidingWindow(WINDOW_MS, 0);
        run(window, list, (now, sumSince) => {
          // A hair of rounding at the edge of the window.
          expect(window.total(now)).toBeGreaterThanOrEqual(sumSince(now - WINDOW_MS + 1e-6));
          expect(window.total(now)).toBeLessThanOrEqual(sumSince(now - WINDOW_MS - 1e-6));
        });
      }),
    );
  });

  test('never less than that, and never what is a slot older', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(10, 100, 500), (list, slotMs) => {
        const window = new SlidingWindow(WINDOW_MS, slotMs);
        run(window, list, (now, sumSince) => {
          expect(window.total(now)).toBeGreaterThanOrEqual(sumSince(now - WINDOW_MS + 1e-6));
          expect(window.total(now)).toBeLessThanOrEqual(sumSince(now - WINDOW_MS - slotMs - 1e-6));
        });
      }),
    );
  });

  test('a correction goes where it was counted, and nowhere once that has left', () => {
    const window = new SlidingWindow(WINDOW_MS, 0);
    const early = window.add(10, 0);
    const late = window.add(20, 600);
    window.correct(early, -4);
    expect(window.total(600)).toBe(26);
    expect(window.total(1000)).toBe(20);
    window.correct(early, 100);
    window.correct(late, 1);
    expect(window.total(1000)).toBe(21);
    expect(window.total(1600)).toBe(0);
  });

  test('beyond its bound, the newest slot takes what comes', () => {
    const window = new SlidingWindow(WINDOW_MS, 0);
    for (let i = 0; i <= MAX_SLOTS + 9; i++) window.add(1, i / 100);
    expect(window.total(50)).toBe(MAX_SLOTS + 10);
    expect(window.total(WINDOW_MS + (MAX_SLOTS + 8) / 100)).toBe(11);
    expect(window.total(WINDOW_MS + (MAX_SLOTS + 9) / 100)).toBe(0);
  });
});

describe('how long it takes', () => {
  test('until enough has left, neither more nor less', () => {
    const window = new SlidingWindow(WINDOW_MS, 0);
    window.add(10, 0);
    window.add(20, 300);
    window.add(30, 500);
    expect(window.waitMs(60, 500)).toBe(0);
    expect(window.waitMs(59, 500)).toBe(500);
    expect(window.waitMs(50, 500)).toBe(500);
    expect(window.waitMs(49, 500)).toBe(800);
    expect(window.waitMs(0, 500)).toBe(1000);
  });

  test('after that time it is over, whatever the fractions', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 0, max: 300 }),
        fc.constantFrom(0, 100),
        (list, most, slotMs) => {
          const window = new SlidingWindow(WINDOW_MS, slotMs);
          let last = 0;
          run(window, list, (now) => {
            last = now;
          });
          const wait = window.waitMs(most, last);
          expect(wait).toBeLessThanOrEqual(WINDOW_MS + slotMs + 0.01);
          if (wait > 0.01) expect(window.total(last + wait - 0.01)).toBeGreaterThan(most);
          expect(window.waitMs(most, last + wait)).toBe(0);
        },
      ),
    );
  });
});
