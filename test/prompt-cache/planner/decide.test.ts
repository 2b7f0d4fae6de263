import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  breakEven,
  costsOf,
  decide,
  type Candidate,
  type Kept,
} from '../../../src/prompt-cache/planner/decide.ts';
import type { CacheRules, Lifetime } from '../../../src/prompt-cache/types.ts';
import { always, ENDINGS, FIVE_MINUTES, MARKS, odds, ONE_HOUR } from './rules.ts';

const rules = fc.constantFrom<CacheRules>(MARKS, ENDINGS, { ...MARKS, minTokens: 1, read: 0.5 });

const candidates: fc.Arbitrary<Candidate[]> = fc
  .array(
    fc.record({
      more: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 20_000 })),
      odds,
      later: odds,
      grows: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => {
    let tokens = 0;
    return parts.map(({ more, ...rest }, block) => ({ block, tokens: (tokens += more), ...rest }));
  });

/** Candidates of which the first few can be read already, some of them for long. */
const situation = fc
  .tuple(candidates, fc.nat(4), fc.nat(4), rules)
  .map(([list, read, long, of]) => {
    const tokensAt = (i: number): number => {
      const tokens = list[i]?.tokens ?? 0;
      return tokens >= of.minTokens ? tokens : 0;
    };
    const kept: Kept = {
      tokens: tokensAt(read - 1),
      longTokens: Math.min(tokensAt(read - 1), tokensAt(long - 1)),
    };
    return { list, kept, of };
  });

type Decisions = ReadonlyArray<Lifetime | undefined>;

const msOf = (lifetime: Lifetime | undefined): number => lifetime?.ms ?? 0;

function neverGrows(decisions: Decisions): boolean {
  return decisions.every((one, i) => i === 0 || msOf(one) <= msOf(decisions[i - 1]));
}

/** What decisions cost: each part as it is kept, less what a long first part saves for the short-lived ones before it. */
function priceOf(
  list: readonly Candidate[],
  kept: Kept,
  of: CacheRules,
  chosen: Decisions,
): number {
  let sum = 0;
  let waiting = 0;
  let saved = 0;
  let before = 0;
  let isFirst = true;
  for (const [i, candidate] of list.entries()) {
    const costs = new Map(costsOf(candidate, of));
    const upkeep = (lifetime: Lifetime): number => (costs.get(lifetime) ?? 0) - lifetime.write;
    const shortest = of.lifetimes[0]!;
    const longest = of.lifetimes.at(-1)!;
    if (candidate.tokens <= kept.tokens) {
      const short = Math.max(0, candidate.tokens - Math.max(before, kept.longTokens));
      saved += short * Math.max(0, upkeep(shortest) - upkeep(longest));
    } else {
      waiting += candidate.tokens - Math.max(before, kept.tokens);
      if (candidate.tokens >= of.minTokens) {
        sum += waiting * (costs.get(chosen[i]) ?? 0);
        if (isFirst && chosen[i] === longest) sum -= saved;
        waiting = 0;
        isFirst = false;
      }
    }
    before = candidate.tokens;
  }
  return sum;
}

function* allLegal(count: number, of: CacheRules): Generator<Decisions> {
  if (count === 0) {
    yield [];
    return;
  }
  for (const start of allLegal(count - 1, of)) {
    for (const next of [...of.lifetimes, undefined]) {
      const decisions = [...start, next];
      if (neverGrows(decisions)) yield decisions;
    }
  }
}

