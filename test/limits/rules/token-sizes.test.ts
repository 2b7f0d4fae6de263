import { describe, expect, test } from 'vitest';
import {
  type Reservation,
  type Taken,
  tokenCount,
  TokenSizes,
} from '../../../src/limits/rules/token-sizes.ts';
import type { Demand } from '../../../src/limits/types.ts';

function demand(inputTokens: number, maxOutputTokens?: number, cachedTokens = 0): Demand {
  const who = { priority: 'normal', arrivedAt: 0, attempt: 1, attemptsLeft: 0 } as const;
  return { ...who, inputTokens, cachedTokens, maxOutputTokens };
}

const ROOMY = 10_000_000;
const TIGHT = 10_000;

function answered(sizes: TokenSizes, asked: Demand, taken: Partial<Taken> = {}): Reservation {
  const reservation = sizes.reserve(asked);
  sizes.open(reservation);
  sizes.close(reservation);
  sizes.learn(reservation, { input: undefined, output: undefined, isWhole: true, ...taken });
  return reservation;
}

describe('output', () => {
  test('before anything is known: what the request allows, else 4096', () => {
    expect(new TokenSizes(TIGHT, true).reserve(demand(10, 500)).output).toBe(500);
    expect(new TokenSizes(TIGHT, true).reserve(demand(10)).output).toBe(4096);
  });

  test('then the largest of late and a tenth, at most what the request allows', () => {
    const sizes = new TokenSizes(TIGHT, true);
    for (const output of [100, 200, 50]) answered(sizes, demand(10, 1000), { output });
    expect(sizes.reserve(demand(10, 1000)).output).toBe(220);
    answered(sizes, demand(10, 1000), { output: 990 });
    expect(sizes.reserve(demand(10, 1000)).output).toBe(1000);
  });

  test('requests that allow far less or more say nothing of each other', () => {
    const sizes = new TokenSizes(TIGHT, true);
    answered(sizes, demand(10, 10), { output: 5 });
    expect(sizes.reserve(demand(10, 8)).output).toBe(6);
    expect(sizes.reserve(demand(10, 4000)).output).toBe(4000);
    expect(sizes.reserve(demand(10)).output).toBe(4096);
  });

  test('an answer that grows is known at once, one that was broken off only as far as it came', () => {
    const sizes = new TokenSizes(TIGHT, true);
    const grown = sizes.reserve(demand(10));
    sizes.grew(grown, 1000);
    expect(sizes.reserve(demand(10)).output).toBe(1100);
    answered(sizes, demand(10), { output: 3000, isWhole: false });
    expect(sizes.reserve(demand(10)).output).toBe(3300);
  });

  test('when too many would rely on it: what the request allows, else four times as much', () => {
    const sizes = new TokenSizes(TIGHT, true);
    answered(sizes, demand(10), { output: 2000 });
    answered(sizes, demand(10, 1000), { output: 100 });
    answered(sizes, demand(10, 9000), { output: 100 });
    sizes.open(sizes.reserve(demand(10)));
    expect(sizes.reserve(demand(10)).output).toBe(8800);
    expect(sizes.reserve(demand(10, 1000)).output).toBe(1000);
    expect(sizes.reserve(demand(10, 9000)).output).toBe(9000);
  });

  test('where even all that it allows is not much of the limit: within reason', () => {
    const sizes = new TokenSizes(300_000, true);
    answered(sizes, demand(10, 60_000), { output: 2000 });
    for (let i = 0; i < 2; i++) sizes.open(sizes.reserve(demand(10, 60_000)));
    expect(sizes.reserve(demand(10, 60_000)).output).toBe(8800);
  });

  test('a roomy limit lets more rely on it than a tight one', () => {
    for (const [limit, expected] of [
      [ROOMY, 110],
      [TIGHT, 1000],
    ] as const) {
      const sizes = new TokenSizes(limit, true);
      for (let i = 0; i < 8; i++) answered(sizes, demand(10, 1000), { output: 100 });
      sizes.open(sizes.reserve(demand(10, 1000)));
      expect(sizes.reserve(demand(10, 1000)).output).toBe(expected);
    }
  });

  test('without a word of what was taken, the next is reserved the same', () => {
    const sizes = new TokenSizes(TIGHT, true);
    answered(sizes, demand(10));
    expect(sizes.reserve(demand(10)).output).toBe(4096);
  });
});

describe('input', () => {
  test('the estimate, until something is known', () => {
    expect(new TokenSizes(TIGHT, true).reserve(demand(100.2)).input).toBe(101);
    expect(new TokenSizes(TIGHT, true).reserve(demand(0)).input).toBe(1);
  });

  test('then by the largest ratio or the largest excess, whichever is less', () => {
    const sizes = new TokenSizes(TIGHT, true);
    answered(sizes, demand(1000), { input: 1500 });
    answered(sizes, demand(10), { input: 110 });
    // 11 times as much at most, or 500 more.
    expect(sizes.reserve(demand(10)).input).toBe(110);
    expect(sizes.reserve(demand(1000)).input).toBe(1500);
    expect(sizes.reserve(demand(20_000)).input).toBe(20_500);
  });

  test('also where estimates are too high', () => {
    const sizes = new TokenSizes(TIGHT, true);
    answered(sizes, demand(1000), { input: 500 });
    expect(sizes.reserve(demand(100)).input).toBe(50);
  });

  test('when too many would rely on it: four times as much and a thousand', () => {
    const sizes = new TokenSizes(TIGHT, true);
    sizes.open(sizes.reserve(demand(100)));
    const next = sizes.reserve(demand(100));
    expect(next.input).toBe(1400);
    expect(next.likelyInput).toBe(100);
  });

  test('what is read from the cache counts unless the rule says not', () => {
    const all = new TokenSizes(TIGHT, true);
    expect(all.reserve(demand(1000, 10, 900)).input).toBe(1000);
    expect(all.countedInput(1000, 900)).toBe(1000);
    const fresh = new TokenSizes(TIGHT, false);
    expect(fresh.reserve(demand(1000, 10, 900)).input).toBe(100);
    expect(fresh.countedInput(1000, 900)).toBe(100);
    expect(fresh.countedInput(1000, undefined)).toBe(1000);
    expect(fresh.countedInput(10, 900)).toBe(0);
    expect(fresh.countedInput(undefined, 900)).toBeUndefined();
  });
});

test.each([
  [undefined, undefined],
  [Number.NaN, undefined],
  [-1, undefined],
  [0, 0],
  [1.2, 2],
  [Infinity, 1_000_000_000],
])('a count of %s is %s', (given, count) => {
  expect(tokenCount(given)).toBe(count);
});

test('numbers that make no sense give reservations that can be added up', () => {
  const sizes = new TokenSizes(TIGHT, true);
  for (const odd of [Number.NaN, -5, Infinity, 1e300]) {
    const { input, output } = answered(sizes, demand(odd, odd));
    expect(Number.isSafeInteger(input)).toBe(true);
    expect(Number.isSafeInteger(output)).toBe(true);
  }
});
