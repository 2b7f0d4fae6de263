import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { postgresSink } from '../../adapters/sinks/postgres/index.ts';
import { postgresRecords, report, spend, type PgReadable } from '../../src/report/index.ts';
import { sampleRecord } from '../../src/testing/index.ts';
import type { UsageRecord } from '../../src/types.ts';
import { noPostgres, postgresUrl } from '../helpers/services.ts';
import { anyRecords } from './random-records.ts';

const schema = `report_${randomBytes(6).toString('hex')}`;

describe.skipIf(noPostgres !== undefined)('postgresRecords', () => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: postgresUrl, max: 2 });
    pool.on('error', () => undefined);
  });
  afterAll(async () => {
    await pool.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    await pool.end();
  });

  async function stored(records: readonly UsageRecord[]): Promise<void> {
    const sink = postgresSink({ pool, schema });
    await sink.write([]);
    await pool.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    await sink.write(records);
    await sink.close?.();
  }

  async function all(client: PgReadable): Promise<UsageRecord[]> {
    const records: UsageRecord[] = [];
    for await (const record of postgresRecords(client, { schema })) records.push(record);
    return records;
  }

  const inOrder = (records: readonly UsageRecord[]): UsageRecord[] =>
    records.toSorted((a, b) =>
      a.startedAt + a.id < b.startedAt + b.id
        ? -1
        : a.startedAt + a.id > b.startedAt + b.id
          ? 1
          : 0,
    );
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test('gives back every member of a record', async () => {
    const whole = sampleRecord({
      route: 'r',
      target: 't',
      errorCode: 'e',
      usage: {
        inputTokens: { total: 10, uncached: 1, cacheRead: 2, cacheWrite: 3, cacheWrite1h: 4 },
        outputTokens: { total: 9_007_199_254_740_991, reasoning: 5 },
        grade: 'exact',
        raw: { a: [1, 'b', null] },
      },
      cost: {
        usd: '12345678901234567890.123456789012',
        inputUsd: '1',
        cacheReadUsd: '2',
        cacheWriteUsd: '3',
        outputUsd: '4',
        price: 'exact',
        priceDate: '2026-01-01',
      },
      saved: { cacheUsd: '-0.000000000001', dedupeUsd: '5' },
      timing: {
        queuedMs: 0.1,
        heldMs: 0.2,
        timeToHeadersMs: 1.5,
        timeToFirstChunkMs: 2.25,
        durationMs: 1e6,
      },
      dedupe: { role: 'follower', leaderId: 'l' },
      cache: {
        prefix: 'p',
        marks: 2,
        expectedRead: 7,
        miss: {
          reason: 'system-changed',
          position: 3,
          difference: { byte: 4, class: 'timestamp' },
          lostTokens: 5,
          lostUsd: '0.000000000006',
        },
      },
      context: {
        tenant: 't',
        user: 'u',
        priority: 'urgent',
        session: 's',
        tags: Object.fromEntries([['__proto__', 'x']]),
      },
      trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true },
      captured: { request: 'q', answer: 'a' },
    });
    const bare = sampleRecord({
      status: undefined,
      requestModel: undefined,
      responseModel: undefined,
      providerRequestId: undefined,
      usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
      cost: { usd: null, price: 'unpriced' },
      saved: {},
      timing: { queuedMs: 0, heldMs: 0, durationMs: 0 },
      context: { priority: 'low' },
    });
    const records = [whole, bare];
    await stored(records);
    expect(await all(pool)).toEqual(plain(records));
  });

  test('gives what was written, by time, to any client', async () => {
    const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        if (records.length === 0) return;
        // PostgreSQL's texts hold no NUL.
        const clean = JSON.parse(JSON.stringify(records).replaceAll(String.raw`\u0000`, ''));
        await stored(clean);
        const expected = plain(inOrder(clean));
        expect(await all(pool)).toEqual(expected);
        expect(await all(sql)).toEqual(expected);
        expect(await all((text, values) => pool.query(text, values))).toEqual(expected);
      }),
      { numRuns: 5 },
    );
    await sql.end();
  }, 60_000);

  test('reads in pages, also of one moment, and only the time that counts', async () => {
    const records = Array.from({ length: 1_100 }, () => sampleRecord());
    const earlier = sampleRecord({ startedAt: '2026-01-30T23:59:59.999Z' });
    await stored([...records, earlier]);
    const reader = postgresRecords(pool, { schema });
    expect((await all(pool)).map(({ id }) => id)).toEqual(
      [earlier, ...inOrder(records)].map(({ id }) => id),
    );
    const range = { from: '2026-01-31', to: '2026-02-01' };
    expect((await report(reader, spend(), range)).total).toMatchObject({
      calls: 1_100,
      cost: 1_100n * 135_000_000n,
    });
    let calls = 0;
    for await (const _ of reader.between({ from: -Infinity, to: Date.UTC(2026, 0, 31) })) calls++;
    expect(calls).toBe(1);
    expect(reader.skipped).toBe(0);
  });

  test('skips and counts rows that are no records', async () => {
    await stored([sampleRecord(), sampleRecord()]);
    await pool.query(
      `UPDATE "${schema}".requests SET details = '7' WHERE id = (SELECT min(id) FROM "${schema}".requests)`,
    );
    const reader = postgresRecords(pool, { schema });
    expect((await report(reader, spend())).total.calls).toBe(1);
    expect(reader.skipped).toBe(1);
  });

  test('rejects with what the server says', async () => {
    const reader = postgresRecords(pool, { schema: 'no_such_schema' });
    await expect(report(reader, spend())).rejects.toMatchObject({ code: '42P01' });
  });
});

describe('postgresRecords options', () => {
  test.each([[{}], [null], ['postgres://'], [undefined]])('refuses the client %j', (pool) => {
    expect(() => postgresRecords(pool as unknown as PgReadable)).toThrow(/give a client of pg/);
  });

  test('refuses names that are none, and a function without rows', async () => {
    const run = async () => 'nothing';
    expect(() => postgresRecords(run, { schema: 'a"b' })).toThrow(/schema must be/);
    await expect(report(postgresRecords(run), spend())).rejects.toThrow(/expected rows/);
  });
});
