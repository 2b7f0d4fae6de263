import { Client, Pool } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';

import { postgresSchema, postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, rows } from './database.ts';

/** Midnight there is not midnight in UTC: months and days must not move with the session. */
const pool = new Pool({
  connectionString: postgresUrl,
  max: 4,
  options: '-c timezone=Pacific/Auckland',
});
afterAll(async () => pool.end());

const partitionsOf = async (schema: string): Promise<Record<string, number>> => {
  const found = await rows(
    `SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = $1::regclass ORDER BY relname`,
    [`"${schema}".requests`],
  );
  const counts: Record<string, number> = {};
  for (const { relname } of found) {
    const [row] = await rows(`SELECT count(*)::int AS n FROM "${schema}"."${relname}"`);
    counts[String(relname)] = Number(row?.['n']);
  }
  return counts;
};

const started = (startedAt: string) => sampleRecord({ startedAt });

const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
const partitionAt = (iso: string) => `requests_${iso.slice(0, 7).replace('-', '_')}`;

describe.skipIf(noPostgres !== undefined)('partitions of postgresSink', () => {
  test('are there for each month that records come from, and for the next', async () => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema });
    await sink.write([
      started('2024-11-30T23:59:59.999Z'),
      started('2024-12-01T00:00:00.000Z'),
      started('2024-12-31T23:59:59.999Z'),
    ]);
    expect(await partitionsOf(schema)).toEqual({
      requests_2024_11: 1,
      requests_2024_12: 2,
      requests_2025_01: 0,
      requests_default: 0,
    });
    await sink.write([started('2025-01-01T00:00:00.000Z')]);
    expect(await partitionsOf(schema)).toMatchObject({ requests_2025_01: 1, requests_2025_02: 0 });
    const days = await rows(
      `SELECT day::text AS day, records FROM "${schema}".daily_usage ORDER BY 1`,
    );
    expect(days).toEqual([
      { day: '2024-11-30', records: '1' },
      { day: '2024-12-01', records: '1' },
      { day: '2024-12-31', records: '1' },
      { day: '2025-01-01', records: '1' },
    ]);
  });

  test('are not made for the times of a broken clock, which are stored all the same', async () => {
    const schema = newSchema();
    const far = ['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', daysAgo(-100)];
    await postgresSink({ pool, schema }).write(far.map(started));
    expect(await partitionsOf(schema)).toEqual({ requests_default: 3 });
  });

  test('take over the rows that came before them', async () => {
    const schema = newSchema();
    for (const statement of postgresSchema({ schema })) await pool.query(statement);
    const record = started('2025-05-31T23:00:00.000Z');
    await postgresSink({ pool, schema, migrate: 'check' }).write([
      record,
      started('2025-06-01T00:00:00.000Z'),
    ]);
    expect(await partitionsOf(schema)).toEqual({ requests_default: 2 });

    const sink = postgresSink({ pool, schema });
    await sink.write([record]);
    expect(await partitionsOf(schema)).toEqual({
      requests_2025_05: 1,
      requests_2025_06: 1,
      requests_default: 0,
    });
  });

  test('never keep a record waiting while somebody holds the table', async () => {
    const schema = newSchema();
    const sink = postgresSink({ pool, schema });
    await sink.write([started('2025-05-01T00:00:00.000Z')]);
    const reader = new Client({ connectionString: postgresUrl });
    await reader.connect();
    try {
      await reader.query('BEGIN');
      await reader.query(`SELECT * FROM "${schema}".requests`);
      await sink.write([started('2025-08-01T00:00:00.000Z')]);
      expect(await partitionsOf(schema)).toMatchObject({ requests_default: 1 });
    } finally {
      await reader.end();
    }
    await rows(`SELECT "${schema}".tokenrouter_add_partitions('2025-08-01T00:00:00Z')`);
    expect(await partitionsOf(schema)).toMatchObject({ requests_2025_08: 1, requests_default: 0 });
  });

  test('are dropped when all in them is older than `retentionDays`; sums stay', async () => {
    const schema = newSchema();
    const [now, old] = [daysAgo(0), daysAgo(100)];
    await postgresSink({ pool, schema }).write([now, old, '1980-01-01T00:00:00.000Z'].map(started));
    expect(await partitionsOf(schema)).toMatchObject({
      [partitionAt(old)]: 1,
      [partitionAt(now)]: 1,
      requests_default: 1,
    });

    await postgresSink({ pool, schema, retentionDays: 60 }).write([started(daysAgo(0))]);
    const left = await partitionsOf(schema);
    expect(left).toMatchObject({ [partitionAt(now)]: 2, requests_default: 0 });
    expect(left).not.toHaveProperty(partitionAt(old));
    const sums = await rows(`SELECT sum(records)::int AS records FROM "${schema}".daily_usage`);
    expect(sums).toEqual([{ records: 4 }]);
  });

  test('serve queries by time: only the month that is asked for is read', async () => {
    const schema = newSchema();
    await postgresSink({ pool, schema }).write([started('2025-05-01T00:00:00.000Z')]);
    const plan = await rows(
      `EXPLAIN SELECT * FROM "${schema}".requests
       WHERE started_at >= '2025-05-01T00:00Z' AND started_at < '2025-06-01T00:00Z'`,
    );
    expect(JSON.stringify(plan)).toContain('requests_2025_05');
    expect(JSON.stringify(plan)).not.toContain('requests_default');
  });
});
