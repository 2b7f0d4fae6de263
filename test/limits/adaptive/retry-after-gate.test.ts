import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryAfterGate } from '../../../src/limits/adaptive/retry-after-gate.ts';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';

const gate = (random = 0.5): RetryAfterGate => new RetryAfterGate(() => random);

describe('a closed gate', () => {
  test('opens a little later than asked, never sooner', () => {
    const closed = (random: number): number => {
      const it = gate(random);
      it.refused(0, 10_000, 50);
      return it.waitMs(50, true);
    };
    expect(closed(0)).toBe(10_000);
    expect(closed(0.5)).toBe(10_500);
    expect(closed(0.999)).toBeLessThan(11_000);
  });

  test('closes for a moment where no time is named', () => {
    const it = gate();
    it.refused(0, undefined, 50);
    expect(it.waitMs(50, true)).toBe(550);
  });

  test('closes for two minutes at most', () => {
    const it = gate();
    it.refused(0, 86_400_000, 50);
    expect(it.waitMs(50, true)).toBeLessThanOrEqual(121_500);
  });

  test('is not kept closed by refusals of what was sent before it closed', () => {
    const it = gate();
    it.refused(0, 2000, 50);
    const opensAt = 50 + it.waitMs(50, true);
    it.refused(10, 1900, 100);
    it.refused(20, 1000, 900);
    expect(900 + it.waitMs(900, true)).toBe(opensAt);
    it.refused(30, 5000, 900);
    expect(it.waitMs(900, true)).toBeGreaterThanOrEqual(5000);
  });

  test('waits longer with every refusal in a row, up to a bound', () => {
    const it = gate();
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      it.refused(now + 10, 1000, now + 60);
      waits.push(it.waitMs(now + 60, true));
      now += 60 + waits.at(-1)!;
    }
    expect(waits.slice(0, 4)).toEqual([1050, 1350, 1650, 2250]);
    expect(Math.max(...waits)).toBe(5050);
    it.admitted(now + 1);
    it.refused(now + 2, 1000, now + 60);
    expect(it.waitMs(now + 60, true)).toBe(1050);
  });
});

describe('an open gate', () => {
  const opened = (): RetryAfterGate => {
    const it = gate();
    it.refused(0, 1000, 50);
    return it;
  };

  test('lets one through first, the others when it is admitted', () => {
    const it = opened();
    expect(it.waitMs(1100, false)).toBe(0);
    it.sent(1100);
    expect(it.waitMs(1101, false)).toBeGreaterThan(0);
    it.admitted(1100);
    expect(it.waitMs(1500, false)).toBe(0);
  });

  test('does not wait for ever for the first', () => {
    const it = opened();
    it.sent(1100);
    expect(it.waitMs(16_100, false)).toBe(0);
  });

  test('lets all through where something else holds them back', () => {
    const it = opened();
    it.sent(1100);
    expect(it.waitMs(1101, true)).toBe(0);
  });

  test('is not opened by an answer to what was sent before it closed', () => {
    const it = opened();
    it.admitted(40);
    it.sent(1100);
    expect(it.waitMs(1101, false)).toBeGreaterThan(0);
  });
});

test('whatever happens, it opens', () => {
  const event = fc.record({
    pause: fc.integer({ min: 0, max: 5000 }),
    kind: fc.constantFrom('refused', 'admitted', 'sent'),
    retryAfterMs: fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined }),
    age: fc.integer({ min: 0, max: 5000 }),
  });
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const it = new RetryAfterGate(createSeededRandom(7));
      let now = 0;
      for (const { pause, kind, retryAfterMs, age } of events) {
        now += pause;
        if (kind === 'refused') it.refused(now - age, retryAfterMs, now);
        else if (kind === 'admitted') it.admitted(now - age);
        else it.sent(now);
        expect(it.waitMs(now, false)).toBeLessThanOrEqual(130_000);
      }
      expect(it.waitMs(now + 150_000, false)).toBe(0);
    }),
  );
});
