import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { memorySink } from '../../adapters/sinks/memory.ts';
import {
  cacheSavings,
  errors,
  misses,
  report,
  slowest,
  spend,
  usd,
  type Dimension,
} from '../../src/report/index.ts';
import { sampleRecord } from '../../src/testing/index.ts';
import type { UsageRecord } from '../../src/types.ts';
import { picoDollars } from '../../src/util/usd.ts';
import { anyRecords } from './random-records.ts';

/** The plain way: all values, then their sum; `null` when none is known. */
function sum<T extends number | bigint>(values: ReadonlyArray<T | undefined>, zero: T): T | null {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0
    ? null
    : known.reduce((a, b) => ((a as never) + (b as never)) as T, zero);
}

const pico = (values: ReadonlyArray<string | null | undefined>): bigint | null =>
  sum(values.map(picoDollars), 0n);

function read(record: UsageRecord, dimension: Dimension): string | null {
  switch (dimension) {
    case 'model':
      return record.responseModel ?? record.requestModel ?? null;
    case 'tenant':
      return record.context.tenant ?? null;
    case 'day':
      return record.startedAt.slice(0, 10);
    case 'tag:feature':
      return record.context.tags?.['feature'] ?? null;
    default:
      throw new Error('not needed here');
  }
}

const anyBy = fc.subarray<'model' | 'tenant' | 'day' | 'tag:feature'>([
  'model',
  'tenant',
  'day',
  'tag:feature',
]);

describe('spend', () => {
  test('of any records, by any dimensions, is what adding them up by hand gives', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, anyBy, async (records, by) => {
        const { rows, other, total } = await report(records, spend({ by }));
        const groups = new Map<string, UsageRecord[]>();
        for (const record of records) {
          const key = JSON.stringify(by.map((dimension) => read(record, dimension)));
          groups.set(key, [...(groups.get(key) ?? []), record]);
        }
        const found = new Map(
          rows.map((row) => [
            JSON.stringify(by.map((dimension) => (row as Record<string, unknown>)[dimension])),
            row,
          ]),
        );
        expect([...found.keys()].toSorted()).toEqual([...groups.keys()].toSorted());
        for (const [key, group] of groups) {
          expect(found.get(key)).toMatchObject({
            calls: group.filter(({ final }) => final).length,
            records: group.length,
            outputTokens: sum(
              group.map(({ usage }) => usage.outputTokens.total),
              0,
            ),
            cost: pico(group.map(({ cost }) => cost.usd)),
            unpriced: group.filter(({ cost }) => cost.usd === null).length,
          });
        }
        expect(total.cost).toBe(pico(records.map(({ cost }) => cost.usd)));
        expect(total.records).toBe(records.length);
        expect(other).toBeNull();
      }),
    );
  });

  test('keeps what is not known apart, and never shows it as 0', async () => {
    const unpriced = sampleRecord({ cost: { usd: null, price: 'unpriced' } });
    const unfit = sampleRecord({ cost: { usd: '0.0000000000001', price: 'exact' } });
    const silent = sampleRecord({
      usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
      cost: { usd: null, price: 'unpriced' },
    });
    const { total } = await report([unpriced, unfit, silent], spend());
    expect(total).toEqual({
      calls: 3,
      records: 3,
      inputTokens: 2_400,
      outputTokens: 100,
      cost: null,
      unpriced: 3,
      unpricedTokens: 2_500,
    });
    const priced = await report([unpriced, sampleRecord()], spend());
    expect(priced.total).toMatchObject({ cost: 135_000_000n, unpriced: 1, unpricedTokens: 1_250 });
    const free = sampleRecord({ cost: { usd: '0', price: 'exact' } });
    expect((await report([free], spend())).total).toMatchObject({ cost: 0n, unpriced: 0 });
    expect((await report([silent], spend())).total.inputTokens).toBeNull();
  });

  test('adds the parts of an input where its total is not said', async () => {
    const usage = {
      inputTokens: { uncached: 1, cacheRead: 20, cacheWrite: 300, cacheWrite1h: 4_000 },
      outputTokens: {},
      grade: 'partial' as const,
    };
    const { total } = await report([sampleRecord({ usage })], spend());
    expect(total).toMatchObject({ inputTokens: 4_321, outputTokens: null });
  });

  test('sums exactly where floating point does not', async () => {
    const records = Array.from({ length: 10 }, () =>
      sampleRecord({ cost: { usd: '9007199254.740993000001', price: 'exact' } }),
    );
    const { total } = await report(records, spend());
    expect(usd(total.cost ?? 0n)).toBe('90071992547.40993000001');
  });

  test('names the largest, or goes by time, and adds up the rest', async () => {
    const costs = [5, 1, 4, 2, 3];
    const records = costs.flatMap((cost) =>
      ['2026-11-02', '2026-11-01'].map((day) =>
        sampleRecord({
          startedAt: `${day}T00:00:00.000Z`,
          requestModel: `m${cost}`,
          responseModel: undefined,
          cost: { usd: String(cost), price: 'exact' },
        }),
      ),
    );
    const byModel = await report(records, spend({ by: ['model'], top: 2 }));
    expect(byModel.rows.map(({ model, cost }) => [model, cost])).toEqual([
      ['m5', 10n ** 13n],
      ['m4', 8n * 10n ** 12n],
    ]);
    expect(byModel.other).toMatchObject({ calls: 6, cost: 12n * 10n ** 12n });
    expect(byModel.total).toMatchObject({ calls: 10, cost: 30n * 10n ** 12n });
    const byDay = await report(records, spend({ by: ['model', 'day'], top: 4 }));
    expect(byDay.rows.map(({ model, day }) => `${day} ${model}`)).toEqual([
      '2026-11-01 m5',
      '2026-11-01 m4',
      '2026-11-02 m5',
      '2026-11-02 m4',
    ]);
  });

  test('counts so many groups and no more, and loses nothing', async () => {
    const records = Array.from({ length: 50 }, (_, i) =>
      sampleRecord({ context: { priority: 'normal', user: `u-${i % 10}` } }),
    );
    const { rows, other, total } = await report(records, spend({ by: ['user'], maxGroups: 4 }));
    expect(rows).toHaveLength(4);
    expect(other?.calls).toBe(30);
    expect(total).toMatchObject({ calls: 50, cost: 50n * 135_000_000n });
  });
});

