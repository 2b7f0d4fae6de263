import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { createTestSink } from '../test-sink.ts';
import { afterKill, emptyFolder, idsIn, onlyOutbox, outboxes, spooling } from './spooling.ts';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});

describe('what a process left that was killed', () => {
  test('is delivered by the next one, and its file is gone', async () => {
    const first = spooling();
    const ids = first.push(500);
    const next = spooling({ spoolDir: afterKill(first.spoolDir) });
    expect(next.spool()).toMatchObject({ files: 2, adopted: 500 });
    ids.push(...next.push(2));
    await next.clock.advance(1_000);
    expect(next.sink.stored).toEqual(ids);
    expect(next.spool()).toMatchObject({ files: 1, records: 0, adopted: 500, unclaimedFiles: 0 });
    expect(outboxes(next.spoolDir)).toHaveLength(1);
  });

  test('goes only to those sinks that did not have it', async () => {
    const [a, b] = [createTestSink('same'), createTestSink('same')];
    b.down = true;
    const first = spooling({ sinks: [a, b] });
    const ids = first.push(5);
    await first.clock.advance(1_000);
    expect(a.stored).toEqual(ids);
    const [a2, b2] = [createTestSink('same'), createTestSink('same')];
    const next = spooling({ spoolDir: afterKill(first.spoolDir), sinks: [a2, b2] });
    await next.clock.advance(1_000);
    expect(a2.stored).toEqual([]);
    expect(b2.stored).toEqual(ids);
  });

  test('outlives several processes that do not get round to it, oldest first', async () => {
    const first = spooling();
    const ids = first.push(3);
    let folder = afterKill(first.spoolDir);
    for (let i = 0; i < 3; i++) {
      const next = spooling({ spoolDir: folder });
      next.sink.down = true;
      await next.clock.advance(1_000 + i);
      ids.push(...next.push(2));
      folder = afterKill(folder);
    }
    const last = spooling({ spoolDir: folder });
    expect(last.spool().files).toBe(5);
    await last.clock.advance(1_000);
    expect(last.sink.stored.toSorted()).toEqual(ids.toSorted());
    expect(last.spool()).toMatchObject({ files: 1, records: 0 });
  });

  test('is delivered at once also when many have died', async () => {
    const spoolDir = emptyFolder();
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) {
      const first = spooling();
      ids.push(...first.push(2));
      cpSync(afterKill(first.spoolDir), spoolDir, { recursive: true });
    }
    const next = spooling({ spoolDir });
    expect(next.spool().files).toBeLessThan(20);
    await next.clock.advance(2_000);
    expect(next.sink.stored.toSorted()).toEqual(ids.toSorted());
    expect(outboxes(spoolDir)).toHaveLength(1);
  });

  test('is delivered once when its file cannot be written any more', async () => {
    const first = spooling();
    const ids = first.push(300);
    const spoolDir = afterKill(first.spoolDir);
    const next = spooling({ spoolDir });
    const fs = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation((sql) => {
      if (sql === 'COMMIT') throw Object.assign(new Error('full'), { errcode: 13 });
    });
    await next.clock.advance(300_000);
    fs.mockRestore();
    expect(next.sink.stored).toEqual(ids);
    expect(next.spool()).toMatchObject({ lastError: { code: 'SQLITE_FULL' } });
    expect(outboxes(spoolDir)).toHaveLength(1);
  });

  test('is found also when the process dies later, within about a minute', async () => {
    const next = spooling();
    const other = spooling();
    const ids = other.push(3);
    const left = afterKill(other.spoolDir);
    execFileSync('cp', ['-r', `${left}/.`, next.spoolDir]);
    await next.clock.advance(80_000);
    expect(next.sink.stored).toEqual(ids);
  });

  test('waits for a sink that is not here, while those that are get it', async () => {
    const gone = createTestSink('gone');
    gone.down = true;
    const first = spooling({ sinks: [gone] });
    const ids = first.push(3);
    const next = spooling({ spoolDir: afterKill(first.spoolDir) });
    await next.clock.advance(300_000);
    expect(next.sink.stored).toEqual(ids);
    expect(next.spool()).toMatchObject({ files: 1, adopted: 3, unclaimedFiles: 1 });
    expect(idsIn(next.spoolDir)).toEqual(ids);
    const back = createTestSink('gone');
    const last = spooling({ spoolDir: next.spoolDir, sinks: [back] });
    await last.clock.advance(1_000);
    expect(back.stored).toEqual(ids);
    expect(last.spool().unclaimedFiles).toBe(0);
  });

  test('counts towards the bounds of the next', async () => {
    const first = spooling();
    first.push(300);
    const next = spooling({
      spoolDir: afterKill(first.spoolDir),
      maxSpoolRecords: 100,
      maxSpoolBytes: 2 ** 16,
    });
    next.sink.down = true;
    next.push(50);
    expect(next.spool().records).toBeLessThanOrEqual(105);
    expect(next.delivery.snapshot().sinks[0]?.dropped['spool-full']).toBeGreaterThan(200);
  });

  test('is left alone when a newer release or another program wrote it', async () => {
    const first = spooling();
    first.push(3);
    const spoolDir = afterKill(first.spoolDir);
    const database = new DatabaseSync(onlyOutbox(spoolDir));
    database.exec('PRAGMA user_version = 2');
    database.close();
    const next = spooling({ spoolDir });
    await next.clock.advance(1_000);
    expect(next.sink.stored).toEqual([]);
    expect(outboxes(spoolDir)).toHaveLength(2);
    expect(next.spool()).toMatchObject({ corruptFiles: 0, adopted: 0, unclaimedFiles: 1 });
  });

  test('is removed when it is empty', () => {
    const spoolDir = emptyFolder();
    const path = join(spoolDir, 'outbox-019a00000000-1-00000000.db');
    writeFileSync(path, '');
    spooling({ spoolDir });
    expect(existsSync(path)).toBe(false);
  });
});

