import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';

import { postgresSchema, postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, pool as owner, readRecords, rows } from './database.ts';

const pool = new Pool({ connectionString: postgresUrl, max: 8 });
afterAll(async () => pool.end());

const versionsOf = async (schema: string) =>
  rows(`SELECT version, name FROM "${schema}".tokenrouter_schema`);

describe.skipIf(noPostgres !== undefined)('postgresSink sets its schema up', () => {
  test('once, whoever comes first', async () => {
    const schema = newSchema();
    const records = Array.from({ length: 8 }, () => sampleRecord());
    await Promise.all(
      records.map(async (record) => postgresSink({ pool, schema }).write([record])),
    );
    expect(await readRecords(schema)).toHaveLength(8);
    expect(await versionsOf(schema)).toEqual([{ version: 1, name: 'tables' }]);
  });

  test('not at all with `check`, which says what is missing until somebody has run it', async () => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema, migrate: 'check' });
    const record = sampleRecord();
    await expect(sink.write([record])).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      message: expect.stringMatching(/version 0.*migration 1 \(tables\) is missing/) as unknown,
    });
    expect(await rows('SELECT to_regnamespace($1) AS found', [schema])).toEqual([{ found: null }]);

    for (const statement of postgresSchema({ schema })) await pool.query(statement);
    await sink.write([record]);
    expect(await readRecords(schema)).toHaveLength(1);
  });

  test('with SQL that may run twice, also as one script', async () => {
    const schema = newSchema();
    const script = postgresSchema({ schema }).join('\n');
    await pool.query(script);
    await pool.query(script);
    expect(await versionsOf(schema)).toHaveLength(1);
  });

  test('without looking when `migrate` is false', async () => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema, migrate: false });
    await expect(sink.write([sampleRecord()])).rejects.toMatchObject({ code: '42P01' });
    for (const statement of postgresSchema({ schema })) await pool.query(statement);
    await pool.query(`DROP TABLE "${schema}".tokenrouter_schema`);
    await sink.write([sampleRecord()]);
    expect(await readRecords(schema)).toHaveLength(1);
  });

  test('never over tables of another program', async () => {
    const schema = newSchema();
    await pool.query(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".requests (mine text)`);
    const sink = postgresSink({ pool, schema });
    await expect(sink.write([sampleRecord()])).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      message: expect.stringContaining('table of another program') as unknown,
    });
    const found = await rows('SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace', [
      `"${schema}"`,
    ]);
    expect(found).toEqual([{ relname: 'requests' }]);
  });

  test('never below one of a newer release', async () => {
    const schema = newSchema();
    await postgresSink({ pool, schema }).write([sampleRecord()]);
    await pool.query(`INSERT INTO "${schema}".tokenrouter_schema VALUES (99, 'later')`);
    const sink = postgresSink({ pool, schema });
    await expect(sink.write([sampleRecord()])).rejects.toThrow(/version 99.*Upgrade tokenrouter/);
  });

  test('for a role that may only write', async () => {
    const schema = newSchema();
    const role = `tokenrouter_test_${randomUUID().replaceAll('-', '')}`;
    for (const statement of postgresSchema({ schema })) await owner.query(statement);
    await owner.query(`CREATE ROLE ${role};
      GRANT USAGE ON SCHEMA "${schema}" TO ${role};
      GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA "${schema}" TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA "${schema}" TO ${role}`);
    const limited = new Pool({ connectionString: postgresUrl, options: `-c role=${role}` });
    try {
      await postgresSink({ pool: limited, schema, migrate: 'check' }).write([sampleRecord()]);
      expect(await readRecords(schema)).toHaveLength(1);
    } finally {
      await limited.end();
      await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('and puts prices in it, which are corrected and never lost', async () => {
    const schema = newSchema();
    const first = {
      model: 'own',
      inputUsdPerMTok: '0.000001',
      outputUsdPerMTok: 2,
      cacheWriteUsdPerMTok: 3.75,
    };
    const dated = { ...first, provider: 'openai', validFrom: '2026-03-01', inputUsdPerMTok: 5 };
    await postgresSink({ pool, schema, prices: [first, dated] }).write([sampleRecord()]);
    await postgresSink({
      pool,
      schema,
      prices: [dated, { ...dated, inputUsdPerMTok: 7, cacheReadUsdPerMTok: 0.5 }],
    }).write([sampleRecord()]);
    const found = await rows(
      `SELECT *, valid_from::text AS valid_from FROM "${schema}".model_pricing ORDER BY provider`,
    );
    expect(found).toEqual([
      {
        provider: '',
        model: 'own',
        valid_from: '1970-01-01',
        input_usd_per_mtok: '0.000001',
        cache_read_usd_per_mtok: '0.000001',
        cache_write_usd_per_mtok: '3.75',
        cache_write_1h_usd_per_mtok: '3.75',
        output_usd_per_mtok: '2',
      },
      {
        provider: 'openai',
        model: 'own',
        valid_from: '2026-03-01',
        input_usd_per_mtok: '7',
        cache_read_usd_per_mtok: '0.5',
        cache_write_usd_per_mtok: '3.75',
        cache_write_1h_usd_per_mtok: '3.75',
        output_usd_per_mtok: '2',
      },
    ]);
  });
});
