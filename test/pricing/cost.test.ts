import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { cost } from '../../src/pricing/cost.ts';
import type { CostParts } from '../../src/pricing/cost.ts';
import type { Rates } from '../../src/pricing/rates.ts';
import type { TokenUsage } from '../../src/types.ts';

const tokens = fc.oneof(fc.nat({ max: 2_000_000 }), fc.nat({ max: 2 ** 40 }));
const rate = fc.nat({ max: 600_000_000 });

interface Buckets {
  uncached: number;
  cacheRead: number;
  cacheWrite: number;
  cacheWrite1h: number;
  output: number;
}

const buckets: fc.Arbitrary<Buckets> = fc.record({
  uncached: tokens,
  cacheRead: tokens,
  cacheWrite: tokens,
  cacheWrite1h: tokens,
  output: tokens,
});

const fullRates = fc.record({
  input: rate,
  cacheRead: rate,
  cacheWrite: rate,
  cacheWrite1h: rate,
  output: rate,
});

function usageOf({ output, ...input }: Buckets): TokenUsage {
  const total = input.uncached + input.cacheRead + input.cacheWrite + input.cacheWrite1h;
  return { inputTokens: { ...input, total }, outputTokens: { total: output }, grade: 'exact' };
}

const known = fc.option(
  fc.oneof(tokens, fc.double(), fc.integer({ max: -1 }), fc.constant(Number.NaN)),
  { nil: undefined },
);
const anyUsage: fc.Arbitrary<TokenUsage> = fc.record({
  inputTokens: fc.record({
    total: known,
    uncached: known,
    cacheRead: known,
    cacheWrite: known,
    cacheWrite1h: known,
  }),
  outputTokens: fc.record({ total: known, reasoning: known }),
  grade: fc.constantFrom('exact', 'partial', 'estimated', 'none'),
});
const anyRates: fc.Arbitrary<Rates> = fc.record(
  { input: rate, cacheRead: rate, cacheWrite: rate, cacheWrite1h: rate, output: rate },
  { requiredKeys: ['input'] },
);