describe('a file whose owner lives', () => {
  test('is not touched by another router of the process', async () => {
    const first = spooling();
    first.sink.down = true;
    const ids = first.push(3);
    const second = spooling({ spoolDir: first.spoolDir });
    ids.push(...first.push(1));
    await second.clock.advance(300_000);
    expect(second.sink.stored).toEqual([]);
    expect(second.spool()).toMatchObject({ files: 1, adopted: 0, corruptFiles: 0 });
    first.sink.down = false;
    await first.clock.advance(60_000);
    expect(first.sink.stored).toEqual(ids);
    expect(second.faults).toEqual([]);
  });

  test('is not touched by another process, but taken over when its owner is killed', async () => {
    const spoolDir = emptyFolder();
    const script = join(import.meta.dirname, 'push-and-wait.ts');
    const child = spawn(
      process.execPath,
      ['--conditions=@tokenrouter/source', script, spoolDir, '3', 'wait'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.push(child);
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const ids = JSON.parse(String(output)) as string[];
    const next = spooling({ spoolDir });
    await next.clock.advance(300_000);
    expect(next.sink.stored).toEqual([]);
    expect(next.faults).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await next.clock.advance(80_000);
    expect(next.sink.stored).toEqual(ids);
  });

  test('that is taken away is read to its end, and another is made', async () => {
    const { clock, sink, spoolDir, push } = spooling();
    sink.down = true;
    const ids = push(3);
    for (const path of outboxes(spoolDir)) rmSync(path);
    await clock.advance(80_000);
    ids.push(...push(2));
    expect(idsIn(spoolDir)).toEqual(ids.slice(3));
    sink.down = false;
    await clock.advance(60_000);
    expect(sink.stored).toEqual(ids);
  });
});

test('at the exit of the process everything that was gathered is stored', async () => {
  const spoolDir = emptyFolder();
  const script = join(import.meta.dirname, 'push-and-wait.ts');
  const out = join(emptyFolder(), 'out');
  const child = spawn(
    'sh',
    ['-c', 'exec "$@" > "$0"', out, process.execPath, '--conditions=@tokenrouter/source'].concat(
      script,
      spoolDir,
      '3',
      'exit',
    ),
    { stdio: 'inherit' },
  );
  children.push(child);
  await once(child, 'exit');
  const ids = JSON.parse(readFileSync(out, 'utf8')) as string[];
  const next = spooling({ spoolDir });
  await next.clock.advance(1_000);
  expect(next.sink.stored).toEqual(ids);
});
