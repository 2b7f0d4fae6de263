/** The sum over the records is the sum in every store, and that of what the providers reported, to the last pico-dollar. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileSink } from '../../adapters/sinks/file.ts';
import { memorySink } from '../../adapters/sinks/memory.ts';
import { postgresSink } from '../../adapters/sinks/postgres/index.ts';
import { prometheusSink } from '../../adapters/sinks/prometheus/index.ts';
import { sqliteSink } from '../../adapters/sinks/sqlite.ts';
import type { UsageRecord } from '../../src/index.ts';
import { fileRecords, report, spend, sqliteRecords } from '../../src/report/index.ts';
import { noPostgres } from '../helpers/services.ts';
import { newSchema, pool, rows } from '../sinks/postgres/database.ts';
import { recordingFolders } from '../adapters/recordings.ts';
import { picoDollars } from '../../src/util/usd.ts';
import { playRecordings, sumsOf, type Played } from './recorded-usage.ts';

describe.each(recordingFolders)('$name', ({ folder }) => {
  describe.skipIf(folder === undefined)('add up', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tokenrouter-sums-'));
    const memory = memorySink({ maxRecords: 1_000_000 });
    const lines = join(directory, 'usage.jsonl');
    const database = join(directory, 'usage.db');
    const prometheus = prometheusSink();
    let played: Played;

    beforeAll(async () => {
      const sinks = [memory, fileSink({ path: lines }), sqliteSink({ path: database }), prometheus];
      played = await playRecordings(folder!, sinks);
    }, 120_000);
    afterAll(() => rmSync(directory, { recursive: true }));

    test('to what the providers reported', () => {
      const { compared } = played;
      expect(compared.length).toBeGreaterThan(40);
      const want = (
        of: (usage: NonNullable<(typeof compared)[0]['expected']['usage']>) => number | null,
      ): bigint =>
        compared.reduce(
          (sum, { expected: { usage } }) => sum + BigInt((usage && of(usage)) ?? 0),
          0n,
        );
      const got = sumsOf(compared.map(({ record }) => record));
      expect({
        input: got.uncached + got.cacheRead + got.cacheWrite + got.cacheWrite1h,
        read: got.cacheRead,
        written: got.cacheWrite + got.cacheWrite1h,
        output: got.output,
        reasoning: got.reasoning,
      }).toEqual({
        input: want((usage) => usage.input_total),
        read: want((usage) => usage.cached_read),
        written: want((usage) => usage.cache_write),
        output: want((usage) => usage.output),
        reasoning: want((usage) => usage.reasoning),
      });
    });

    test('to the parts of each cost', () => {
      for (const { cost } of played.records) {
        if (cost.usd === null) continue;
        const parts = [cost.inputUsd, cost.cacheReadUsd, cost.cacheWriteUsd, cost.outputUsd];
        expect(sumOfDollars(parts)).toBe(sumOfDollars([cost.usd]));
      }
    });

    test('in memory', () => {
      expect(sumsOf(memory.records)).toEqual(sumsOf(played.records));
    });

    test('in a file', () => {
      const records = readFileSync(lines, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as UsageRecord);
      expect(sumsOf(records)).toEqual(sumsOf(played.records));
    });

    test('in SQLite', () => {
      using db = new DatabaseSync(database, { readOnly: true });
      const row = db.prepare(
        `SELECT count(*) AS records, sum(uncached_tokens) AS uncached, sum(cache_read_tokens) AS cacheRead,
                  sum(cache_write_tokens) AS cacheWrite, sum(cache_write_1h_tokens) AS cacheWrite1h,
                  sum(output_tokens) AS output, sum(reasoning_tokens) AS reasoning, sum(cost_pico_usd) AS cost,
                  sum(cost_usd IS NULL) AS unpriced
           FROM usage_records`,
      );
      row.setReadBigInts(true);
      const { savedByCache: _, ...sums } = sumsOf(played.records);
      expect(row.get()).toEqual(sums);
    });

    test.skipIf(noPostgres !== undefined)(
      'in PostgreSQL, record by record and day by day',
      async () => {
        const schema = newSchema();
        const sink = postgresSink({ pool, schema });
        for (let at = 0; at < played.records.length; at += 500) {
          await sink.write(played.records.slice(at, at + 500));
        }
        const { savedByCache, ...sums } = sumsOf(played.records);
        const tokens = `coalesce(sum(uncached_tokens), 0) AS "uncached", coalesce(sum(cache_read_tokens), 0) AS "cacheRead",
        coalesce(sum(cache_write_tokens), 0) AS "cacheWrite", coalesce(sum(cache_write_1h_tokens), 0) AS "cacheWrite1h",
        coalesce(sum(output_tokens), 0) AS "output", coalesce(sum(reasoning_tokens), 0) AS "reasoning",
        trunc(sum(cost_usd) * 1e12) AS "cost", trunc(sum(saved_cache_usd) * 1e12) AS "savedByCache"`;
        const inRecords = `count(*) AS "records", count(*) FILTER (WHERE cost_usd IS NULL) AS "unpriced"`;
        const inDays = 'sum(records) AS "records", sum(unpriced) AS "unpriced"';
        for (const [counts, table] of [
          [inRecords, 'requests'],
          [inDays, 'daily_usage'],
        ]) {
          const [row] = await rows(`SELECT ${counts}, ${tokens} FROM "${schema}".${table}`);
          const found = Object.entries(row ?? {}).map(([name, value]) => [
            name,
            BigInt(String(value)),
          ]);
          expect(Object.fromEntries(found)).toEqual({ ...sums, savedByCache });
        }
      },
    );

    test('on the page for Prometheus', () => {
      const page = prometheus.metrics();
      const total = (name: string, type = ''): bigint =>
        [
          ...page.matchAll(new RegExp(`^tokenrouter_${name}\\{.*${type}.*\\} (\\S+)$`, 'gm')),
        ].reduce((sum, [, value = '']) => sum + (picoDollars(value) ?? 0n), 0n) /
        1_000_000_000_000n;
      const sums = sumsOf(played.records);
      expect({
        uncached: total('tokens_total', 'type="uncached"'),
        cacheRead: total('tokens_total', 'type="cache_read"'),
        output: total('tokens_total', 'type="output"'),
      }).toEqual({ uncached: sums.uncached, cacheRead: sums.cacheRead, output: sums.output });
      const dollars = [...page.matchAll(/^tokenrouter_cost_dollars_total\{.*\} (\S+)$/gm)];
      expect(dollars.reduce((sum, [, usd]) => sum + (picoDollars(usd) ?? -1n), 0n)).toBe(sums.cost);
    });

    test.each([
      ['memory', () => memory.records],
      ['a file', () => fileRecords(lines)],
      ['SQLite', () => sqliteRecords(database)],
    ])('in a report over %s', async (_, source) => {
      const { all } = await report(source(), { all: spend() });
      const { records, cost, unpriced } = all.total;
      const sums = sumsOf(played.records);
      expect({ records: BigInt(records), cost, unpriced: BigInt(unpriced) }).toEqual({
        records: sums.records,
        cost: sums.cost,
        unpriced: sums.unpriced,
      });
    });
  });
});

function sumOfDollars(amounts: ReadonlyArray<string | undefined>): bigint {
  return sumsOf(
    amounts.map(
      (usd) =>
        ({
          usage: { inputTokens: {}, outputTokens: {} },
          saved: {},
          cost: { usd: usd ?? '0' },
        }) as UsageRecord,
    ),
  ).cost;
}
