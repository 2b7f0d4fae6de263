import { readFileSync, statSync, truncateSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';

import { afterKill, damage, onlyOutbox, spooling } from './spooling.ts';

describe('a log', () => {
  const HEADER = 32;
  const FRAME = 24 + 4_096;

  /** What a killed process left, all of it in the log. */
  function leftInLog(count: number): { spoolDir: string; log: string; ids: string[] } {
    const first = spooling();
    const ids = first.push(count);
    const spoolDir = afterKill(first.spoolDir);
    return { spoolDir, log: `${onlyOutbox(spoolDir)}-wal`, ids };
  }

  test.each([
    ['the content of a page', 40_000, 40],
    ['the salts of a frame', HEADER + 12 * FRAME + 8, 8],
    ['the checksum of a frame', HEADER + 12 * FRAME + 16, 8],
  ])('whose damage is in %s gives what comes before it and is kept', async (_, at, bytes) => {
    const { spoolDir, log, ids } = leftInLog(300);
    damage(log, at, bytes);
    const damaged = readFileSync(log);
    const { clock, sink, faults, spool } = spooling({ spoolDir });
    await clock.advance(1_000);
    expect(sink.stored.length).toBeGreaterThan(0);
    expect(sink.stored.length).toBeLessThan(20);
    expect(sink.stored).toEqual(ids.slice(0, sink.stored.length));
    expect(spool()).toMatchObject({ state: 'open', corruptFiles: 1, files: 1 });
    expect(faults).toEqual([
      { fault: 'corrupt', file: log, error: { name: 'Error', code: 'SQLITE_CORRUPT' } },
    ]);
    expect(readFileSync(`${log}.corrupt`).equals(damaged)).toBe(true);
  });

  test('whose damage was told is not damaged for the next one', async () => {
    const { spoolDir, log } = leftInLog(300);
    damage(log, 40_000, 40);
    const first = spooling({ spoolDir });
    first.sink.down = true;
    await first.clock.advance(1_000);
    const { adopted } = first.spool();
    const next = spooling({ spoolDir: afterKill(spoolDir) });
    await next.clock.advance(1_000);
    expect(next.sink.stored).toHaveLength(adopted);
    expect(next.spool().corruptFiles).toBe(0);
  });

  test('with a damaged header is put aside with its file', async () => {
    const { spoolDir, log } = leftInLog(300);
    damage(log, 17, 1);
    const { clock, spool } = spooling({ spoolDir });
    await clock.advance(1_000);
    expect(spool()).toMatchObject({ corruptFiles: 1, adopted: 0 });
    expect(readFileSync(`${log.replace(/-wal$/, '')}.corrupt-wal`).length).toBeGreaterThan(0);
  });

  test.each([
    ['is torn', (log: string) => truncateSync(log, statSync(log).size - 100)],
    ['was not written to its end', (log: string) => damage(log, statSync(log).size - 100, 100)],
  ])('whose last frame %s is not damaged', async (_, harm) => {
    const { spoolDir, log, ids } = leftInLog(300);
    harm(log);
    const { clock, sink, faults, spool } = spooling({ spoolDir });
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids.slice(0, -1));
    expect(spool().corruptFiles).toBe(0);
    expect(faults).toEqual([]);
  });

  test('with the rest of a transaction that was rolled back is not damaged', async () => {
    const { spoolDir, ids } = leftInLog(3);
    const writer = new DatabaseSync(onlyOutbox(spoolDir));
    // It does not fit into memory: pages go to the log before the end.
    writer.exec('PRAGMA cache_size = 5; BEGIN');
    const insert = writer.prepare('INSERT INTO outbox VALUES (?, ?)');
    for (let seq = 1_000; seq < 1_050; seq++) insert.run(seq, 'x'.repeat(5_000));
    writer.exec("ROLLBACK; REPLACE INTO cursors VALUES ('test', 1)");
    const folder = afterKill(spoolDir);
    writer.close();
    expect(statSync(`${onlyOutbox(folder)}-wal`).size).toBeGreaterThan(50 * FRAME);
    const { clock, sink, spool } = spooling({ spoolDir: folder });
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
    expect(spool().corruptFiles).toBe(0);
  });
});