describe('cost algebra', () => {
  test('equals the sum of tokens times rates in whole numbers of any size', () => {
    fc.assert(
      fc.property(buckets, fullRates, (b, r) => {
        const parts = cost(usageOf(b), r);
        const input = BigInt(b.uncached) * BigInt(r.input);
        const cacheRead = BigInt(b.cacheRead) * BigInt(r.cacheRead);
        const cacheWrite =
          BigInt(b.cacheWrite) * BigInt(r.cacheWrite) +
          BigInt(b.cacheWrite1h) * BigInt(r.cacheWrite1h);
        const output = BigInt(b.output) * BigInt(r.output);
        expect(parts).toMatchObject({ input, cacheRead, cacheWrite, output, approximate: false });
        expect(parts.total).toBe(input + cacheRead + cacheWrite + output);
      }),
    );
  });

  test('is additive over disjoint usages, bucket by bucket', () => {
    fc.assert(
      fc.property(buckets, buckets, fullRates, (a, b, r) => {
        const both = usageOf({
          uncached: a.uncached + b.uncached,
          cacheRead: a.cacheRead + b.cacheRead,
          cacheWrite: a.cacheWrite + b.cacheWrite,
          cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
          output: a.output + b.output,
        });
        const [x, y, sum] = [cost(usageOf(a), r), cost(usageOf(b), r), cost(both, r)];
        for (const key of ['input', 'cacheRead', 'cacheWrite', 'output', 'total'] as const) {
          expect(sum[key]).toBe((x[key] ?? 0n) + (y[key] ?? 0n));
        }
        expect(sum.saved ?? 0n).toBe((x.saved ?? 0n) + (y.saved ?? 0n));
      }),
    );
  });

  test('what was saved is the difference to the same tokens as plain input', () => {
    fc.assert(
      fc.property(buckets, fullRates, (b, r) => {
        fc.pre(b.cacheRead + b.cacheWrite + b.cacheWrite1h > 0);
        const cached = cost(usageOf(b), r);
        const plain = cost(
          usageOf({
            ...b,
            uncached: b.uncached + b.cacheRead + b.cacheWrite + b.cacheWrite1h,
            cacheRead: 0,
            cacheWrite: 0,
            cacheWrite1h: 0,
          }),
          r,
        );
        expect(cached.saved).toBe((plain.total ?? 0n) - (cached.total ?? 0n));
        expect(plain.saved).toBeUndefined();
      }),
    );
  });

  test('never throws and never goes below zero, whatever the provider reports', () => {
    fc.assert(
      fc.property(anyUsage, anyRates, (usage, rates) => {
        const parts: CostParts = cost(usage, rates);
        for (const key of ['input', 'cacheRead', 'cacheWrite', 'output', 'total'] as const) {
          expect(parts[key] ?? 0n).toBeGreaterThanOrEqual(0n);
        }
      }),
    );
  });

  test('an unknown bucket that is billed leaves the total unknown', () => {
    const rates: Rates = { input: 3, output: 15 };
    const unknownOutput = cost(
      { inputTokens: { total: 10 }, outputTokens: {}, grade: 'partial' },
      rates,
    );
    expect(unknownOutput).toMatchObject({ input: 30n, output: undefined, total: undefined });
    const unknownInput = cost(
      { inputTokens: { cacheRead: 4 }, outputTokens: { total: 2 }, grade: 'partial' },
      rates,
    );
    expect(unknownInput).toMatchObject({ input: undefined, output: 30n, total: undefined });
  });

  test('plain input is what is left of the total', () => {
    const usage: TokenUsage = {
      inputTokens: { total: 100, cacheRead: 40 },
      outputTokens: { total: 0 },
      grade: 'exact',
    };
    expect(cost(usage, { input: 10, cacheRead: 1, output: 0 })).toMatchObject({
      input: 600n,
      cacheRead: 40n,
      approximate: false,
    });
  });

  test('buckets that do not add up to the total are approximate and cost no less', () => {
    const rates: Rates = { input: 10, cacheRead: 1, output: 1 };
    const missing = cost(
      {
        inputTokens: { total: 100, uncached: 50, cacheRead: 40 },
        outputTokens: { total: 0 },
        grade: 'partial',
      },
      rates,
    );
    expect(missing).toMatchObject({ input: 600n, approximate: true });
    // Recorded: OpenRouter reported 2,161 read and 2,161 written tokens of a prompt of 2,168.
    const twice = cost(
      {
        inputTokens: { total: 2168, cacheRead: 2161, cacheWrite: 2161 },
        outputTokens: { total: 100 },
        grade: 'partial',
      },
      rates,
    );
    expect(twice).toMatchObject({ input: 0n, approximate: true });
  });

  test('cache tokens without a price of their own cost as plain input, approximately', () => {
    const usage: TokenUsage = {
      inputTokens: { uncached: 0, cacheRead: 1, cacheWrite: 10, cacheWrite1h: 100 },
      outputTokens: { total: 0 },
      grade: 'exact',
    };
    expect(cost(usage, { input: 2, output: 0 })).toMatchObject({
      cacheRead: 2n,
      cacheWrite: 220n,
      saved: 0n,
      approximate: true,
    });
    expect(cost(usage, { input: 2, cacheWrite: 5, output: 0 }).cacheWrite).toBe(550n);
  });

  test('embeddings need no output, and output without a price is not free', () => {
    const embedding = { inputTokens: { total: 7 }, outputTokens: {}, grade: 'exact' } as const;
    expect(cost(embedding, { input: 3 })).toMatchObject({ total: 21n, output: undefined });
    expect(cost({ ...embedding, outputTokens: { total: 1 } }, { input: 3 }).total).toBeUndefined();
  });

  test('reasoning is a part of the output and not billed twice', () => {
    const usage = {
      inputTokens: { total: 0 },
      outputTokens: { total: 10, reasoning: 9 },
      grade: 'exact',
    } as const;
    expect(cost(usage, { input: 1, output: 5 }).output).toBe(50n);
  });
});
