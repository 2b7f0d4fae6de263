import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateUsage } from '../../src/tokens/estimate-usage.ts';
import type { TokenCounter } from '../../src/tokens/token-counter.ts';
import type { TokenUsage } from '../../src/types.ts';

/** One token per character. */
const counter: TokenCounter = {
  estimate: (text) => text.length,
  count: async (text) => text.length,
};
const NOTHING: TokenUsage = { inputTokens: {}, outputTokens: {}, grade: 'none' };
const BODY = JSON.stringify({ messages: [{ role: 'user', content: 'twelve chars' }] });
/** 12 characters, 4 for the message, 3 for the reply. */
const BODY_TOKENS = 19;

function estimate(
  reported: TokenUsage,
  changes: Partial<Parameters<typeof estimateUsage>[0]> = {},
): Promise<TokenUsage> {
  return estimateUsage({
    counter,
    reported,
    requestBody: BODY,
    outputText: 'eight ch',
    outputShare: 1,
    ...changes,
  });
}

describe('estimateUsage', () => {
  test('counts everything when nothing is reported', async () => {
    expect(await estimate(NOTHING)).toEqual({
      inputTokens: { total: BODY_TOKENS, uncached: BODY_TOKENS },
      outputTokens: { total: 8 },
      grade: 'estimated',
    });
  });

  test('keeps reported input and counts the output', async () => {
    const reported: TokenUsage = {
      inputTokens: { total: 100, uncached: 40, cacheRead: 60 },
      outputTokens: {},
      grade: 'partial',
      raw: { a: 1 },
    };
    expect(await estimate(reported)).toEqual({
      ...reported,
      outputTokens: { total: 8 },
      grade: 'partial',
    });
  });

  test('leaves a whole report alone, its grade included', async () => {
    const reported: TokenUsage = {
      inputTokens: { total: 9, uncached: 9 },
      outputTokens: { total: 2, reasoning: 1 },
      grade: 'exact',
    };
    expect(await estimate(reported)).toEqual(reported);
  });

  test('a missing total is the sum of reported parts, not an estimate', async () => {
    const reported: TokenUsage = {
      inputTokens: { uncached: 5, cacheWrite1h: 7 },
      outputTokens: { total: 1 },
      grade: 'partial',
    };
    expect((await estimate(reported)).inputTokens).toEqual({
      uncached: 5,
      cacheWrite1h: 7,
      total: 12,
    });
  });

  test('the uncached part of a reported total is what the caches leave', async () => {
    const reported: TokenUsage = {
      inputTokens: { total: 100, cacheRead: 30 },
      outputTokens: { total: 1 },
      grade: 'exact',
    };
    expect(await estimate(reported)).toEqual({
      ...reported,
      inputTokens: { total: 100, cacheRead: 30, uncached: 70 },
    });
  });

  test('scales the output by the share that was seen', async () => {
    expect((await estimate(NOTHING, { outputShare: 0.25 })).outputTokens.total).toBe(32);
    expect((await estimate(NOTHING, { outputShare: 7 })).outputTokens.total).toBe(8);
  });

  test.each([0, -1, Number.NaN])(
    'leaves the output unknown for a share of %d',
    async (outputShare) => {
      expect((await estimate(NOTHING, { outputShare })).outputTokens.total).toBeUndefined();
    },
  );

  test('no output text is no output', async () => {
    expect((await estimate(NOTHING, { outputText: '' })).outputTokens.total).toBe(0);
  });

  test.each([undefined, 'not json', `"${'x'.repeat(4 * 1024 * 1024)}"`])(
    'leaves the input unknown without a body to read',
    async (requestBody) => {
      const usage = await estimate(NOTHING, { requestBody });
      expect(usage.inputTokens).toEqual({});
      expect(usage.grade).toBe('estimated');
    },
  );

  test('stays without a grade when there is nothing to count', async () => {
    expect(await estimate(NOTHING, { requestBody: undefined, outputShare: 0 })).toEqual(NOTHING);
  });

  test('buckets add up and reported numbers stay, whatever was reported', async () => {
    const tokens = fc.option(fc.nat(200), { nil: undefined });
    const caches = fc.record({ cacheRead: tokens, cacheWrite: tokens, cacheWrite1h: tokens });
    // A total, where one is reported, is at least the sum of its parts, and equal to it once all are known.
    const parts = fc.tuple(caches, tokens, fc.boolean()).map(([cached, uncached, withTotal]) => {
      const known = Object.values(cached).reduce<number>(
        (sum, part) => sum + (part ?? 0),
        uncached ?? 0,
      );
      const total = uncached === undefined ? known + 50 : known;
      return { ...cached, uncached, total: withTotal ? total : undefined };
    });
    const output = fc.record({ total: tokens, reasoning: tokens });
    await fc.assert(
      fc.asyncProperty(parts, output, async (inputTokens, outputTokens) => {
        const usage = await estimate({ inputTokens, outputTokens, grade: 'partial' });
        const { total, ...buckets } = usage.inputTokens;
        expect(Object.values(buckets).reduce<number>((sum, part) => sum + (part ?? 0), 0)).toBe(
          total,
        );
        for (const [name, value] of Object.entries(inputTokens)) {
          if (value !== undefined) expect(usage.inputTokens).toHaveProperty(name, value);
        }
        expect(usage.outputTokens.total).toBe(
          outputTokens.total ?? Math.max(8, outputTokens.reasoning ?? 0),
        );
      }),
    );
  });
});

describe('prompt overhead', () => {
  const tools = [{ name: 'f', input_schema: {} }];
  const content = '';
  const inputOf = async (model: string, body: unknown): Promise<number | undefined> =>
    (await estimate(NOTHING, { model, requestBody: JSON.stringify(body) })).inputTokens.total;

  test.each([
    ['gpt-4o', 'messages', 0],
    ['gpt-5-mini', 'messages', 82],
    ['gpt-5-mini', 'input', 0],
    ['claude-sonnet-4-20250514', 'messages', 377],
    ['claude-3-5-haiku-latest', 'messages', 377],
    ['claude-sonnet-4-5', 'messages', 611],
  ])('%s with tools in %s: %i more than gpt-4o', async (model, member, more) => {
    const base = await inputOf('gpt-4o', { [member]: [{ content }], tools });
    expect(await inputOf(model, { [member]: [{ content }], tools })).toBe(base! + more);
  });

  test('Gemini has none', async () => {
    expect(await inputOf('gemini-2.5-flash', { contents: [{ parts: [{ text: 'abc' }] }] })).toBe(3);
  });
});
