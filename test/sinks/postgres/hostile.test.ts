import fc from 'fast-check';
import { Pool } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';

import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, readRecords, rows } from './database.ts';

const pool = new Pool({ connectionString: postgresUrl, max: 2 });
afterAll(async () => pool.end());

/** As a store of JSON would have it: without members that are `undefined`. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const cleaned = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'string' ? cleanText(inner) : inner,
    ),
  );

const cleanText = (text: string) => Buffer.from(text.replaceAll('\0', '\ufffd')).toString();

/** Every member that there is. A new one that is not stored makes the first test red, or is missed by the compiler here. */
const whole: { [Member in keyof Required<UsageRecord>]: UsageRecord[Member] } = {
  ...sampleRecord(),
  attempt: 2,
  requestModel: 'rm',
  responseModel: 'm',
  route: 'r',
  target: 't',
  stream: true,
  outcome: 'truncated',
  status: 200,
  errorCode: 'e',
  providerRequestId: 'p',
  usage: {
    inputTokens: { total: 10, uncached: 1, cacheRead: 2, cacheWrite: 3, cacheWrite1h: 4 },
    outputTokens: { total: 9, reasoning: 8 },
    grade: 'partial',
    raw: { a: [1, { b: null }], c: 'd' },
  },
  cost: {
    usd: '0.100000000001',
    inputUsd: '0.01',
    cacheReadUsd: '0.02',
    cacheWriteUsd: '0.03',
    outputUsd: '0.04',
    price: 'approximate',
    priceDate: '2026-01-01',
  },
  saved: { cacheUsd: '-0.5', dedupeUsd: '0.25' },
  timing: {
    queuedMs: 1.5,
    heldMs: 2.25,
    timeToHeadersMs: 3.125,
    timeToFirstChunkMs: 4.0625,
    durationMs: 0.1 + 0.2,
  },
  dedupe: { role: 'follower', leaderId: 'l' },
  cache: {
    prefix: 'x',
    marks: 3,
    expectedRead: 7,
    miss: {
      reason: 'system-changed',
      position: 1,
      difference: { byte: 12, class: 'uuid' },
      lostTokens: 5,
      lostUsd: '0.000000000001',
    },
  },
  context: { tenant: 'a', user: 'b', priority: 'high', session: 's', tags: { f: 'g' } },
  trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true },
  captured: { request: 'q', answer: 'w' },
};

