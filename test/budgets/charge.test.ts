import { describe, expect, test } from 'vitest';
import { chargeOf, isBilled } from '../../src/budgets/charge.ts';
import { Attempt } from '../../src/call.ts';
import { sampleRecord } from '../../src/testing/index.ts';
import type { UsageRecord } from '../../src/types.ts';

const unpriced = { usd: null, price: 'unpriced' } as const;
const record = (parts: Partial<UsageRecord>): UsageRecord => sampleRecord(parts);
const usage = (input: number | undefined, output: number | undefined) => ({
  inputTokens: input === undefined ? {} : { total: input },
  outputTokens: output === undefined ? {} : { total: output },
  grade: 'exact' as const,
});
const reserved = { usd: 77n, input: 30, output: 40 };
const fallback = { input: 2n, output: 3n };

describe('what counts', () => {
  test('is what the record says, whatever was reserved', () => {
    const given = record({
      usage: usage(10, 5),
      cost: { usd: '0.000000000123', price: 'approximate' },
    });
    expect(chargeOf(given, true, fallback, reserved)).toEqual({
      usd: 123n,
      tokens: 15n,
      isUncounted: false,
    });
  });

  test('tokens of all buckets, where their sum is not given', () => {
    const given = record({
      usage: {
        inputTokens: { uncached: 1, cacheRead: 20, cacheWrite: 300, cacheWrite1h: 4000 },
        outputTokens: { total: 50_000, reasoning: 40_000 },
        grade: 'exact',
      },
      cost: { usd: '1', price: 'exact' },
    });
    expect(chargeOf(given, true, undefined, undefined).tokens).toBe(54_321n);
  });

  test('without a price: the fallback, else what was reserved, else nothing, which is said', () => {
    const given = record({ usage: usage(10, 5), cost: unpriced });
    expect(chargeOf(given, true, fallback, undefined).usd).toBe(35n);
    expect(chargeOf(given, true, undefined, reserved)).toEqual({
      usd: 77n,
      tokens: 15n,
      isUncounted: false,
    });
    expect(chargeOf(given, true, undefined, undefined)).toEqual({
      usd: 0n,
      tokens: 15n,
      isUncounted: true,
    });
  });

  test('without a usage: what was reserved', () => {
    const given = record({
      usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
      cost: unpriced,
    });
    expect(chargeOf(given, true, undefined, reserved)).toMatchObject({ usd: 77n, tokens: 70n });
    expect(chargeOf(given, true, fallback, reserved)).toMatchObject({ usd: 180n, tokens: 70n });
    expect(chargeOf(given, true, fallback, undefined)).toMatchObject({
      usd: 0n,
      isUncounted: true,
    });
  });

  test('nothing where there was no answer', () => {
    const given = record({ usage: usage(undefined, undefined), cost: unpriced });
    expect(chargeOf(given, false, fallback, reserved)).toEqual({
      usd: 0n,
      tokens: 0n,
      isUncounted: false,
    });
  });
});

describe('what is billed', () => {
  const asked = {
    endpoint: { provider: 'openai', api: 'responses' as const },
    json: undefined,
    model: 'm',
    stream: false,
    hidesUsageChunk: false,
    cacheAccount: undefined,
  };
  const attempt = (parts: Partial<Attempt>): Attempt =>
    Object.assign(new Attempt(1, 0, asked), { status: 200 }, parts);

  test('an answer, also a broken one', () => {
    expect(isBilled(attempt({}), 'ok')).toBe(true);
    expect(isBilled(attempt({}), 'aborted')).toBe(true);
  });

  test('no refusal, no silence, no error in place of an answer', () => {
    expect(isBilled(undefined, 'rejected')).toBe(false);
    expect(isBilled(attempt({ status: undefined }), 'network_error')).toBe(false);
    expect(isBilled(attempt({ status: 400 }), 'client_error')).toBe(false);
    expect(isBilled(attempt({}), 'server_error')).toBe(false);
  });

  test('nothing that another call pays', () => {
    const share = { role: 'follower' as const, leaderId: 'x', answer: undefined, bill: undefined };
    expect(isBilled(attempt({ share }), 'ok')).toBe(false);
    expect(isBilled(attempt({ facts: { usageOf: 'earlier' } }), 'ok')).toBe(false);
    expect(isBilled(attempt({ facts: { usageOf: 'later' } }), 'ok')).toBe(false);
  });
});
