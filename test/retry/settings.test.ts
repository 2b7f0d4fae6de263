import { expect, test } from 'vitest';
import { retrySchema, retrySettings } from '../../src/retry/settings.ts';

test('three attempts, for as long as they take, unless told otherwise', () => {
  expect(retrySettings()).toEqual({ maxAttempts: 3, maxElapsedMs: Infinity });
  expect(retrySettings({ maxAttempts: 1, maxElapsedMs: 0 })).toEqual({
    maxAttempts: 1,
    maxElapsedMs: 0,
  });
});

test.each([
  {},
  { maxAttempts: 1 },
  { maxAttempts: 100, maxElapsedMs: 86_400_000 },
  { maxAttempts: undefined, maxElapsedMs: undefined },
])('takes %o', (options) => {
  expect(retrySchema.parse(options)).toEqual(options);
});

test.each([
  { maxAttempts: 0 },
  { maxAttempts: 101 },
  { maxAttempts: 1.5 },
  { maxAttempts: '3' },
  { maxElapsedMs: -1 },
  { maxElapsedMs: Infinity },
  { maxRetries: 2 },
  3,
])('refuses %o', (options) => {
  expect(retrySchema.safeParse(options).success).toBe(false);
});
