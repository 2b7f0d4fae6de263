import fc from 'fast-check';
import { sampleRecord } from '../../src/testing/index.ts';
import type { UsageRecord } from '../../src/types.ts';

const tokens = fc.option(fc.nat({ max: 100_000 }), { nil: undefined });
const amount = fc
  .bigInt({ min: 0n, max: 10n ** 15n })
  .map((pico) => `${pico / 10n ** 12n}.${(pico % 10n ** 12n).toString().padStart(12, '0')}`);
const name = fc.constantFrom('a', 'b', '', '__proto__', '1:a', '-', 'ü\0', undefined);

/** Records as they may come: several tenants, models, days and outcomes, parts of them unknown. */
export const anyRecords: fc.Arbitrary<UsageRecord[]> = fc.array(
  fc
    .record({
      day: fc.integer({ min: 1, max: 4 }),
      ms: fc.nat({ max: 86_399_999 }),
      tenant: name,
      user: name,
      feature: name,
      requestModel: name,
      responseModel: name,
      provider: fc.constantFrom('openai', 'anthropic'),
      final: fc.boolean(),
      outcome: fc.constantFrom('ok', 'ok', 'overloaded', 'aborted'),
      input: fc.record({
        total: tokens,
        uncached: tokens,
        cacheRead: tokens,
        cacheWrite1h: tokens,
      }),
      output: tokens,
      usd: fc.option(amount),
      cacheUsd: fc.option(fc.tuple(fc.constantFrom('', '-'), amount), { nil: undefined }),
      miss: fc.option(
        fc.record({
          reason: fc.constantFrom('expired', 'evicted', 'system-changed'),
          lostTokens: tokens,
          lostUsd: fc.option(amount, { nil: undefined }),
        }),
        { nil: undefined },
      ),
      durationMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
      firstChunkMs: fc.option(fc.nat({ max: 5_000 }), { nil: undefined }),
    })
    .map((some) =>
      sampleRecord({
        startedAt: new Date(Date.UTC(2026, 10, some.day) + some.ms).toISOString(),
        final: some.final,
        provider: some.provider,
        requestModel: some.requestModel,
        responseModel: some.responseModel,
        outcome: some.outcome as UsageRecord['outcome'],
        usage: { inputTokens: some.input, outputTokens: { total: some.output }, grade: 'partial' },
        cost: { usd: some.usd, price: some.usd === null ? 'unpriced' : 'exact' },
        saved: { cacheUsd: some.cacheUsd?.join('') },
        timing: {
          queuedMs: 0,
          heldMs: 0,
          timeToFirstChunkMs: some.firstChunkMs,
          durationMs: some.durationMs,
        },
        cache: some.miss && {
          prefix: 'p',
          marks: 0,
          miss: some.miss,
        },
        context: {
          tenant: some.tenant,
          user: some.user,
          priority: 'normal',
          tags: some.feature === undefined ? undefined : { feature: some.feature },
        },
      }),
    ),
  { maxLength: 60 },
);