describe('what to keep', () => {
  test('lifetimes never grow with depth', () => {
    fc.assert(
      fc.property(situation, ({ list, kept, of }) => {
        const decisions = decide(list, kept, of);
        expect(decisions).toHaveLength(list.length);
        expect(neverGrows(decisions)).toBe(true);
      }),
    );
  });

  test('no legal choice is cheaper', () => {
    fc.assert(
      fc.property(situation, ({ list, kept, of }) => {
        const price = priceOf(list, kept, of, decide(list, kept, of));
        for (const other of allLegal(list.length, of)) {
          expect(price).toBeLessThanOrEqual(priceOf(list, kept, of, other) + 1e-6);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a prefix below the minimum is kept only as a part of a deeper one', () => {
    fc.assert(
      fc.property(situation, ({ list, kept, of }) => {
        const decisions = decide(list, kept, of);
        const last = decisions.findLastIndex((lifetime) => lifetime !== undefined);
        if (last >= 0) expect(list[last]!.tokens).toBeGreaterThanOrEqual(of.minTokens);
      }),
    );
  });

  test('the tokens below the minimum are paid for with the first part above it', () => {
    const at = (block: number, tokens: number, chance: number): Candidate => ({
      block,
      tokens,
      odds: always(chance),
      later: always(chance),
      grows: false,
    });
    // A hundred tokens that surely come back are worth a hundred that do not, but not a thousand.
    const end = [at(1, 1100, 0.1), at(2, 1200, 0.9)];
    const none = { tokens: 0, longTokens: 0 };
    expect(decide([at(0, 1000, 0.1), ...end], none, MARKS).at(-1)).toBeUndefined();
    const kept = { tokens: 1000, longTokens: 1000 };
    const rules = { ...MARKS, minTokens: 900 };
    expect(decide([at(0, 1000, 0.1), ...end], kept, rules).at(-1)).toBeDefined();
  });

  test('what surely does not come back is not written', () => {
    const list = [1, 2].map((block) => ({
      block,
      tokens: 5000 * block,
      odds: always(0.01),
      later: always(0.01),
      grows: false,
    }));
    expect(decide(list, { tokens: 0, longTokens: 0 }, MARKS)).toEqual([undefined, undefined]);
  });

  test('a few new tokens are kept for an hour to carry a long conversation over a pause', () => {
    const pause = { odds: [0, 0, 0, 0.1, 0.8, 0.8], later: [0, 0, 0, 0.1, 0.8, 0.8], grows: true };
    const list = [
      { block: 5, tokens: 50_000, ...pause },
      { block: 6, tokens: 50_050, ...pause },
      { block: 7, tokens: 51_000, ...pause },
    ];
    const kept = { tokens: 50_000, longTokens: 0 };
    expect(decide(list, kept, MARKS)[1]).toBe(ONE_HOUR);
    // What lives long already needs no such mark.
    const alone = { ...kept, longTokens: 50_000 };
    const costs = priceOf(list, alone, MARKS, decide(list, alone, MARKS));
    expect(costs).toBeGreaterThan(priceOf(list, kept, MARKS, decide(list, kept, MARKS)));
  });
});

describe('when a write pays', () => {
  test.each([
    [FIVE_MINUTES, 0.1, 0.217, 0.278],
    [ONE_HOUR, 0.1, 0.526, 1.111],
  ])('$ttl', (lifetime, read, wanted, reads) => {
    const chance = breakEven(lifetime, read);
    expect(chance).toBeCloseTo(wanted, 3);
    expect(chance / (1 - chance)).toBeCloseTo(reads, 3);
  });

  test('with equal odds now and later, from the break-even on and not before', () => {
    const only = { ...MARKS, lifetimes: [FIVE_MINUTES] };
    const least = breakEven(FIVE_MINUTES, only.read);
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (chance) => {
        fc.pre(Math.abs(chance - least) > 1e-6);
        const candidate: Candidate = {
          block: 0,
          tokens: 2000,
          odds: always(chance),
          later: always(chance),
          grows: false,
        };
        const [decision] = decide([candidate], { tokens: 0, longTokens: 0 }, only);
        expect(decision !== undefined).toBe(chance > least);
      }),
    );
  });

  test('costs are numbers, the plain price of one request at least, for any odds', () => {
    fc.assert(
      fc.property(odds, odds, fc.boolean(), rules, (now, later, grows, of) => {
        const costs = costsOf({ block: 0, tokens: 1, odds: now, later, grows }, of);
        expect(costs.map(([lifetime]) => lifetime)).toEqual([undefined, ...of.lifetimes]);
        for (const [lifetime, cost] of costs) {
          expect(cost).toBeGreaterThanOrEqual(lifetime?.write ?? 1);
          expect(cost).toBeLessThan(Infinity);
        }
      }),
    );
  });
});