describe('cacheSavings', () => {
  test('adds up what was read, written and saved', async () => {
    const usage = (cacheRead: number, cacheWrite: number, uncached: number) => ({
      inputTokens: { total: cacheRead + cacheWrite + uncached, cacheRead, cacheWrite, uncached },
      outputTokens: { total: 1 },
      grade: 'exact' as const,
    });
    const records = [
      sampleRecord({ usage: usage(0, 1_000, 100), saved: { cacheUsd: '-0.25' } }),
      sampleRecord({ usage: usage(900, 0, 100), saved: { cacheUsd: '0.75' } }),
      sampleRecord({ usage: usage(900, 0, 0), saved: {}, final: false }),
      sampleRecord({
        usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
        saved: { dedupeUsd: '0.1' },
        dedupe: { role: 'follower' },
      }),
      sampleRecord({ usage: usage(0, 0, 100), saved: {}, dedupe: { role: 'leader' } }),
    ];
    expect((await report(records, cacheSavings())).total).toEqual({
      calls: 4,
      reading: 1,
      inputTokens: 3_100,
      readTokens: 1_800,
      writtenTokens: 1_000,
      hitRate: 1_800 / 3_100,
      saved: 500_000_000_000n,
      unpriced: 1,
      shared: 1,
      sharedSaved: 100_000_000_000n,
    });
  });

  test('of nothing is not known', async () => {
    const { total } = await report([], cacheSavings());
    expect(total).toMatchObject({ calls: 0, readTokens: null, hitRate: null, saved: null });
  });

  test('of any records has the same sums as by hand', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const { total } = await report(records, cacheSavings({ by: ['provider', 'user'], top: 2 }));
        expect(total.saved).toBe(pico(records.map(({ saved }) => saved.cacheUsd)));
        expect(total.readTokens).toBe(
          sum(
            records.map(({ usage }) => usage.inputTokens.cacheRead),
            0,
          ),
        );
      }),
    );
  });
});

