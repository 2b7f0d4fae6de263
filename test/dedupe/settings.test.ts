import { describe, expect, test } from 'vitest';
import {
  dedupeSchema,
  responseCacheSchema,
  responseCacheSettings,
} from '../../src/dedupe/settings.ts';

describe('what is taken', () => {
  test.each([{}, { mode: 'deterministic' }, { mode: 'all' }, { mode: 'off' }])('%j', (given) => {
    expect(dedupeSchema.parse(given)).toEqual(given);
  });

  test.each([{}, { maxEntries: 1, maxBytes: 1, ttlMs: 1 }, { ttlMs: 31_536_000_000 }])(
    '%j',
    (given) => {
      expect(responseCacheSchema.parse(given)).toEqual(given);
    },
  );
});

describe('what is not', () => {
  test.each([{ mode: 'on' }, { modes: 'off' }, 'off', { mode: null }])('%j', (given) => {
    expect(dedupeSchema.safeParse(given).success).toBe(false);
  });

  test.each([
    { maxEntries: 0 },
    { maxEntries: 1.5 },
    { maxEntries: 1_000_001 },
    { maxBytes: 0 },
    { ttlMs: 0 },
    { ttlMs: Infinity },
    { ttl: 1 },
    true,
  ])('%j', (given) => {
    expect(responseCacheSchema.safeParse(given).success).toBe(false);
  });
});

test('defaults', () => {
  expect(responseCacheSettings({})).toEqual({
    maxEntries: 1000,
    maxBytes: 64 * 1024 * 1024,
    ttlMs: 300_000,
  });
});
