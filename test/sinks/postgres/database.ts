/** A schema of its own for each test, and what a reader sees in it. */
import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, afterEach } from 'vitest';

import { POSTGRES_COLUMNS } from '../../../src/util/postgres-columns.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { postgresUrl } from '../../helpers/services.ts';

/** For looking; sinks under test get their own. */
export const pool: Pool = new Pool({ connectionString: postgresUrl, max: 4 });
pool.on('error', () => undefined);

const made = new Set<string>();

/** The name of a schema that is dropped after the test. */
export function newSchema(): string {
  const schema = `tokenrouter_test_${randomUUID().replaceAll('-', '')}`;
  made.add(schema);
  return schema;
}

afterEach(async () => {
  for (const schema of made) await pool.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  made.clear();
});

afterAll(async () => {
  await pool.end();
});

export type DatabaseRow = Record<string, unknown>;

export async function rows(sql: string, values: readonly unknown[] = []): Promise<DatabaseRow[]> {
  return (await pool.query<DatabaseRow>(sql, [...values])).rows;
}

/** Every record, put together again from its columns and details, in the order of arrival. */
export async function readRecords(schema: string): Promise<UsageRecord[]> {
  const [there] = await rows(`SELECT to_regclass('"${schema}".requests') AS requests`);
  if (there?.['requests'] === null) return [];
  const found = await rows(`SELECT * FROM "${schema}".requests ORDER BY seq`);
  return found.map(recordOf);
}

function recordOf(row: DatabaseRow): UsageRecord {
  const record: DatabaseRow = {
    schemaVersion: 1,
    startedAt: (row['started_at'] as Date).toISOString(),
    usage: { inputTokens: {}, outputTokens: {} },
    cost: { usd: null },
    saved: {},
  };
  for (const { name, type, path } of POSTGRES_COLUMNS) {
    const value = row[name];
    if (value === null) continue;
    setAt(record, path, type === 'bigint' ? Number(value) : value);
  }
  merge(record, (row['details'] ?? {}) as DatabaseRow);
  return record as unknown as UsageRecord;
}

function setAt(
  target: DatabaseRow,
  [member = '', ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) target[member] = value;
  else setAt((target[member] ??= {}) as DatabaseRow, rest, value);
}

function merge(target: DatabaseRow, more: DatabaseRow): void {
  for (const [member, value] of Object.entries(more)) {
    const there = target[member];
    if (isObject(there) && isObject(value)) merge(there, value);
    else target[member] = value;
  }
}

function isObject(value: unknown): value is DatabaseRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