describe.skipIf(noPostgres !== undefined)('postgresSink stores', () => {
  test('every member of a record', async () => {
    const schema = newSchema();
    await postgresSink({ pool, schema }).write([whole]);
    expect(plain(await readRecords(schema))).toEqual([plain(whole)]);
  });

  test('numbers, amounts and times that no column holds, in details', async () => {
    const schema = newSchema();
    const odd = sampleRecord({
      startedAt: '2026-01-31T12:00:00Z',
      attempt: 2 ** 40,
      status: 0.5,
      usage: {
        inputTokens: { total: Number.MAX_VALUE, uncached: 1e21, cacheRead: -0.5 },
        outputTokens: { total: Number.MIN_VALUE, reasoning: 2 ** 60 },
        grade: 'partial',
        raw: { cost: 1e300 },
      },
      cost: { usd: `0.${'1'.repeat(200)}`, inputUsd: 'much', price: 'approximate' },
      saved: { cacheUsd: '1e-9', dedupeUsd: '9'.repeat(200_000) },
      timing: { queuedMs: Number.MAX_VALUE, heldMs: -1, durationMs: 5e-324 },
    });
    await postgresSink({ pool, schema }).write([odd]);
    const [stored] = await readRecords(schema);
    expect(plain(stored)).toEqual(plain({ ...odd, cost: { ...odd.cost } }));
    const [row] = await rows(`SELECT input_tokens, cost_usd, status FROM "${schema}".requests`);
    expect(row).toEqual({ input_tokens: null, cost_usd: null, status: null });
  });

  test.each([
    'garbage',
    '',
    '2026-02-31T00:00:00.000Z',
    '+012026-01-01T00:00:00.000Z',
    '-000001-01-01T00:00:00Z',
    '0000-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    '2026-01-31T24:00:00Z',
  ])('a record that started at "%s", once', async (startedAt) => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema });
    const record = sampleRecord({ startedAt });
    await sink.write([record]);
    await sink.write([record, sampleRecord()]);
    const [first] = await readRecords(schema);
    expect(await readRecords(schema)).toHaveLength(2);
    expect(first).toMatchObject({ id: record.id, startedAt });
  });

  test('any text, cleaned only of what PostgreSQL has no place for', async () => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema });
    const odd = ['\0', '\u0001', '\u001e', '\u001f', '\ud800', '\udfff', '"', "'", '\\', '\n'];
    const words = ['\\u0000', ',', '{', '}', 'NULL', '$1', '😀', '\u2028', '\ufffd', ';--'];
    const unit = fc.oneof(
      fc.constantFrom(...odd, ...words),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const text = fc.array(unit, { maxLength: 6 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, text, fc.jsonValue(), async (a, b, raw) => {
        const [before, after] = [sampleRecord(), sampleRecord()];
        const record = sampleRecord({
          provider: a,
          requestModel: b,
          errorCode: a,
          usage: { inputTokens: {}, outputTokens: {}, grade: 'none', raw: { a, raw } },
          dedupe: { role: 'follower', leaderId: b },
          context: { priority: 'normal', tenant: a, session: b, tags: { a, b } },
        });
        await sink.write([before, record, after]);
        const stored = await readRecords(schema);
        expect(stored.slice(-3).map(plain)).toEqual([before, record, after].map(cleaned));
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  test('what a record costs when its details are refused', async () => {
    const schema = newSchema();
    const deep: unknown = JSON.parse('['.repeat(2_000) + ']'.repeat(2_000));
    const records = [1, 2, 3, 4, 5].map((n) => sampleRecord({ status: 200 + n }));
    records[3] = sampleRecord({ usage: { ...whole.usage, raw: deep } });
    // Statements stand deeper in the stack of a server that is set up so than of ours.
    const strict = new Pool({ connectionString: postgresUrl, options: '-c max_stack_depth=100kB' });
    try {
      await postgresSink({ pool: strict, schema }).write(records);
    } finally {
      await strict.end();
    }
    const found = await rows(`SELECT id, cost_usd, details FROM "${schema}".requests ORDER BY seq`);
    expect(found.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
    expect(found[3]).toMatchObject({ cost_usd: '0.000135', details: { refused: true } });
    expect(found[2]?.['details']).not.toHaveProperty('refused');
  });

  test('all but what a rule of the owner refuses, and that when the rule is gone', async () => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema });
    const records = Array.from({ length: 20 }, () => sampleRecord());
    records[7] = sampleRecord({ context: { priority: 'normal', tenant: 'secret tenant' } });
    await sink.write(records.slice(0, 1));
    await pool.query(
      `ALTER TABLE "${schema}".requests ADD CONSTRAINT own CHECK (tenant <> 'secret tenant')`,
    );
    const error = await sink.write(records).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: '23514' });
    expect(JSON.stringify([String(error), error])).not.toContain('secret');
    expect(await readRecords(schema)).toHaveLength(19);

    await pool.query(`ALTER TABLE "${schema}".requests DROP CONSTRAINT own`);
    await sink.write(records);
    expect(await readRecords(schema)).toHaveLength(20);
    const sums = await rows(`SELECT sum(records) AS records FROM "${schema}".daily_usage`);
    expect(sums).toEqual([{ records: '20' }]);
  });

  test('a batch of more text than one statement takes', async () => {
    const schema = newSchema();
    const records = Array.from({ length: 12 }, (_, n) =>
      sampleRecord({ captured: { request: `${n}`.repeat(1_000_000) } }),
    );
    const sizes: number[] = [];
    const query = async (text: string, values: string[]) => {
      sizes.push(values[0]?.length ?? 0);
      return pool.query(text, values);
    };
    await postgresSink({ query, schema }).write(records);
    expect(plain(await readRecords(schema))).toEqual(plain(records));
    expect(Math.max(...sizes)).toBeLessThan(5_000_000);
  });
});
