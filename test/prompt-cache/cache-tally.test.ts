import { describe, expect, test } from 'vitest';
import type { CacheRequest } from '../../src/prompt-cache/cache-request.ts';
import { createCacheTally } from '../../src/prompt-cache/cache-tally.ts';
import type { PlanDraft } from '../../src/prompt-cache/planner/planner.ts';
import type { TokenUsage } from '../../src/types.ts';
import { FIVE_MINUTES, MARKS, ONE_HOUR } from './planner/rules.ts';

/** Two dollars for a million tokens. */
const PRICES = { inputPico: 2_000_000, read: 0.1, write: 1.25, write1h: 2 };

const request = (more: Partial<CacheRequest> = {}): CacheRequest =>
  ({
    mode: 'observe',
    rules: MARKS,
    sold: MARKS.lifetimes,
    prices: PRICES,
    ...more,
  }) as unknown as CacheRequest;

const draft = (expectedRead: number, ...expectedWrites: PlanDraft['expectedWrites']): PlanDraft =>
  ({ expectedRead, expectedWrites }) as unknown as PlanDraft;

const usage = (inputTokens: TokenUsage['inputTokens']): TokenUsage => ({
  inputTokens,
  outputTokens: {},
  grade: 'exact',
});

describe('sums', () => {
  test('nothing yet', () => {
    expect(createCacheTally().snapshot()).toEqual({
      held: { calls: 0, ms: 0 },
      tokens: { total: 0, read: 0, written: 0, expectedRead: 0 },
      observed: { calls: 0, savedUsd: '0' },
    });
  });

  test('what was waited', () => {
    const tally = createCacheTally();
    tally.held(10);
    tally.held(5);
    expect(tally.snapshot().held).toEqual({ calls: 2, ms: 15 });
  });

  test('what was reported and expected', () => {
    const tally = createCacheTally();
    const auto = request({ mode: 'auto' });
    tally.count(
      auto,
      draft(900),
      usage({ total: 1000, cacheRead: 800, cacheWrite: 50, cacheWrite1h: 7 }),
    );
    tally.count(auto, draft(100), usage({ total: 1000 }));
    tally.count(auto, draft(100), usage({}));
    expect(tally.snapshot().tokens).toEqual({
      total: 2000,
      read: 800,
      written: 57,
      expectedRead: 1000,
    });
    expect(tally.snapshot().observed.calls).toBe(0);
  });

  test('a snapshot does not change afterwards', () => {
    const tally = createCacheTally();
    const before = tally.snapshot();
    tally.held(10);
    tally.count(request(), draft(0), usage({ total: 1 }));
    expect(before).toEqual(createCacheTally().snapshot());
  });
});

describe('what would have been saved', () => {
  const saved = (
    given: CacheRequest,
    plan: PlanDraft,
    input: TokenUsage['inputTokens'],
  ): string => {
    const tally = createCacheTally();
    tally.count(given, plan, usage(input));
    return tally.snapshot().observed.savedUsd;
  };

  test.each<[string, PlanDraft, TokenUsage['inputTokens'], string]>([
    // 900 000 tokens at nine tenths of the price.
    ['a read', draft(900_000), { total: 1_000_000 }, '1.62'],
    ['a write costs more', draft(0, [FIVE_MINUTES, 1_000_000]), { total: 1_000_000 }, '-0.5'],
    ['for an hour more still', draft(0, [ONE_HOUR, 1_000_000]), { total: 1_000_000 }, '-2'],
    ['the host read it already', draft(900_000), { total: 1_000_000, cacheRead: 900_000 }, '0'],
    [
      'the host wrote it for an hour',
      draft(0, [FIVE_MINUTES, 1_000_000]),
      { total: 1_000_000, cacheWrite1h: 1_000_000 },
      '1.5',
    ],
  ])('%s', (_name, plan, input, wanted) => {
    expect(saved(request(), plan, input)).toBe(wanted);
  });

  test('the host’s writes have their own price, whatever lifetime is wished for', () => {
    const forced = request({ rules: { ...MARKS, lifetimes: [ONE_HOUR] } });
    expect(saved(forced, draft(0), { total: 1_000_000, cacheWrite: 1_000_000 })).toBe('0.5');
  });

  test('without a price nothing is counted', () => {
    const tally = createCacheTally();
    tally.count(request({ prices: undefined }), draft(5), usage({ total: 10 }));
    expect(tally.snapshot().observed).toEqual({ calls: 0, savedUsd: '0' });
  });
});
