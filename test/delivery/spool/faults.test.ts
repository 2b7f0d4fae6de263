/** Whatever happens to the spool, calls go on, records reach sinks that work, and what is lost is counted by its reason. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { readDeadLetters } from '../../../src/delivery/spool/dead-letters.ts';
import type { DeadLetter } from '../../../src/delivery/spool/dead-letters.ts';
import {
  afterKill,
  damage,
  emptyFolder,
  idsIn,
  onlyOutbox,
  outboxes,
  spooling,
} from './spooling.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What a killed process left, all of it in the database and none in its log. */
function leftBehind(count: number): { spoolDir: string; path: string; ids: string[] } {
  const first = spooling();
  const ids = first.push(count);
  const spoolDir = afterKill(first.spoolDir);
  const path = onlyOutbox(spoolDir);
  const database = new DatabaseSync(path);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return { spoolDir, path, ids };
}

/** SQLite as it is, but for what `change` does to each file as it is opened. */
function withSqlite(change: (database: DatabaseSync) => void): void {
  class Changed extends DatabaseSync {
    constructor(path: string, options?: ConstructorParameters<typeof DatabaseSync>[1]) {
      super(path, options);
      change(this);
    }
  }
  vi.spyOn(process, 'getBuiltinModule').mockImplementation((name: string) =>
    name === 'node:sqlite' ? { DatabaseSync: Changed } : undefined,
  );
}

