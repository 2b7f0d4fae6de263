import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  oddsOfConversation,
  oddsOfShared,
  oddsWithin,
  Sightings,
  type Odds,
} from '../../../src/prompt-cache/planner/reuse.ts';
import { always, odds } from './rules.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1000 * HOUR;

interface Seen {
  age: number;
  gap: number | undefined;
}

const gap = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 2 * HOUR }));
const absent = fc.record({ age: gap, gap: fc.constant(undefined) });
const returned = gap.map((after): Seen => ({ age: after + MINUTE, gap: after }));
const seen: fc.Arbitrary<Seen[]> = fc.array(fc.oneof(absent, returned), { maxLength: 31 });
const strength = fc.double({ min: 0.5, max: 4, noNaN: true });

function oddsOf(sightings: readonly Seen[], prior: Odds, weight = 2): Odds {
  const ring = new Sightings();
  for (const { age, gap: after } of sightings) ring.add({ at: NOW - age, gap: after });
  return ring.odds(NOW, prior, weight);
}

const closeTo = (wanted: Odds): number[] =>
  wanted.map((chance): number => expect.closeTo(chance, 9));

function expectOdds(given: Odds): void {
  for (const [i, chance] of given.entries()) {
    expect(chance).toBeGreaterThanOrEqual(given[i - 1] ?? 0);
    expect(chance).toBeLessThanOrEqual(1);
  }
}

describe('what was seen of a class', () => {
  test('odds ascend from 0 to 1, whatever was seen and believed before', () => {
    fc.assert(
      fc.property(seen, odds, strength, (sightings, prior, weight) => {
        expectOdds(oddsOf(sightings, prior, weight));
      }),
    );
  });

  test('nothing seen: what was believed before', () => {
    fc.assert(
      fc.property(odds, strength, (prior, weight) => {
        expect(oddsOf([], prior, weight)).toEqual(closeTo(prior));
      }),
    );
  });

  test('a return at once raises every chance', () => {
    fc.assert(
      fc.property(seen, odds, fc.integer({ min: 0, max: 5000 }), (sightings, prior, after) => {
        const before = oddsOf(sightings, prior);
        const raised = oddsOf([...sightings, { age: HOUR, gap: after }], prior);
        for (const [i, chance] of raised.entries())
          expect(chance).toBeGreaterThan(before[i]! - 1e-12);
        expect(raised[0]).toBeGreaterThan(before[0]!);
      }),
    );
  });

  test('a prefix that did not come back for hours lowers every chance', () => {
    fc.assert(
      fc.property(seen, odds, (sightings, prior) => {
        const before = oddsOf(sightings, prior);
        const lowered = oddsOf([...sightings, { age: 3 * HOUR, gap: undefined }], prior);
        for (const [i, chance] of lowered.entries()) expect(chance).toBeLessThan(before[i]!);
      }),
    );
  });

  test('the longer it has stayed away, the lower the chances', () => {
    fc.assert(
      fc.property(seen, odds, gap, gap, (sightings, prior, one, other) => {
        const [age, more] = one < other ? [one, other] : [other, one];
        const sooner = oddsOf([...sightings, { age, gap: undefined }], prior);
        const later = oddsOf([...sightings, { age: more, gap: undefined }], prior);
        for (const [i, chance] of later.entries()) expect(chance).toBeLessThan(sooner[i]! + 1e-12);
      }),
    );
  });

  test('much experience outweighs what was believed', () => {
    const often = Array.from({ length: 32 }, (): Seen => ({ age: HOUR, gap: 60_000 }));
    const [, within30s, within2m] = oddsOf(often, always(0.3));
    expect(within30s).toBeLessThan(0.05);
    expect(within2m).toBeGreaterThan(0.9);
  });

  test('only the last 32 sightings count', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(absent, returned), { minLength: 32, maxLength: 80 }),
        odds,
        (sightings, prior) => {
          // The ring adds them up in another order.
          expect(oddsOf(sightings, prior)).toEqual(closeTo(oddsOf(sightings.slice(-32), prior)));
        },
      ),
    );
  });

  test('a sighting counts as soon as it has come back', () => {
    const ring = new Sightings();
    const sighting: { at: number; gap: number | undefined } = { at: 0, gap: undefined };
    ring.add(sighting);
    const away = ring.odds(4 * MINUTE, always(0.5), 2);
    sighting.gap = 4 * MINUTE;
    expect(ring.odds(4 * MINUTE, always(0.5), 2)[3]).toBeGreaterThan(away[3]!);
  });
});

describe.each([
  ['a conversation', oddsOfConversation],
  ['a shared prefix', oddsOfShared],
])('the gaps of %s', (_name, oddsOfGaps) => {
  test('without any, its class says all', () => {
    fc.assert(
      fc.property(odds, (ofClass) => {
        expect(oddsOfGaps([], ofClass)).toBe(ofClass);
      }),
    );
  });

  test('they say how fast, never that it comes back more surely than its class', () => {
    fc.assert(
      fc.property(fc.array(gap, { minLength: 1, maxLength: 12 }), odds, (gaps, ofClass) => {
        const own = oddsOfGaps(gaps, ofClass);
        expectOdds(own);
        expect(own.at(-1)).toBeLessThanOrEqual(ofClass.at(-1)! + 1e-12);
      }),
    );
  });

  test('fast gaps make the early chances higher than slow ones do', () => {
    const ofClass = [0.1, 0.2, 0.4, 0.6, 0.8, 0.9];
    const fast = oddsOfGaps([3000, 3000, 3000, 3000], ofClass);
    const slow = oddsOfGaps([20 * MINUTE, 20 * MINUTE, 20 * MINUTE, 20 * MINUTE], ofClass);
    expect(fast[0]).toBeGreaterThan(0.6);
    expect(slow[3]).toBeLessThan(0.4);
    expect(slow[4]).toBeGreaterThan(0.6);
  });
});

describe('the chance within a lifetime', () => {
  const chances = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  test.each([
    [4999, 0],
    [5000, 0.1],
    [300_000, 0.4],
    [1_800_000, 0.5],
    [3_600_000, 0.6],
    [86_400_000, 0.6],
  ])('%i ms: %d', (ms, wanted) => {
    expect(oddsWithin(chances, ms)).toBe(wanted);
  });
});
