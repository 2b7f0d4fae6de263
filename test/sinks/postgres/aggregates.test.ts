import fc from 'fast-check';
import { Pool } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';

import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { picoDollars } from '../../../src/util/usd.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, rows } from './database.ts';
import type { DatabaseRow } from './database.ts';

const shared = new Pool({ connectionString: postgresUrl, max: 8 });
afterAll(async () => shared.end());

const TOKENS = fc.option(fc.nat({ max: 2_000_000 }), { nil: undefined });
const USD = fc.option(
  fc.bigInt({ min: 0n, max: 10n ** 15n }).map((pico) => decimal(pico)),
  { nil: undefined },
);
const name = (...names: string[]) => fc.constantFrom(undefined, ...names);

function decimal(pico: bigint): string {
  const digits = String(pico).padStart(13, '0');
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`;
}

/** Few names, so that many records meet in one row. */
const someRecord: fc.Arbitrary<UsageRecord> = fc
  .record({
    day: fc.constantFrom('2026-01-31T23:59:59.999Z', '2026-02-01T00:00:00.000Z'),
    attempt: fc.nat({ max: 2 }),
    final: fc.boolean(),
    outcome: fc.constantFrom('ok', 'aborted', 'server_error'),
    provider: fc.constantFrom('openai', 'anthropic'),
    requestModel: name('a'),
    responseModel: name('b', 'c'),
    tenant: name('t1', 't2'),
    user: name('u1'),
    total: TOKENS,
    cacheRead: TOKENS,
    cacheWrite: TOKENS,
    cacheWrite1h: TOKENS,
    output: TOKENS,
    usd: USD,
    cacheUsd: USD,
    dedupeUsd: USD,
    role: fc.constantFrom(undefined, 'leader', 'follower', 'cache'),
    cache: fc.boolean(),
    expectedRead: TOKENS,
    miss: fc.constantFrom(undefined, 'expired', 'evicted'),
    lostTokens: TOKENS,
    lostUsd: USD,
  })
  .map((r) =>
    sampleRecord({
      startedAt: r.day,
      attempt: r.attempt,
      final: r.final,
      outcome: r.outcome as UsageRecord['outcome'],
      provider: r.provider,
      requestModel: r.requestModel,
      responseModel: r.responseModel,
      usage: {
        inputTokens: {
          total: r.total,
          cacheRead: r.cacheRead,
          cacheWrite: r.cacheWrite,
          cacheWrite1h: r.cacheWrite1h,
        },
        outputTokens: { total: r.output },
        grade: 'exact',
      },
      cost: { usd: r.usd ?? null, price: r.usd === undefined ? 'unpriced' : 'exact' },
      saved: { cacheUsd: r.cacheUsd, dedupeUsd: r.dedupeUsd },
      dedupe: r.role && { role: r.role as 'leader' },
      cache: r.cache
        ? {
            prefix: 'p',
            marks: 1,
            expectedRead: r.expectedRead,
            miss: r.miss && {
              reason: r.miss as 'expired',
              lostTokens: r.lostTokens,
              lostUsd: r.lostUsd,
            },
          }
        : undefined,
      context: { priority: 'normal', tenant: r.tenant, user: r.user },
    }),
  );

type Sums = Record<string, string | null>;

const count = (records: UsageRecord[], is: (r: UsageRecord) => boolean | undefined) =>
  String(records.filter(is).length);

function sum(records: UsageRecord[], of: (r: UsageRecord) => number | undefined): string | null {
  const known = records.map(of).filter((value) => value !== undefined);
  return known.length === 0 ? null : String(known.reduce((a, b) => a + BigInt(b), 0n));
}

function money(records: UsageRecord[], of: (r: UsageRecord) => string | null | undefined) {
  const known = records.map((r) => picoDollars(of(r))).filter((pico) => pico !== undefined);
  return known.length === 0 ? null : decimal(known.reduce((a, b) => a + b, 0n));
}

function grouped(
  records: readonly UsageRecord[],
  keyOf: (r: UsageRecord) => (string | undefined)[],
  sumsOf: (group: UsageRecord[]) => Sums,
): Map<string, Sums> {
  const groups = Map.groupBy(records, (r) =>
    keyOf(r)
      .map((part) => part ?? '')
      .join('|'),
  );
  return new Map([...groups].map(([key, group]) => [key, sumsOf(group)]));
}

const dayOf = (r: UsageRecord) => r.startedAt.slice(0, 10);
const modelOf = (r: UsageRecord) => r.responseModel ?? r.requestModel;

const dailyOf = (records: readonly UsageRecord[]) =>
  grouped(
    records,
    (r) => [dayOf(r), r.context.tenant, r.context.user, r.provider, modelOf(r)],
    (group) => ({
      records: String(group.length),
      calls: count(group, (r) => r.final),
      attempts: count(group, (r) => r.attempt > 0),
      failed_calls: count(group, (r) => r.final && r.outcome !== 'ok'),
      input_tokens: sum(group, (r) => r.usage.inputTokens.total),
      uncached_tokens: sum(group, (r) => r.usage.inputTokens.uncached),
      cache_read_tokens: sum(group, (r) => r.usage.inputTokens.cacheRead),
      cache_write_tokens: sum(group, (r) => r.usage.inputTokens.cacheWrite),
      cache_write_1h_tokens: sum(group, (r) => r.usage.inputTokens.cacheWrite1h),
      output_tokens: sum(group, (r) => r.usage.outputTokens.total),
      reasoning_tokens: sum(group, (r) => r.usage.outputTokens.reasoning),
      cost_usd: money(group, (r) => r.cost.usd),
      unpriced: count(group, (r) => r.cost.usd === null),
      cache_hits: count(group, (r) => (r.usage.inputTokens.cacheRead ?? 0) > 0),
      dedupe_hits: count(group, ({ dedupe }) => dedupe && dedupe.role !== 'leader'),
      saved_cache_usd: money(group, (r) => r.saved.cacheUsd),
      saved_dedupe_usd: money(group, (r) => r.saved.dedupeUsd),
    }),
  );

const cacheOf = (records: readonly UsageRecord[]) =>
  grouped(
    records.filter(({ usage: { inputTokens: t }, cache }) =>
      [t.cacheRead, t.cacheWrite, t.cacheWrite1h, cache?.expectedRead, cache?.miss].some(
        (known) => known !== undefined,
      ),
    ),
    (r) => [dayOf(r), r.context.tenant, r.provider, modelOf(r), r.cache?.miss?.reason],
    (group) => ({
      records: String(group.length),
      hits: count(group, (r) => (r.usage.inputTokens.cacheRead ?? 0) > 0),
      writes: count(group, ({ usage: { inputTokens: t } }) =>
        [t.cacheWrite, t.cacheWrite1h].some((tokens) => (tokens ?? 0) > 0),
      ),
      input_tokens: sum(group, (r) => r.usage.inputTokens.total),
      expected_read_tokens: sum(group, (r) => r.cache?.expectedRead),
      cache_read_tokens: sum(group, (r) => r.usage.inputTokens.cacheRead),
      cache_write_tokens: sum(group, (r) => r.usage.inputTokens.cacheWrite),
      cache_write_1h_tokens: sum(group, (r) => r.usage.inputTokens.cacheWrite1h),
      lost_tokens: sum(group, (r) => r.cache?.miss?.lostTokens),
      lost_usd: money(group, (r) => r.cache?.miss?.lostUsd),
      saved_cache_usd: money(group, (r) => r.saved.cacheUsd),
    }),
  );

async function stored(schema: string, table: string, keys: number): Promise<Map<string, Sums>> {
  const found = await rows(`SELECT *, day::text AS day FROM "${schema}".${table}`);
  return new Map(
    found.map((row: DatabaseRow) => {
      const parts = Object.entries(row);
      const key = parts.slice(0, keys).map(([, value]) => value);
      const sums = parts.slice(keys).map(([column, value]) => {
        const pico = column.endsWith('_usd') ? picoDollars(value as string) : undefined;
        return [column, pico === undefined ? value : decimal(pico)];
      });
      return [key.join('|'), Object.fromEntries(sums) as Sums];
    }),
  );
}

const dailyIn = async (schema: string) => stored(schema, 'daily_usage', 5);
const cacheIn = async (schema: string) => stored(schema, 'cache_stats', 5);

describe.skipIf(noPostgres !== undefined)('the sums that postgresSink keeps', () => {
  test('are those of the records, however often and by whomever these are written', async () => {
    const schema = newSchema();
    const sinks = [1, 2, 3].map(() => postgresSink({ pool: shared, schema }));
    const all: UsageRecord[] = [];
    await fc.assert(
      fc.asyncProperty(
        fc.array(someRecord, { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        async (records, random) => {
          all.push(...records);
          const pick = (below: number) => Number(random.next().value) % below;
          // Every sink writes all of the records, in batches that overlap.
          await Promise.all(
            sinks.map(async (sink) => {
              for (let start = 0; start < records.length; start += 1 + pick(20)) {
                await sink.write(records.slice(start, start + 25));
              }
            }),
          );
          expect(await dailyIn(schema)).toEqual(dailyOf(all));
          expect(await cacheIn(schema)).toEqual(cacheOf(all));
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  });

  test('need no second try when four sinks change the same rows, some few and some many', async () => {
    const schema = newSchema();
    // Without an order of their own, groups come as a hash table of their number has them.
    const batches = [30, 30, 900, 900].map((users) =>
      Array.from({ length: 12 }, () =>
        Array.from({ length: 900 }, (_, n) =>
          sampleRecord({ context: { priority: 'normal', user: `u${n % users}` } }),
        ),
      ),
    );
    await Promise.all(
      batches.map(async (own) => {
        const sink = postgresSink({ pool: shared, schema });
        for (const batch of own) await sink.write(batch);
      }),
    );
    const all = batches.flat(2);
    expect(await dailyIn(schema)).toEqual(dailyOf(all));
    expect(await cacheIn(schema)).toEqual(cacheOf(all));
  });

  test('keep long names apart', async () => {
    const schema = newSchema();
    const long = '👩‍👩‍👧‍👦'.repeat(100_000);
    const tenants = [long, `${long}1`, `${long}2`, long.slice(0, 99)];
    const records = tenants.map((tenant) =>
      sampleRecord({
        provider: long,
        responseModel: `${tenant}m`,
        context: { priority: 'normal', tenant, user: tenant },
      }),
    );
    await postgresSink({ pool: shared, schema }).write(records);
    const daily = await rows(`SELECT tenant, records FROM "${schema}".daily_usage`);
    expect(new Set(daily.map(({ tenant }) => tenant)).size).toBe(4);
    expect(daily.map(({ records: number }) => number)).toEqual(['1', '1', '1', '1']);
    expect(daily.map(({ tenant }) => tenant)).toContain(tenants[3]);
  });

  test('never overflow', async () => {
    const schema = newSchema();
    const huge = () =>
      sampleRecord({
        usage: {
          inputTokens: { total: Number.MAX_SAFE_INTEGER },
          outputTokens: {},
          grade: 'partial',
        },
        cost: { usd: `${'9'.repeat(40)}.${'9'.repeat(12)}`, price: 'approximate' },
      });
    const records = Array.from({ length: 1_100 }, huge);
    await postgresSink({ pool: shared, schema }).write(records);
    const [sums] = await rows(`SELECT input_tokens, cost_usd FROM "${schema}".daily_usage`);
    expect(sums).toEqual({
      input_tokens: String(1_100n * BigInt(Number.MAX_SAFE_INTEGER)),
      cost_usd: decimal(1_100n * (10n ** 52n - 1n)),
    });
  });

  test('are left out on request', async () => {
    const schema = newSchema();
    await postgresSink({ pool: shared, schema, aggregates: false }).write([sampleRecord()]);
    expect((await dailyIn(schema)).size).toBe(0);
    expect((await cacheIn(schema)).size).toBe(0);
    expect(await rows(`SELECT id FROM "${schema}".requests`)).toHaveLength(1);
  });
});