describe('a damaged file', () => {
  test.each([
    ['is no database at all', (path: string) => writeFileSync(path, 'garbage '.repeat(5_000))],
    ['has a damaged first page', (path: string) => damage(path, 0, 100)],
    ['has a damaged table', (path: string) => damage(path, 4_096, 4_096)],
    ['has a damaged log', (path: string) => writeFileSync(`${path}-wal`, 'garbage '.repeat(99))],
  ])('is put aside and named when it %s', async (_, harm) => {
    const { spoolDir, path } = leftBehind(50);
    harm(path);
    const { clock, sink, faults, push, spool } = spooling({ spoolDir });
    const ids = push(2);
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
    expect(spool()).toMatchObject({ state: 'open', corruptFiles: 1, files: 1 });
    expect(faults).toEqual([
      { fault: 'corrupt', file: path, error: { name: 'Error', code: expect.any(String) } },
    ]);
    expect(outboxes(spoolDir)).toHaveLength(1);
    expect(readFileSync(`${path}.corrupt`).length).toBeGreaterThan(0);
  });

  test('gives what comes before the damage; the rest is counted', async () => {
    const { spoolDir, path, ids } = leftBehind(500);
    const size = readFileSync(path).length;
    damage(path, Math.floor(size / 2 / 4_096) * 4_096, 4_096);
    const { clock, sink, delivery, drops, spool } = spooling({ spoolDir, batchSize: 50 });
    await clock.advance(5_000);
    const { written, dropped, pending } = delivery.snapshot().sinks[0]!;
    expect(written).toBeGreaterThan(100);
    expect(written + dropped['spool-corrupt']).toBe(500);
    expect(pending).toBe(0);
    expect(sink.stored).toEqual(ids.slice(0, written));
    expect(drops).toEqual([{ sink: 'test', reason: 'spool-corrupt', count: 500 - written }]);
    expect(spool()).toMatchObject({ corruptFiles: 1, files: 1 });
    await delivery.flush();
  });

  test('may be the own one: another is made, and nothing stops', async () => {
    const { clock, sink, spoolDir, delivery, push, spool } = spooling({ batchSize: 2_000 });
    sink.down = true;
    push(6_000);
    // Past what SQLite keeps in memory.
    const path = onlyOutbox(spoolDir);
    const size = readFileSync(path).length;
    damage(path, 4_096, size - 4_096);
    sink.down = false;
    await clock.advance(60_000);
    const ids = push(3);
    await clock.advance(60_000);
    expect(sink.stored.slice(-3)).toEqual(ids);
    const { written, dropped, pending } = delivery.snapshot().sinks[0]!;
    expect(written + dropped['spool-corrupt']).toBe(6_003);
    expect(pending).toBe(0);
    expect(spool()).toMatchObject({ state: 'open', corruptFiles: 1 });
    expect(onlyOutbox(spoolDir)).not.toBe(path);
  });

  test('a row that is no record is counted, the others come', async () => {
    const { spoolDir, path, ids } = leftBehind(5);
    const database = new DatabaseSync(path);
    database.exec(`UPDATE outbox SET record = '{"half":' WHERE seq = 2`);
    database.exec(`UPDATE outbox SET record = '[]' WHERE seq = 3`);
    database.close();
    const first = spooling({ spoolDir });
    first.sink.down = true;
    await first.clock.advance(1_000);
    // It did not get them, and dies.
    const { clock, sink, delivery } = spooling({ spoolDir: afterKill(spoolDir) });
    await clock.advance(1_000);
    expect(sink.stored).toEqual([ids[0], ids[3], ids[4]]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({
      pending: 0,
      dropped: { 'spool-corrupt': 2 },
    });
  });
});

describe('a full disk', () => {
  test('records go to the sinks from memory; the spool is used again when there is room', async () => {
    let database: DatabaseSync | undefined;
    withSqlite((opened) => (database = opened));
    const { clock, sink, spoolDir, delivery, faults, drops, push, spool } = spooling();
    const ids = push(2);
    database!.exec('PRAGMA max_page_count = 1');
    ids.push(...push(50));
    const fits = 52 - spool().unspooled['disk-full'];
    expect(spool()).toMatchObject({ state: 'failing', lastError: { code: 'SQLITE_FULL' } });
    expect(fits).toBeLessThan(20);
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
    expect(faults).toEqual([
      { fault: 'disk-full', file: undefined, error: { name: 'Error', code: 'SQLITE_FULL' } },
    ]);
    database!.exec('PRAGMA max_page_count = 100000');
    await clock.advance(5_000);
    sink.down = true;
    ids.push(...push(2));
    expect(spool().state).toBe('open');
    expect(idsIn(spoolDir)).toEqual(ids.slice(-2));
    expect(drops).toEqual([]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ written: 52, pending: 2 });
  });

  test('of which the own file is a part gets another, smaller one, once all is delivered', async () => {
    const opened: DatabaseSync[] = [];
    withSqlite((database) => opened.push(database));
    const { clock, sink, spoolDir, push, spool } = spooling();
    const ids = push(20);
    const path = onlyOutbox(spoolDir);
    opened[0]!.exec('PRAGMA max_page_count = 1');
    ids.push(...push(50));
    await clock.advance(5_000);
    ids.push(...push(1));
    expect(spool()).toMatchObject({ state: 'open', files: 1 });
    expect(onlyOutbox(spoolDir)).not.toBe(path);
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
  });

  test('what does not fit into memory either is dropped as with durability memory', async () => {
    let database: DatabaseSync | undefined;
    withSqlite((opened) => (database = opened));
    const { clock, sink, delivery, drops, push, spool } = spooling({ maxMemoryRecords: 10 });
    sink.down = true;
    database!.exec('PRAGMA max_page_count = 1');
    push(100);
    const stored = 100 - spool().unspooled['disk-full'];
    const { dropped, pending } = delivery.snapshot().sinks[0]!;
    expect(dropped.overflow).toBe(100 - stored - 10);
    expect(pending).toBe(stored + 10);
    await clock.advance(1_000);
    expect(drops).toEqual([{ sink: 'test', reason: 'overflow', count: dropped.overflow }]);
  });
});

