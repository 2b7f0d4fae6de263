import { readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { createDelivery } from '../../../src/delivery/delivery.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts';
import { createTestSink } from '../test-sink.ts';
import { afterKill, emptyFolder, idsIn, onlyOutbox, outboxes, spooling } from './spooling.ts';

describe('a record is on the disk', () => {
  test.each(['process', 'disk'] as const)('before push returns (%s)', (durability) => {
    const { spoolDir, push } = spooling({ durability });
    const ids = push(3);
    expect(idsIn(spoolDir)).toEqual(ids);
  });

  test('within 5 ms (batched)', async () => {
    const { clock, spoolDir, delivery, push } = spooling({ durability: 'batched' });
    const ids = push(3);
    expect(idsIn(spoolDir)).toEqual([]);
    expect(delivery.snapshot().sinks[0]?.pending).toBe(3);
    await clock.advance(5);
    expect(idsIn(spoolDir)).toEqual(ids);
    expect(delivery.snapshot().sinks[0]?.pending).toBe(3);
  });

  test('as soon as 256 are gathered, in programs that let no timer run (batched)', () => {
    const { spoolDir, push } = spooling({ durability: 'batched' });
    const ids = push(300);
    expect(idsIn(spoolDir)).toEqual(ids.slice(0, 256));
  });

  test('with the next one after 5 ms, in programs whose timers come late (batched)', () => {
    const clock = createVirtualClock();
    let now = 0;
    const { spoolDir, push } = spooling({
      durability: 'batched',
      clock: { ...clock, now: () => now },
    });
    const ids = push(2);
    now = 4;
    ids.push(...push(1));
    expect(idsIn(spoolDir)).toEqual([]);
    now = 5;
    ids.push(...push(1));
    expect(idsIn(spoolDir)).toEqual(ids);
  });

  test('never in a program that did not ask for it', async () => {
    const spoolDir = emptyFolder();
    const { delivery, push } = spooling({ durability: 'memory', spoolDir });
    push(1);
    await delivery.flush();
    expect(readdirSync(spoolDir)).toEqual([]);
    expect(delivery.snapshot()).not.toHaveProperty('spool');
  });

  test('for nobody else to read', () => {
    const { spoolDir } = spooling();
    expect(statSync(onlyOutbox(spoolDir)).mode & 0o777).toBe(0o600);
  });

  test('in a folder that has to be named', () => {
    const make = (spoolDir?: string): unknown =>
      createDelivery({
        sinks: [createTestSink()],
        clock: createVirtualClock(),
        random: () => 0,
        durability: 'process',
        spoolDir,
      });
    const expected = { code: 'ERR_OPTIONS', message: expect.stringContaining('spoolDir') };
    expect(() => make()).toThrow(expect.objectContaining(expected));
    expect(() => make('')).toThrow(expect.objectContaining(expected));
  });
});

describe('sinks', () => {
  test('get what is on the disk, in order and batches, and then it is gone from there', async () => {
    const { clock, sink, spoolDir, push, spool } = spooling({ batchSize: 4 });
    const ids = push(10);
    await clock.advance(1_000);
    expect(sink.writes.map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(sink.stored).toEqual(ids);
    expect(idsIn(spoolDir)).toEqual([]);
    expect(spool()).toMatchObject({ state: 'open', files: 1, records: 0 });
  });

  test('get whole records, also where the raw usage has no JSON form and texts are hostile', async () => {
    const text = 'NUL \0, lone \ud800, 👩‍👩‍👧‍👦, \u2028, "quotes" and \\';
    const raw: Record<string, unknown> = { tokens: 10n };
    raw['self'] = raw;
    const hostile = sampleRecord({
      provider: text,
      usage: { inputTokens: { total: 5 }, outputTokens: {}, grade: 'partial', raw },
      context: { priority: 'normal', tags: { big: 'x'.repeat(10_000_000), [text]: text } },
    });
    const first = spooling();
    first.delivery.push(hostile);
    const taken: unknown[] = [];
    const { clock } = spooling({
      spoolDir: afterKill(first.spoolDir),
      sinks: [{ name: 'test', write: async (records) => void taken.push(...records) }],
    });
    await clock.advance(250);
    const { usage, ...rest } = hostile;
    expect(taken).toEqual([{ ...rest, usage: { ...usage, raw: undefined } }]);
  });

  test('are down for hours: it costs only disk, and everything comes when they are back', async () => {
    const { clock, sink, delivery, drops, push } = spooling({ maxMemoryRecords: 10 });
    sink.down = true;
    const ids: string[] = [];
    for (let hour = 0; hour < 3; hour++) {
      ids.push(...push(2_000));
      await clock.advance(3_600_000);
    }
    sink.down = false;
    await clock.advance(120_000);
    expect(sink.stored).toEqual(ids);
    expect(drops).toEqual([]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ written: 6_000, pending: 0 });
  });

  test('that are slow or down hold up no other', async () => {
    const [good, down] = [createTestSink('good'), createTestSink('down')];
    down.down = true;
    const { clock, spoolDir, delivery, push } = spooling({ sinks: [good, down] });
    const ids = push(500);
    await clock.advance(60_000);
    expect(good.stored).toEqual(ids);
    expect(idsIn(spoolDir)).toEqual(ids);
    expect(delivery.snapshot().sinks.map(({ pending }) => pending)).toEqual([0, 500]);
    down.down = false;
    await clock.advance(60_000);
    expect(down.stored).toEqual(ids);
    expect(idsIn(spoolDir)).toEqual([]);
  });
});

describe('flush and close', () => {
  test('flush waits for what was only gathered', async () => {
    const { sink, delivery, push } = spooling({ durability: 'batched' });
    const ids = push(3);
    await delivery.flush();
    expect(sink.stored).toEqual(ids);
  });

  test('close leaves no file, timer or listener when all is delivered', async () => {
    const listeners = process.listenerCount('exit');
    const { clock, sink, spoolDir, delivery, push, spool } = spooling({ durability: 'batched' });
    expect(process.listenerCount('exit')).toBe(listeners + 1);
    const ids = push(3);
    await delivery.close();
    expect(sink.stored).toEqual(ids);
    expect(readdirSync(spoolDir)).toEqual([]);
    expect(spool()).toMatchObject({ state: 'closed', files: 0 });
    expect(clock.pending).toBe(0);
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  test('one listener at the process does for all', () => {
    const listeners = process.listenerCount('exit');
    spooling();
    spooling();
    expect(process.listenerCount('exit')).toBe(listeners + 1);
  });

  test('close leaves to the next process what a sink does not take in time, and drops nothing', async () => {
    const { clock, sink, spoolDir, delivery, drops, push } = spooling();
    sink.down = true;
    const ids = push(3);
    const closed = delivery.close({ timeoutMs: 100 });
    await clock.advance(100);
    await closed;
    expect(drops).toEqual([]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ state: 'closed', pending: 3 });
    const next = spooling({ spoolDir });
    await next.clock.advance(250);
    expect(next.sink.stored).toEqual(ids);
    expect(outboxes(spoolDir)).toHaveLength(1);
  });

  test('what is pushed after close is dropped as closed', async () => {
    const { delivery, drops, push } = spooling();
    await delivery.close();
    push(2);
    expect(delivery.snapshot().sinks[0]?.dropped.closed).toBe(2);
    expect(drops).toEqual([]);
  });
});

describe('bounds', () => {
  test('in records: the oldest go, for those sinks that do not have them', async () => {
    const [good, down] = [createTestSink('good'), createTestSink('down')];
    const { clock, delivery, drops, push, spool } = spooling({
      sinks: [good, down],
      batchSize: 5,
      maxSpoolRecords: 100,
      maxSpoolBytes: 2 ** 20,
    });
    down.down = true;
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) {
      ids.push(...push(50));
      await clock.advance(60_000);
    }
    expect(good.stored).toEqual(ids);
    const [, snapshot] = delivery.snapshot().sinks;
    const dropped = snapshot?.dropped['spool-full'] ?? 0;
    expect(dropped).toBeGreaterThan(1_300);
    expect(spool().records).toBe(100);
    expect(drops.filter(({ sink }) => sink === 'good')).toEqual([]);
    expect(new Set(drops.map(({ reason }) => reason))).toEqual(new Set(['spool-full']));
    expect(drops.reduce((sum, { count }) => sum + count, 0)).toBe(dropped);
    down.down = false;
    await clock.advance(120_000);
    // A batch that was taken is in memory, and not dropped.
    const newest = down.stored.slice(-100);
    expect(newest).toEqual(ids.slice(-100));
    expect(ids.filter((id) => down.stored.includes(id))).toEqual(down.stored);
    expect(down.stored.length + dropped).toBe(1_500);
  });

  test('in bytes: the file does not grow beyond them', () => {
    const maxSpoolBytes = 2 ** 18;
    const { sink, spoolDir, delivery, push, spool } = spooling({ maxSpoolBytes });
    sink.down = true;
    push(3_000);
    const { pending, dropped } = delivery.snapshot().sinks[0]!;
    expect(pending + dropped['spool-full']).toBe(3_000);
    expect(pending).toBeGreaterThan(100);
    expect(spool().bytes).toBeLessThan(maxSpoolBytes * 1.1);
    expect(statSync(onlyOutbox(spoolDir)).size).toBeLessThan(maxSpoolBytes * 1.2);
  });

  test('the space of a long outage is given back', async () => {
    const { clock, sink, spoolDir, push } = spooling({ batchSize: 10_000 });
    sink.down = true;
    push(25_000);
    await clock.advance(60_000);
    const size = statSync(onlyOutbox(spoolDir)).size;
    expect(size).toBeGreaterThan(16 * 2 ** 20);
    sink.down = false;
    await clock.advance(120_000);
    expect(sink.stored).toHaveLength(25_000);
    expect(statSync(onlyOutbox(spoolDir)).size).toBeLessThan(2 ** 20);
  });
});