describe('misses', () => {
  test('by cause, of any records, are those that were recorded', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const { rows, total } = await report(records, misses());
        const all = records.flatMap(({ cache }) => cache?.miss ?? []);
        expect(new Set(rows.map(({ reason }) => reason))).toEqual(
          new Set(all.map(({ reason }) => reason)),
        );
        for (const row of rows) {
          const of = all.filter(({ reason }) => reason === row.reason);
          expect(row).toEqual({
            reason: row.reason,
            misses: of.length,
            lostTokens: sum(
              of.map(({ lostTokens }) => lostTokens),
              0,
            ),
            lost: pico(of.map(({ lostUsd }) => lostUsd)),
            unpriced: of.filter(({ lostUsd }) => lostUsd === undefined).length,
          });
        }
        expect(total).toMatchObject({
          misses: all.length,
          lostTokens: sum(
            all.map(({ lostTokens }) => lostTokens),
            0,
          ),
          lost: pico(all.map(({ lostUsd }) => lostUsd)),
        });
      }),
    );
  });

  test('the dearest cause first, by further dimensions too', async () => {
    const miss = (reason: 'expired' | 'evicted', tenant: string, lostUsd: string) =>
      sampleRecord({
        cache: { prefix: 'p', marks: 1, miss: { reason, lostTokens: 10, lostUsd } },
        context: { priority: 'normal', tenant },
      });
    const records = [
      miss('expired', 'a', '1'),
      miss('evicted', 'b', '3'),
      miss('expired', 'b', '1.5'),
    ];
    const { rows } = await report(records, misses({ by: ['tenant'] }));
    expect(rows.map(({ reason, tenant, lost }) => [reason, tenant, lost])).toEqual([
      ['evicted', 'b', 3_000_000_000_000n],
      ['expired', 'b', 1_500_000_000_000n],
      ['expired', 'a', 1_000_000_000_000n],
    ]);
  });
});

describe('errors', () => {
  test('count calls that failed, by outcome, and what they cost all the same', async () => {
    const failed = (outcome: UsageRecord['outcome'], usdOf: string | null, at: string) =>
      sampleRecord({
        outcome,
        startedAt: `2026-11-01T${at}:00.000Z`,
        cost: { usd: usdOf, price: usdOf === null ? 'unpriced' : 'exact' },
      });
    const records = [
      sampleRecord(),
      sampleRecord({ final: false, outcome: 'network_error' }),
      failed('aborted', '0.5', '10:00'),
      failed('aborted', null, '12:00'),
      failed('aborted', '0.25', '11:00'),
      failed('overloaded', null, '09:00'),
    ];
    const answer = await report(records, errors());
    expect(answer.rows).toEqual([
      {
        outcome: 'aborted',
        calls: 3,
        cost: 750_000_000_000n,
        lastSeen: '2026-11-01T12:00:00.000Z',
      },
      { outcome: 'overloaded', calls: 1, cost: null, lastSeen: '2026-11-01T09:00:00.000Z' },
    ]);
    expect(answer).toMatchObject({ calls: 5, errorRate: 0.8, total: { calls: 4 } });
    expect(await report([], errors())).toMatchObject({
      rows: [],
      calls: 0,
      errorRate: null,
      total: { calls: 0, cost: null, lastSeen: null },
    });
  });
});

describe('slowest', () => {
  test('of any records are those that took longest, the first of equals first', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, fc.integer({ min: 1, max: 5 }), async (records, top) => {
        for (const of of ['durationMs', 'timeToFirstChunkMs'] as const) {
          const answer = await report(records, slowest({ of, top, by: ['provider'] }));
          const timed = records.filter(({ final, timing }) => final && timing[of] !== undefined);
          const expected = timed.toSorted((a, b) => b.timing[of]! - a.timing[of]!).slice(0, top);
          expect(answer.slowest.map(({ callId }) => callId)).toEqual(
            expected.map(({ callId }) => callId),
          );
          expect(answer.total).toMatchObject({
            calls: timed.length,
            max: expected[0]?.timing[of] ?? null,
          });
          for (const row of answer.rows) {
            const values = timed
              .filter(({ provider }) => provider === row.provider)
              .map(({ timing }) => timing[of]!)
              .toSorted((a, b) => a - b);
            expect(row.p50).toBe(values[Math.ceil(values.length / 2) - 1]);
          }
        }
      }),
    );
  });

  test('names calls, never what was said in them', async () => {
    const record = sampleRecord({ captured: { request: 'secret', answer: 'secret' } });
    const answer = await report([record], slowest());
    expect(answer.slowest).toEqual([
      {
        callId: record.callId,
        startedAt: record.startedAt,
        model: 'gpt-4o-mini-2024-07-18',
        provider: 'openai',
        tenant: 'acme',
        outcome: 'ok',
        queuedMs: 0,
        timeToFirstChunkMs: null,
        durationMs: 820.25,
      },
    ]);
  });
});

