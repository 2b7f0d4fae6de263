import { describe, expect, test } from 'vitest';
import {
  historySchema,
  promptCacheSchema,
  promptCacheSettings,
  wishOf,
  type PromptCacheSettings,
} from '../../src/prompt-cache/settings.ts';
import type { PromptCacheWish } from '../../src/types.ts';

describe('options', () => {
  test('without any, everything has its default', () => {
    expect(promptCacheSettings()).toEqual({
      mode: 'auto',
      ttl: 'auto',
      maxHoldMs: 5000,
      tools: 'stable',
      canonical: true,
      systemFirst: false,
      maxPrefixes: 65_536,
      maxBytes: 64 * 1024 * 1024,
    });
  });

  test('a mode alone is short for an object with it', () => {
    expect(promptCacheSchema.parse('observe')).toEqual({ mode: 'observe' });
    expect(promptCacheSettings({ mode: 'observe' })).toEqual({
      ...promptCacheSettings(),
      mode: 'observe',
    });
  });

  test('what is given goes before the defaults, 0 and false too', () => {
    const given = {
      mode: 'off',
      ttl: '1h',
      warmup: { maxHoldMs: 0 },
      tools: 'keep',
      canonical: false,
      systemFirst: true,
      maxPrefixes: 7,
      maxBytes: 8,
    } as const;
    const { warmup, ...rest } = given;
    expect(promptCacheSettings(given)).toEqual({ ...rest, maxHoldMs: warmup.maxHoldMs });
    expect(promptCacheSettings({ warmup: {}, mode: undefined })).toEqual(promptCacheSettings());
  });

  test.each([
    'auto',
    'observe',
    'off',
    {},
    { mode: 'auto', ttl: '5m', tools: 'sort' },
    { warmup: {} },
    { warmup: { maxHoldMs: 0 } },
    { maxPrefixes: 1, maxBytes: 1 },
  ])('%j is taken', (given) => {
    expect(promptCacheSchema.safeParse(given).success).toBe(true);
  });

  test.each([
    'on',
    true,
    { mod: 'auto' },
    { ttl: '30m' },
    { warmup: { maxHold: 1 } },
    { warmup: { maxHoldMs: -1 } },
    { warmup: { maxHoldMs: Number.POSITIVE_INFINITY } },
    { maxPrefixes: 0 },
    { maxPrefixes: 1.5 },
    { maxBytes: 0 },
    { canonical: 'yes' },
  ])('%j is refused', (given) => {
    expect(promptCacheSchema.safeParse(given).success).toBe(false);
  });

  test.each([
    [{ maxInputTokens: 1 }, true],
    [{ maxInputTokens: 100, keepLastTurns: 1 }, true],
    [{}, false],
    [{ maxInputTokens: 0 }, false],
    [{ maxInputTokens: 100, keepLastTurns: 0 }, false],
    [{ maxInputTokens: 100, keep: 1 }, false],
  ])('history %j: %s', (given, isTaken) => {
    expect(historySchema.safeParse(given).success).toBe(isTaken);
  });
});

describe('one call’s own word', () => {
  test.each<
    [PromptCacheSettings['mode'], PromptCacheWish | undefined, PromptCacheSettings['mode'], string]
  >([
    ['auto', undefined, 'auto', 'auto'],
    ['off', undefined, 'off', 'auto'],
    ['auto', 'off', 'off', 'auto'],
    ['off', 'auto', 'auto', 'auto'],
    ['auto', 'observe', 'observe', 'auto'],
    ['auto', '1h', 'auto', '1h'],
    ['off', '5m', 'auto', '5m'],
    ['observe', '1h', 'observe', '1h'],
  ])('router %s, call %s: mode %s, lifetime %s', (mode, promptCache, wanted, ttl) => {
    const wish = wishOf(
      promptCacheSettings({ mode }),
      promptCache === undefined ? {} : { promptCache },
    );
    expect(wish).toEqual({ mode: wanted, ttl });
  });

  test('the router’s lifetime stays where the call names a mode', () => {
    const settings = promptCacheSettings({ ttl: '1h' });
    expect(wishOf(settings, { promptCache: 'auto' })).toEqual({ mode: 'auto', ttl: '1h' });
    expect(wishOf(settings, { promptCache: '5m' })).toEqual({ mode: 'auto', ttl: '5m' });
  });
});
