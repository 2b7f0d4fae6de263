import { cpSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { afterKill, idsIn, onlyOutbox, outboxes, spooling } from './spooling.ts';

describe('while it is used', () => {
  test.each([
    ['is deleted', (folder: string) => rmSync(folder, { recursive: true })],
    [
      'is replaced by a copy',
      (folder: string) => {
        const copy = afterKill(folder);
        rmSync(folder, { recursive: true });
        cpSync(copy, folder, { recursive: true });
      },
    ],
  ])('a folder that %s', async (_, harm) => {
    const { clock, sink, spoolDir, faults, push, spool } = spooling();
    sink.down = true;
    const ids = push(3);
    const path = onlyOutbox(spoolDir);
    harm(spoolDir);
    await clock.advance(5_000);
    expect(spool()).toMatchObject({
      state: 'failing',
      unspooled: { unavailable: 3 },
      lastError: { code: 'ENOENT' },
    });
    expect(faults.map(({ fault }) => fault)).toEqual(['unavailable']);
    ids.push(...push(2));
    expect(spool().unspooled.unavailable).toBe(5);
    await clock.advance(5_000);
    const kept = push(2);
    expect(spool()).toMatchObject({ state: 'open', unspooled: { unavailable: 5 } });
    const own = outboxes(spoolDir).filter((other) => other !== path);
    expect(own).toHaveLength(1);
    expect(idsIn(spoolDir).slice(-2)).toEqual(kept);
    sink.down = false;
    await clock.advance(40_000);
    expect(sink.stored.toSorted()).toEqual([...ids, ...kept].toSorted());
    await clock.advance(60_000);
    expect(spool()).toMatchObject({ records: 0, files: 1 });
  });

  test('a folder that is deleted when all is delivered', async () => {
    const { clock, sink, spoolDir, push, spool } = spooling();
    const ids = push(3);
    await clock.advance(1_000);
    rmSync(spoolDir, { recursive: true });
    await clock.advance(5_000);
    expect(spool()).toMatchObject({ state: 'failing', files: 0, unspooled: { unavailable: 0 } });
    await clock.advance(5_000);
    ids.push(...push(1));
    expect(spool()).toMatchObject({ state: 'open', files: 1 });
    await clock.advance(1_000);
    expect(sink.stored).toEqual(ids);
  });

  test('a folder that is deleted: what waits at the end is counted', async () => {
    const { clock, sink, spoolDir, delivery, push } = spooling({ batchSize: 50 });
    sink.down = true;
    push(300);
    await clock.advance(1_000);
    rmSync(spoolDir, { recursive: true });
    const closed = delivery.close({ timeoutMs: 0 });
    await clock.advance(0);
    await closed;
    const { dropped, pending } = delivery.snapshot().sinks[0]!;
    expect(dropped.closed).toBe(250);
    // The batch that may be stored or not.
    expect(pending).toBe(50);
  });
});
