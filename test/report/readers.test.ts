import { existsSync, readdirSync } from 'node:fs';
import { appendFile, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { fileSink } from '../../adapters/sinks/file.ts';
import { sqliteSink } from '../../adapters/sinks/sqlite.ts';
import { fileRecords, report, spend, sqliteRecords } from '../../src/report/index.ts';
import type { RecordSource } from '../../src/report/index.ts';
import { linesOf } from '../../src/report/lines.ts';
import { sampleRecord } from '../../src/testing/index.ts';
import type { Sink, UsageRecord } from '../../src/types.ts';
import { anyRecords } from './random-records.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const samples = (count: number, overrides?: Partial<UsageRecord>) =>
  Array.from({ length: count }, () => sampleRecord(overrides));

async function write(sink: Sink, records: readonly UsageRecord[]): Promise<void> {
  await sink.write(records);
  await sink.close?.();
}

async function all(source: RecordSource): Promise<UsageRecord[]> {
  const records: UsageRecord[] = [];
  await report(source, () => ({ add: (record) => records.push(record), answer: () => undefined }));
  return records;
}

const idsOf = (records: readonly UsageRecord[]): string[] => records.map(({ id }) => id);

/** Records as a store gives them back: without members that are undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('fileRecords', () => {
  test('reads rotated files too, the oldest first, as they were written', async () => {
    const path = join(folder, 'usage.jsonl');
    const records = samples(12);
    const line = JSON.stringify(records[0]).length + 1;
    await write(fileSink({ path, maxBytes: 3 * line, maxFiles: 12 }), records);
    await writeFile(join(folder, 'usage.jsonl.1.gz'), 'not of the sink');
    await writeFile(join(folder, 'usage.jsonl.bak'), JSON.stringify(sampleRecord()));
    expect(await all(fileRecords(path))).toEqual(records);
  });

  test('orders rotated files by their numbers', async () => {
    const path = join(folder, 'usage.jsonl');
    const records = samples(12);
    for (const [index, record] of records.entries()) {
      const number = records.length - 1 - index;
      await writeFile(number === 0 ? path : `${path}.${number}`, `${JSON.stringify(record)}\n`);
    }
    expect(await all(fileRecords(path))).toEqual(records);
  });

  test('counts the first line of each id, wherever its repetition stands', async () => {
    const path = join(folder, 'usage.jsonl');
    const [a, b, c] = samples(3) as [UsageRecord, UsageRecord, UsageRecord];
    const later = { ...a, provider: 'later' };
    const lines = (...records: UsageRecord[]) =>
      records.map((each) => `${JSON.stringify(each)}\n`).join('');
    await writeFile(`${path}.1`, lines(a, b, a));
    await writeFile(path, lines(c, later, b, c));
    expect(await all(fileRecords(path))).toEqual([a, b, c]);
    const openFiles = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
    const before = openFiles();
    expect(await all(fileRecords([path, path, `${path}.1`]))).toEqual([a, b, c]);
    expect(openFiles()).toBe(before);
  });

  test('remembers as many ids as it is told, or a few more', async () => {
    const path = join(folder, 'usage.jsonl');
    const records = samples(45);
    const again = [...records, ...records.slice(35), ...records];
    await writeFile(path, again.map((record) => `${JSON.stringify(record)}\n`).join(''));
    expect(await all(fileRecords(path, { remember: Infinity }))).toEqual(records);
    const found = idsOf(await all(fileRecords(path, { remember: 10 })));
    expect(found.slice(0, 45)).toEqual(idsOf(records));
    // The last ten are still known when they come again, and the first are not.
    expect(found[45]).toBe(records[0]?.id);
  });

  test('skips and counts lines that are no records', async () => {
    const path = join(folder, 'usage.jsonl');
    const [a, b] = samples(2) as [UsageRecord, UsageRecord];
    await write(fileSink({ path }), [a]);
    await appendFile(path, '{"schemaVersion":1,"id":"019a');
    await write(fileSink({ path }), [b]);
    const others = ['null', '7', '[]', '{}', '{"schemaVersion":2}', '', '\r'];
    await appendFile(path, `${others.join('\n')}\n\0\0\0${JSON.stringify({ ...a, usage: null })}`);
    const reader = fileRecords(path);
    expect(await all(reader)).toEqual([a, b]);
    expect(reader.skipped).toBe(8);
    // Anew with every reading.
    await all(reader);
    expect(reader.skipped).toBe(8);
  });

  test('reads all of several files, whatever their chunks cut', async () => {
    const records = samples(6, { errorCode: 'ü€👩‍👩‍👧‍👦'.repeat(60_000) });
    const paths = ['a', 'b'].map((name) => join(folder, name));
    await write(fileSink({ path: paths[0]! }), records.slice(0, 3));
    await write(fileSink({ path: paths[1]! }), records.slice(3));
    expect(await all(fileRecords(paths))).toEqual(records);
  });

  test('reads on when a file is rotated meanwhile', async () => {
    const path = join(folder, 'usage.jsonl');
    const records = samples(4_000);
    await write(fileSink({ path }), records);
    const found: string[] = [];
    for await (const { id } of fileRecords(path)) {
      if (found.push(id) === 1) {
        await rename(path, `${path}.1`);
        await write(fileSink({ path }), samples(1));
      }
    }
    expect(found).toEqual(idsOf(records));
  });

  test('rejects where there is no file', async () => {
    const reader = fileRecords(join(folder, 'none', 'usage.jsonl'));
    await expect(report(reader, spend())).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(join(folder, 'usage.jsonl.2'), JSON.stringify(sampleRecord()));
    expect(await all(fileRecords(join(folder, 'usage.jsonl')))).toHaveLength(1);
  });

  test('keeps to the time that is asked for', async () => {
    const path = join(folder, 'usage.jsonl');
    const days = ['2026-11-03', '2026-11-01', '2026-11-02'];
    const records = days.map((day) => sampleRecord({ startedAt: `${day}T00:00:00.000Z` }));
    await write(fileSink({ path }), records);
    const range = { from: '2026-11-02', to: '2026-11-03' };
    const { rows } = await report(fileRecords(path), spend({ by: ['day'] }), range);
    expect(rows).toMatchObject([{ day: '2026-11-02', calls: 1 }]);
  });

  test.each([[''], [[]], [['a', '']], [5], [undefined]])('refuses the path %j', (path) => {
    expect(() => fileRecords(path as string)).toThrow(/^fileRecords: give the name of a file/);
    expect(() => fileRecords('a', { remember: 0 })).toThrow(/remember must be/);
  });
});

describe('lines', () => {
  test('are what stands between line feeds, but for those that are too long', async () => {
    const path = join(folder, 'lines');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string({ maxLength: 20 }), fc.constant('x'.repeat(300_000))), {
          maxLength: 8,
        }),
        fc.boolean(),
        async (texts, isEnded) => {
          const lines = texts.map((text) => text.replaceAll('\n', ' '));
          await writeFile(path, lines.join('\n') + (isEnded ? '\n' : ''));
          const found: Array<string | undefined> = [];
          const file = await open(path);
          for await (const line of linesOf(file, 200_000)) found.push(line);
          await file.close();
          const expected = lines.map((line) => (line.length > 200_000 ? undefined : line));
          // An empty text behind the last line feed is no line.
          const isOpen = !isEnded && expected.at(-1) === '';
          const isNothing = lines.length === 0 && !isEnded;
          if (isOpen) expected.pop();
          expect(found).toEqual(isNothing ? [] : lines.length === 0 ? [''] : expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('sqliteRecords', () => {
  const path = () => join(folder, 'usage.db');

  test('gives what was written, whatever it was, by time', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const database = new DatabaseSync(':memory:');
        await write(sqliteSink({ database }), records);
        if (records.length === 0) return;
        const found = await all(sqliteRecords(database));
        const sorted = records.toSorted((a, b) =>
          a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0,
        );
        expect(found).toEqual(plain(sorted));
        database.close();
      }),
    );
  });

  test('reads a file in pages, while another connection writes', async () => {
    const records = samples(2_500);
    const sink = sqliteSink({ path: path(), table: 'mine' });
    await sink.write(records);
    const found: string[] = [];
    for await (const { id } of sqliteRecords(path(), { table: 'mine' })) {
      if (found.push(id) === 1_200) await sink.write(samples(3));
    }
    expect(found).toEqual(expect.arrayContaining(idsOf(records)));
    expect(found).toHaveLength(2_503);
    await sink.close?.();
  });

  test('leaves an open database free for others between two records', async () => {
    const database = new DatabaseSync(':memory:');
    const sink = sqliteSink({ database });
    await sink.write(samples(3));
    let seen = 0;
    for await (const _ of sqliteRecords(database)) {
      if (seen++ === 0) database.exec('BEGIN; CREATE TABLE of_the_host (x); COMMIT');
    }
    expect(seen).toBe(3);
    expect(database.isOpen).toBe(true);
  });

  test('asks for no more than the time that counts', async () => {
    const database = new DatabaseSync(':memory:');
    const moments = [
      '2026-10-31T23:59:59.999Z',
      '2026-11-01T00:00:00Z',
      '2026-11-01T00:00:00.5Z',
      '2026-11-01T23:59:59.999Z',
      '2026-11-02T00:00:00.000Z',
    ];
    const records = moments.map((startedAt) => sampleRecord({ startedAt }));
    await write(sqliteSink({ database }), records);
    const reader = sqliteRecords(database);
    const calls = async (from: string, to: string) =>
      (await report(reader, spend(), { from, to })).total.calls;
    expect(await calls('2026-11-01', '2026-11-02')).toBe(3);
    expect(await calls('2026-11-01T00:00:00.001Z', '2026-11-01T00:00:00.501Z')).toBe(1);
    expect(await calls('2026-11-01', '2026-11-01T00:00:00.001Z')).toBe(1);
    const between: string[] = [];
    const range = { from: Date.UTC(2026, 10, 1, 12), to: Date.UTC(2026, 10, 2) };
    for await (const { startedAt } of reader.between(range)) between.push(startedAt);
    expect(between).toEqual(['2026-11-01T23:59:59.999Z']);
  });

  test('skips and counts rows that are no records', async () => {
    const database = new DatabaseSync(':memory:');
    const sink = sqliteSink({ database });
    await sink.write(samples(3));
    database.exec(`UPDATE usage_records SET record = '{"schemaVersion":9}' WHERE rowid = 2`);
    const reader = sqliteRecords(database);
    expect(await all(reader)).toHaveLength(2);
    expect(reader.skipped).toBe(1);
  });

  test('makes no file, and rejects where there is none', async () => {
    await expect(report(sqliteRecords(path()), spend())).rejects.toThrow(/unable to open/);
    await expect(open(path())).rejects.toMatchObject({ code: 'ENOENT' });
    new DatabaseSync(path()).close();
    await expect(report(sqliteRecords(path()), spend())).rejects.toThrow(/no such table/);
  });

  test.each([
    ['', {}],
    [undefined, {}],
    [{}, {}],
    ['a', { table: 'a"b' }],
  ])('refuses %j, %j', (database, options) => {
    expect(() => sqliteRecords(database as string, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS' }),
    );
  });
});
