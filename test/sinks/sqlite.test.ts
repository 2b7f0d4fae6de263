import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { sqliteSink } from '../../adapters/sinks/sqlite.ts';
import type { SqliteDatabase } from '../../adapters/sinks/sqlite.ts';
import type { UsageRecord } from '../../src/types.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { sinkContract } from '../../src/testing/sink-contract.ts';
import { usageRecordSchema } from '../../src/usage-record.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sqlite-sink-'));
  path = join(folder, 'deep', 'er', 'usage.db');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const samples = (count: number) => Array.from({ length: count }, () => sampleRecord());

function query(sql: string, file = path): Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

function readRecords(file = path): UsageRecord[] {
  if (!existsSync(file)) return [];
  return query('SELECT record FROM usage_records ORDER BY rowid', file).map(({ record }) =>
    JSON.parse(String(record)),
  );
}

describe('sqliteSink keeps the sink contract', () => {
  const cases = sinkContract({
    durable: true,
    async create() {
      const sink = sqliteSink({ path });
      return {
        sink,
        readAll: async () => readRecords(),
        reopen: async () => sqliteSink({ path }),
        dispose: async () => sink.close?.(),
      };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('sqliteSink on a database handed in keeps the sink contract', () => {
  const cases = sinkContract({
    async create() {
      const database = new DatabaseSync(':memory:');
      const sink = sqliteSink({ database });
      return {
        sink,
        async readAll() {
          const tables = database.prepare('SELECT name FROM sqlite_schema WHERE type = ?');
          if (tables.all('table').length === 0) return [];
          return database
            .prepare('SELECT id FROM usage_records ORDER BY rowid')
            .all()
            .map(({ id }) => String(id));
        },
        dispose: async () => database.close(),
      };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('sqliteSink rows', () => {
  test('hold what people query, and the whole record', async () => {
    const record = sampleRecord({
      route: 'fast',
      target: 'eu',
      errorCode: 'none',
      stream: true,
      dedupe: { role: 'leader' },
      cache: { prefix: 'p', marks: 1, miss: { reason: 'expired' } },
      saved: { cacheUsd: '-0.5', dedupeUsd: '0.25' },
      timing: {
        queuedMs: 1.5,
        heldMs: 2,
        timeToHeadersMs: 3,
        timeToFirstChunkMs: 4,
        durationMs: 5,
      },
      usage: {
        inputTokens: { total: 10, uncached: 1, cacheRead: 2, cacheWrite: 3, cacheWrite1h: 4 },
        outputTokens: { total: 9, reasoning: 8 },
        grade: 'exact',
      },
      context: { tenant: 't', user: 'u', priority: 'high', session: 's', tags: { feature: 'x' } },
    });
    const sink = sqliteSink({ path });
    await sink.write([record]);
    await sink.close?.();

    const [row] = query('SELECT * FROM usage_records');
    const { record: json, ...columns } = row ?? {};
    expect(columns).toEqual({
      id: record.id,
      call_id: record.callId,
      attempt: 1,
      final: 1,
      started_at: '2026-01-31T12:00:00.000Z',
      provider: 'openai',
      api: 'chat.completions',
      request_model: 'gpt-4o-mini',
      response_model: 'gpt-4o-mini-2024-07-18',
      route: 'fast',
      target: 'eu',
      stream: 1,
      outcome: 'ok',
      status: 200,
      error_code: 'none',
      provider_request_id: 'req_sample',
      input_tokens: 10,
      uncached_tokens: 1,
      cache_read_tokens: 2,
      cache_write_tokens: 3,
      cache_write_1h_tokens: 4,
      output_tokens: 9,
      reasoning_tokens: 8,
      usage_grade: 'exact',
      cost_usd: '0.000135',
      cost_pico_usd: 135_000_000,
      price: 'exact',
      price_date: '2024-07-18',
      saved_cache_usd: '-0.5',
      saved_dedupe_usd: '0.25',
      queued_ms: 1.5,
      held_ms: 2,
      time_to_headers_ms: 3,
      time_to_first_chunk_ms: 4,
      duration_ms: 5,
      dedupe_role: 'leader',
      cache_miss: 'expired',
      tenant: 't',
      user: 'u',
      priority: 'high',
      session: 's',
    });
    expect(usageRecordSchema.parse(JSON.parse(String(json)))).toEqual(record);
    expect(
      query(`SELECT json_extract(record, '$.context.tags.feature') AS tag FROM usage_records`),
    ).toEqual([{ tag: 'x' }]);
  });

  test('keep unknown apart from 0', async () => {
    const sink = sqliteSink({ path });
    await sink.write([
      sampleRecord({
        usage: { inputTokens: { total: 0 }, outputTokens: {}, grade: 'partial' },
        cost: { usd: null, price: 'unpriced' },
      }),
    ]);
    await sink.close?.();
    expect(
      query('SELECT input_tokens, output_tokens, cost_usd, cost_pico_usd FROM usage_records'),
    ).toEqual([{ input_tokens: 0, output_tokens: null, cost_usd: null, cost_pico_usd: null }]);
  });

  test.each([
    ['0', '0'],
    ['0.000000000001', '1'],
    ['0.0000000000010', '1'],
    ['0.0000000000001', null],
    ['12.5', '12500000000000'],
    ['9223372.036854775807', '9223372036854775807'],
    ['9223372.036854775808', null],
    ['1e-5', null],
    ['-1', '-1000000000000'],
  ])('give %s dollars as %s pico-dollars', async (usd, pico) => {
    const sink = sqliteSink({ path });
    await sink.write([sampleRecord({ cost: { usd, price: 'exact' } })]);
    await sink.close?.();
    expect(
      query('SELECT cost_usd, CAST(cost_pico_usd AS TEXT) AS pico FROM usage_records'),
    ).toEqual([{ cost_usd: usd, pico }]);
  });

  test('hold text that SQL sees to its end, and the exact text in the record', async () => {
    const text = 'a\0b\ud800';
    const record = sampleRecord({ context: { priority: 'low', tenant: text } });
    const sink = sqliteSink({ path });
    await sink.write([record]);
    await sink.close?.();
    expect(query('SELECT length(tenant) AS length FROM usage_records')).toEqual([{ length: 4 }]);
    expect(readRecords()).toEqual([record]);
  });

  test('stand in the table that was asked for', async () => {
    const sink = sqliteSink({ path, table: 'Select' });
    await sink.write(samples(2));
    await sink.close?.();
    expect(query('SELECT count(*) AS count FROM "Select"')).toEqual([{ count: 2 }]);
  });
});

describe('sqliteSink batches', () => {
  test('are stored whole or not at all', async () => {
    const sink = sqliteSink({ path });
    const [a, b] = [sampleRecord(), sampleRecord()];
    const broken = { ...sampleRecord(), id: undefined } as unknown as UsageRecord;
    await expect(sink.write([a, broken, b])).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR' });
    expect(readRecords()).toEqual([]);
    await sink.write([a, b]);
    expect(readRecords()).toEqual([a, b]);
    await sink.close?.();
  });

  test('are rejected while another process writes, after busyTimeoutMs, and taken afterwards', async () => {
    const sink = sqliteSink({ path, busyTimeoutMs: 1 });
    const records = samples(2);
    await sink.write(records.slice(0, 1));
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(sink.write(records)).rejects.toMatchObject({ errcode: 5 });
    other.exec('COMMIT');
    other.close();
    await sink.write(records);
    await sink.close?.();
    expect(readRecords()).toEqual(records);
  });

  test('of two sinks on one file all arrive', async () => {
    const [one, two] = [sqliteSink({ path }), sqliteSink({ path })];
    const records = samples(4);
    await one.write(records.slice(0, 2));
    await two.write(records.slice(1));
    await Promise.all([one.close?.(), two.close?.()]);
    expect(readRecords()).toEqual(records);
  });

  test('are rejected when the file is no database, and the next try starts afresh', async () => {
    path = join(folder, 'usage.db');
    await writeFile(path, 'not a database, but long enough to look at'.repeat(20));
    const sink = sqliteSink({ path });
    const records = samples(1);
    await expect(sink.write(records)).rejects.toMatchObject({ errcode: 26 });
    await rm(path);
    await sink.write(records);
    await sink.close?.();
    expect(readRecords()).toEqual(records);
  });
});

describe('sqliteSink and the database', () => {
  test('of its own: WAL, schema version 1', async () => {
    const sink = sqliteSink({ path });
    await sink.write(samples(1));
    await sink.close?.();
    expect(query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(query('PRAGMA user_version')).toEqual([{ user_version: 1 }]);
  });

  test('of its own with a schema from the future: rejects and changes nothing', async () => {
    path = join(folder, 'usage.db');
    const future = new DatabaseSync(path);
    future.exec('PRAGMA user_version = 7');
    future.close();
    const sink = sqliteSink({ path });
    await expect(sink.write(samples(1))).rejects.toThrow(
      /schema version 7, this release writes 1.*Upgrade/s,
    );
    expect(query('SELECT name FROM sqlite_schema')).toEqual([]);
  });

  test('handed in: settings, version and the open handle stay as they are', async () => {
    path = join(folder, 'host.db');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 42');
    const sink = sqliteSink({ database });
    const records = samples(2);
    await sink.write(records);
    await sink.close?.();
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 42 });
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
    expect(readRecords()).toEqual(records);
    database.close();
  });

  test('handed in with a transaction open: rejects and leaves that transaction alone', async () => {
    const database = new DatabaseSync(':memory:');
    const sink = sqliteSink({ database });
    await sink.write(samples(1));
    database.exec('BEGIN; CREATE TABLE of_the_host (x)');
    await expect(sink.write(samples(1))).rejects.toThrow(/within a transaction/);
    database.exec('COMMIT');
    expect(database.prepare('SELECT count(*) AS count FROM of_the_host').get()).toEqual({
      count: 0,
    });
    await sink.write(samples(1));
    expect(database.prepare('SELECT count(*) AS count FROM usage_records').get()).toEqual({
      count: 2,
    });
  });

  test('handed in: prepares its statement once', async () => {
    const database = new DatabaseSync(':memory:');
    const prepare = vi.spyOn(database, 'prepare');
    const sink = sqliteSink({ database });
    for (let i = 0; i < 5; i++) await sink.write(samples(3));
    expect(prepare).toHaveBeenCalledTimes(1);
  });

  test('is taken from the name that later Nodes give it', async () => {
    const opened: string[] = [];
    class Database implements SqliteDatabase {
      readonly #inner: DatabaseSync;
      constructor(file: string, options: { timeout: number }) {
        opened.push(file);
        this.#inner = new DatabaseSync(file, options);
      }
      exec = (sql: string) => this.#inner.exec(sql);
      prepare = (sql: string) => this.#inner.prepare(sql);
      close = () => this.#inner.close();
    }
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ Database });
    const sink = sqliteSink({ path });
    vi.restoreAllMocks();
    await sink.write(samples(1));
    await sink.close?.();
    expect(opened).toEqual([path]);
  });

  test('is not looked for on import, and its absence is told with what to do', () => {
    const module = pathToFileURL(join(import.meta.dirname, '../../adapters/sinks/sqlite.ts')).href;
    const script = `
      const { sqliteSink } = await import(${JSON.stringify(module)});
      try { sqliteSink({ path: 'usage.db' }); } catch (error) { console.log(error.code, error.message); }
      sqliteSink({ database: { exec() {}, prepare() {}, close() {} } });
      console.log('handed in: ok');
    `;
    const run = spawnSync(
      process.execPath,
      ['--no-experimental-sqlite', '--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    );
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(
      /^ERR_OPTIONS sqliteSink: Node v\S+ has no node:sqlite here .*`database`\n/,
    );
    expect(run.stdout).toContain('handed in: ok');
  });
});

describe('sqliteSink options', () => {
  test.each([
    { path: '' },
    {},
    { path: 'x', table: '' },
    { path: 'x', table: 'a"b' },
    { path: 'x', table: '1st' },
    { path: 'x', table: 'x'.repeat(64) },
    { path: 'x', busyTimeoutMs: -1 },
    { path: 'x', busyTimeoutMs: 0.5 },
    { path: 'x', busyTimeoutMs: '250' },
  ])('refuses %j', (options) => {
    expect(() => sqliteSink(options as { path: string })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS' }),
    );
  });
});