describe('no spool', () => {
  test('a folder that cannot be made', async () => {
    const file = join(emptyFolder(), 'file');
    writeFileSync(file, '');
    const spoolDir = join(file, 'spool');
    const { clock, sink, faults, push, spool } = spooling({ spoolDir });
    const ids = push(3);
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
    expect(spool()).toMatchObject({
      state: 'failing',
      files: 0,
      unspooled: { unavailable: 3 },
      lastError: { code: 'ENOTDIR' },
    });
    expect(faults).toHaveLength(1);
    rmSync(file);
    await clock.advance(5_000);
    sink.down = true;
    ids.push(...push(1));
    expect(idsIn(spoolDir)).toEqual(ids.slice(3));
  });

  test('a folder that goes away and comes back', async () => {
    const { clock, sink, spoolDir, push, spool } = spooling();
    renameSync(spoolDir, `${spoolDir}-away`);
    await clock.advance(80_000);
    const ids = push(2);
    expect(spool().state).toBe('open');
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
    rmSync(`${spoolDir}-away`, { recursive: true });
  });

  test('a read-only file of a killed process', async () => {
    const { spoolDir } = leftBehind(3);
    withSqlite((opened) => opened.exec('PRAGMA query_only = ON'));
    const { clock, sink, faults, push, spool } = spooling({ spoolDir });
    const ids = push(2);
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
    expect(spool()).toMatchObject({ state: 'failing', unspooled: { 'read-only': 2 } });
    expect(faults[0]).toMatchObject({ fault: 'read-only' });
    expect(outboxes(spoolDir)).toHaveLength(1);
  });

  test('a Node without node:sqlite', async () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
    const { clock, sink, faults, push, spool } = spooling();
    const ids = push(2);
    await clock.advance(60_000);
    ids.push(...push(1));
    await clock.advance(60_000);
    expect(sink.stored).toEqual(ids);
    expect(spool()).toMatchObject({ state: 'failing', unspooled: { 'no-sqlite': 3 } });
    expect(faults.map(({ fault }) => fault)).toEqual(['no-sqlite']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('listener');
      },
    ],
    ['rejects', () => Promise.reject(new Error('listener')) as unknown as void],
  ])('a listener that %s', async (_, onSpoolFault) => {
    const file = join(emptyFolder(), 'file');
    writeFileSync(file, '');
    const { clock, sink, push } = spooling({ spoolDir: file, onSpoolFault });
    const ids = push(1);
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
  });
});

describe('poison', () => {
  async function lettersIn(spoolDir: string): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for await (const letter of readDeadLetters(spoolDir)) letters.push(letter);
    return letters;
  }

  test('becomes a dead letter that can be read', async () => {
    const { clock, sink, spoolDir, delivery, push, spool } = spooling({ batchSize: 10 });
    const ids = push(10);
    sink.poison.add(ids[4]!);
    await clock.advance(3_600_000);
    expect(sink.stored).toEqual(ids.filter((id) => id !== ids[4]));
    const letters = await lettersIn(spoolDir);
    expect(letters).toEqual([
      {
        sink: 'test',
        error: { name: 'Error', code: 'E_REFUSED' },
        record: expect.objectContaining({ id: ids[4], schemaVersion: 1 }),
      },
    ]);
    expect(spool()).toMatchObject({ records: 0, deadLetters: 1 });
    expect(delivery.snapshot().sinks[0]?.dropped.poison).toBe(1);
  });

  test('of a killed process does not block the records of this one', async () => {
    const first = spooling();
    const [bad] = first.push(1);
    const next = spooling({ spoolDir: afterKill(first.spoolDir) });
    next.sink.poison.add(bad!);
    const ids = next.push(3);
    await next.clock.advance(3_600_000);
    expect(next.sink.stored).toEqual(ids);
    expect((await lettersIn(next.spoolDir)).map(({ record }) => record.id)).toEqual([bad]);
    expect(next.spool()).toMatchObject({ files: 1, records: 0 });
  });

  test('is only counted where it cannot be kept', async () => {
    const { clock, sink, spoolDir, delivery, push, spool } = spooling({ batchSize: 10 });
    mkdirSync(join(spoolDir, 'dead-letters.jsonl'));
    const ids = push(10);
    sink.poison.add(ids[4]!);
    await clock.advance(3_600_000);
    expect(sink.stored).toHaveLength(9);
    expect(spool().deadLetters).toBe(0);
    expect(delivery.snapshot().sinks[0]?.dropped.poison).toBe(1);
  });

  test('a line that was torn is passed over', async () => {
    const spoolDir = emptyFolder();
    expect(await lettersIn(spoolDir)).toEqual([]);
    writeFileSync(
      join(spoolDir, 'dead-letters.jsonl'),
      '{"sink":"a","rec\n{"sink":"b","record":{}}\n',
    );
    expect((await lettersIn(spoolDir)).map(({ sink }) => sink)).toEqual(['b']);
  });
});