describe('report', () => {
  const at = (startedAt: string) => sampleRecord({ startedAt });
  const records = [
    at('2026-10-31T23:59:59.999Z'),
    at('2026-11-01T00:00:00.000Z'),
    at('2026-11-01T12:00:00Z'),
    at('2026-11-02T00:00:00.000Z'),
    at('when?'),
  ];
  const calls = async (filter: Parameters<typeof report>[2]): Promise<number> =>
    (await report(records, spend(), filter)).total.calls;

  test('counts from a moment, which belongs to it, to one that does not', async () => {
    expect(await calls({})).toBe(5);
    expect(await calls({ from: '2026-11-01' })).toBe(3);
    expect(await calls({ from: '2026-11-01', to: '2026-11-02' })).toBe(2);
    expect(await calls({ to: new Date(Date.UTC(2026, 10, 1)) })).toBe(1);
    expect(await calls({ from: '2026-11-01T12:00:00.001Z' })).toBe(1);
    expect(await calls({ from: '2026-11-01T13:00+02:00', to: '2026-11-01T12:30:00Z' })).toBe(1);
    expect(await calls({ where: ({ startedAt }) => startedAt.endsWith('?') })).toBe(1);
  });

  test('answers several questions in one pass, over any kind of source', async () => {
    const sink = memorySink();
    await sink.write(records);
    let passes = 0;
    async function* once() {
      passes++;
      yield* records;
    }
    for (const source of [records, new Set(records), once(), sink, sink.records]) {
      const { money, slow } = await report(source, { money: spend(), slow: slowest({ top: 1 }) });
      expect(money.total.calls).toBe(5);
      expect(slow.slowest).toHaveLength(1);
    }
    expect(passes).toBe(1);
  });

  test('asks a question anew each time', async () => {
    const question = spend();
    const twice = [await report(records, question), await report(records, question)];
    expect(twice.map(({ total }) => total.calls)).toEqual([5, 5]);
  });

  test('lets others have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const many = Array.from({ length: 200_000 }, () => records[0]!);
    await report(many, spend({ by: ['model', 'tenant', 'day'] }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });

  test('passes on what its source throws', async () => {
    async function* broken() {
      yield records[0]!;
      throw new Error('disk');
    }
    await expect(report(broken(), spend())).rejects.toThrow('disk');
  });

  test.each([
    ['from', { from: 'yesterday' }],
    ['from', { from: '2026-11-01T12:00:00' }],
    ['to', { to: new Date(Number.NaN) }],
    ['to', { to: 5 }],
  ])('refuses a wrong %s', async (name, filter) => {
    await expect(report([], spend(), filter as never)).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      message: expect.stringContaining(`report: ${name} must be`),
    });
  });

  test.each([
    () => report([], spend({ by: ['tenants' as 'tenant'] })),
    () => report([], spend({ by: ['tag:'] })),
    () => report([], misses({ by: ['toString' as 'tenant'] })),
    () => report([], spend({ top: 0 })),
    () => report([], spend({ maxGroups: 1.5 })),
    () => report([], slowest({ top: 10_001 })),
    () => report([], slowest({ of: 'speed' as 'durationMs' })),
    () => report({} as [], spend()),
  ])('refuses wrong options: %s', async (ask) => {
    await expect((async () => ask())()).rejects.toMatchObject({ code: 'ERR_OPTIONS' });
  });

  test('takes records of other releases, also odd ones, without harm', async () => {
    const odd = {
      ...sampleRecord(),
      requestModel: null,
      responseModel: 7,
      newMember: {},
      usage: { inputTokens: { total: '12', cacheRead: null }, outputTokens: { total: -1 } },
      cost: { usd: 0.5 },
      timing: { durationMs: 'long' },
      cache: { miss: null },
      dedupe: null,
      context: { tenant: null, tags: null },
    } as unknown as UsageRecord;
    const answers = await report([odd], {
      spend: spend({ by: ['model', 'tenant', 'tag:x'] }),
      caches: cacheSavings(),
      misses: misses(),
      slow: slowest(),
      errors: errors(),
    });
    expect(answers.spend.rows).toMatchObject([{ model: null, tenant: null, inputTokens: null }]);
    expect(answers.slow.total.calls).toBe(0);
  });
});
