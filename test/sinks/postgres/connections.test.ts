import { randomUUID } from 'node:crypto';
import { Client, Pool } from 'pg';
import postgres from 'postgres';
import { afterAll, describe, expect, test, vi } from 'vitest';

import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import type { PostgresSinkOptions } from '../../../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, pool as looking, readRecords, rows } from './database.ts';

const shared = new Pool({ connectionString: postgresUrl, max: 2 });
afterAll(async () => shared.end());

const terminate = async (application: string, waiting: boolean) =>
  rows(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = $1 AND (NOT $2 OR wait_event_type = 'Lock')`,
    [application, waiting],
  );

const clients: Readonly<
  Record<string, (application: string) => { source: PostgresSinkOptions; end(): Promise<void> }>
> = {
  'a Pool of pg': (application) => {
    const pool = new Pool({ connectionString: postgresUrl, application_name: application });
    return { source: { pool }, end: async () => pool.end() };
  },
  'postgres.js': (application) => {
    const sql = postgres(postgresUrl, {
      max: 2,
      connection: { application_name: application },
      onnotice: () => undefined,
    });
    return { source: { pool: sql }, end: async () => sql.end({ timeout: 1 }) };
  },
};

describe.skipIf(noPostgres !== undefined)('postgresSink and its connection', () => {
  describe.each(Object.entries(clients))('with %s', (_name, connect) => {
    test('rejects when it is killed in flight, and soon writes again, once', async () => {
      const schema = newSchema();
      const application = randomUUID();
      const { source, end } = connect(application);
      const holder = new Client({ connectionString: postgresUrl });
      await holder.connect();
      try {
        const sink = postgresSink({ ...source, schema });
        await sink.write([sampleRecord()]);
        await holder.query(`BEGIN; LOCK TABLE "${schema}".daily_usage IN EXCLUSIVE MODE`);
        const batch = [sampleRecord(), sampleRecord()];
        const rejected = expect(sink.write(batch)).rejects.toBeInstanceOf(Error);
        await vi.waitUntil(async () => (await terminate(application, true)).length > 0);
        await rejected;
        await holder.query('ROLLBACK');
        expect(await readRecords(schema)).toHaveLength(1);

        // postgres.js rejects once more.
        await vi.waitUntil(async () => {
          return sink.write(batch).then(
            () => true,
            () => false,
          );
        });
        expect(await readRecords(schema)).toHaveLength(3);
        const sums = await rows(`SELECT records FROM "${schema}".daily_usage`);
        expect(sums).toEqual([{ records: '3' }]);
      } finally {
        await holder.end();
        await end();
      }
    });
  });

  test('outlives the end of an idle one that nobody listens to', async () => {
    const schema = newSchema();
    const application = randomUUID();
    const pool = new Pool({ connectionString: postgresUrl, application_name: application });
    try {
      const sink = postgresSink({ pool, schema });
      await sink.write([sampleRecord()]);
      await terminate(application, false);
      await vi.waitUntil(() => pool.totalCount === 0);
      await sink.write([sampleRecord()]);
      expect(await readRecords(schema)).toHaveLength(2);
      expect(pool.listenerCount('error')).toBe(1);
    } finally {
      await pool.end();
    }
  });

  test('leaves the errors of a pool to those who listen already', () => {
    const pool = new Pool({ connectionString: postgresUrl });
    pool.on('error', () => undefined);
    postgresSink({ pool });
    postgresSink({ pool });
    expect(pool.listenerCount('error')).toBe(1);
  });

  test('keeps its statement prepared, and does without where that is lost', async () => {
    const schema = newSchema();
    const pool = new Pool({ connectionString: postgresUrl, max: 1 });
    const prepared = async () =>
      (await pool.query(`SELECT name FROM pg_prepared_statements WHERE name LIKE 'tokenrouter%'`))
        .rowCount;
    try {
      const sink = postgresSink({ pool, schema });
      await sink.write([sampleRecord()]);
      expect(await prepared()).toBe(1);
      // As behind a proxy that gives each transaction another connection.
      await pool.query('DEALLOCATE ALL');
      await sink.write([sampleRecord()]);
      await sink.write([sampleRecord()]);
      expect(await prepared()).toBe(0);
      expect(await readRecords(schema)).toHaveLength(3);
    } finally {
      await pool.end();
    }
  });

  test('is made at the first write, and asked for again while that fails', async () => {
    const schema = newSchema();
    let asked = 0;
    const pool = async () => {
      asked++;
      if (asked === 1) throw new Error('not yet');
      return shared;
    };
    const sink = postgresSink({ pool, schema });
    expect(asked).toBe(0);
    await expect(sink.write([sampleRecord()])).rejects.toThrow('not yet');
    await sink.write([sampleRecord()]);
    await sink.write([sampleRecord()]);
    expect(asked).toBe(2);
    await sink.close?.();
    await expect(shared.query('SELECT 1')).resolves.toBeDefined();
  });

  test('may be a function that gives rows, and must be one that does', async () => {
    const schema = newSchema();
    const query = async (text: string, values: string[]) =>
      (await looking.query<object>(text, values)).rows;
    await postgresSink({ query, schema }).write([sampleRecord()]);
    expect(await readRecords(schema)).toHaveLength(1);
    await expect(
      postgresSink({ query: async () => undefined, schema }).write([sampleRecord()]),
    ).rejects.toThrow(/query must be a function that resolves with rows/);
  });
});

const price = { model: 'm', inputUsdPerMTok: 1e-6, outputUsdPerMTok: '2.5' };

test('postgresSink takes prices as the router does', () => {
  expect(() => postgresSink({ pool: shared, prices: [price] })).not.toThrow();
});

test.each([
  [{}, /give one of `pool`.*and `query`/],
  [{ pool: shared, query: async () => [] }, /give one of `pool`.*and `query`/],
  [{ pool: {} }, /pool must be a client with `query` or `unsafe`/],
  [{ query: 'SELECT' }, /query must be a function/],
  [{ pool: shared, schema: 'a"b' }, /schema must be letters/],
  [{ pool: shared, migrate: true }, /migrate must be "auto" or "check" or false, got true/],
  [{ pool: shared, timescale: true }, /timescale must be "auto" or false, got true/],
  [{ pool: shared, aggregates: 'yes' }, /aggregates must be true or false, got "yes"/],
  [{ pool: shared, prices: [{ ...price, model: '' }] }, /prices\[0\].model must be a name/],
  [{ pool: shared, prices: [{ ...price, model: 'a\0' }] }, /prices\[0\].model must be a name/],
  [
    { pool: shared, prices: [price, { ...price, inputUsdPerMTok: '1e3' }] },
    /prices\[1\].inputUsdPerMTok must be US dollars.* got "1e3"/,
  ],
  [
    { pool: shared, prices: [{ ...price, outputUsdPerMTok: undefined }] },
    /prices\[0\].outputUsdPerMTok must be US dollars.* got "undefined"/,
  ],
  [
    { pool: shared, prices: [{ ...price, validFrom: '2026-02-30' }] },
    /prices\[0\].validFrom must be YYYY-MM-DD/,
  ],
  [{ pool: shared, retentionDays: 0 }, /retentionDays must be a whole number .* got 0/],
])('postgresSink refuses %j', (options, message) => {
  expect(() => postgresSink(options as PostgresSinkOptions)).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTIONS',
      message: expect.stringMatching(message) as unknown,
    }),
  );
});
