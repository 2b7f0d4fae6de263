import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cost } from '../../../src/pricing/cost.ts';
import { usd } from '../../../src/util/usd.ts';
import { lostPico } from '../../../src/prompt-cache/diagnosis/lost-money.ts';
import type { Cost, TokenUsage } from '../../../src/types.ts';
import { rules } from './prompts.ts';

const rates = { input: 3_000_000, cacheRead: 300_000, cacheWrite: 3_750_000, output: 15_000_000 };

function billed(uncached: number, cacheRead: number, cacheWrite: number): [TokenUsage, Cost] {
  const usage: TokenUsage = {
    inputTokens: { uncached, cacheRead, cacheWrite, total: uncached + cacheRead + cacheWrite },
    outputTokens: { total: 1 },
    grade: 'exact',
  };
  const parts = cost(usage, rates);
  const print = (amount: bigint | undefined) => (amount === undefined ? undefined : usd(amount));
  return [
    usage,
    {
      usd: print(parts.total) ?? null,
      inputUsd: print(parts.input),
      cacheReadUsd: print(parts.cacheRead),
      cacheWriteUsd: print(parts.cacheWrite),
      price: 'exact',
    },
  ];
}

describe('lostPico', () => {
  test.each([
    ['paid in full', 1000, billed(5000, 0, 0), 1000n * 2_700_000n],
    ['written again', 1000, billed(10, 0, 5000), 1000n * 3_450_000n],
    ['written again, nothing plain', 1000, billed(0, 0, 5000), 1000n * 3_450_000n],
    [
      'partly read',
      1000,
      billed(400, 700, 600),
      600n * 3_750_000n + 400n * 3_000_000n - 300_000_000n,
    ],
    ['more than there was', 9000, billed(1000, 0, 0), 1000n * 2_700_000n],
    ['nothing', 0, billed(1000, 0, 0), 0n],
  ])('%s', (_name, lost, [usage, amounts], expected) => {
    expect(lostPico(lost, usage, amounts, rules)).toBe(expected);
  });

  test('is not known without a price', () => {
    const [usage] = billed(1000, 0, 0);
    expect(lostPico(500, usage, { usd: null, price: 'unpriced' }, rules)).toBeUndefined();
  });

  test('is what the bill would have been lower by', () => {
    const tokens = fc.integer({ min: 1, max: 2_000_000 });
    fc.assert(
      fc.property(tokens, tokens, tokens, tokens, (uncached, read, written, lost) => {
        const [usage, amounts] = billed(uncached, read, written);
        const fromWrites = Math.min(lost, written);
        const fromInput = Math.min(lost - fromWrites, uncached);
        const better = cost(
          {
            ...usage,
            inputTokens: {
              uncached: uncached - fromInput,
              cacheRead: read + fromWrites + fromInput,
              cacheWrite: written - fromWrites,
              total: uncached + read + written,
            },
          },
          rates,
        );
        const saved = (cost(usage, rates).total ?? 0n) - (better.total ?? 0n);
        expect(lostPico(lost, usage, amounts, rules)).toBe(saved);
      }),
    );
  });
});
