import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';

import { createDelivery } from '../../src/delivery/delivery.ts';
import type { Delivery, DeliveryOptions, SinkDrop } from '../../src/delivery/delivery.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { createVirtualClock } from '../../src/testing/virtual-clock.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Sink, UsageRecord } from '../../src/types.ts';
import { createTestSink } from './test-sink.ts';
import type { TestSink } from './test-sink.ts';

interface Setup {
  clock: VirtualClock;
  sink: TestSink;
  delivery: Delivery;
  drops: SinkDrop[];
  /** Pushes so many records and gives their ids. */
  push: (count: number) => string[];
}

function setup(options: Partial<DeliveryOptions> = {}): Setup {
  const clock = createVirtualClock();
  const sink = createTestSink();
  const drops: SinkDrop[] = [];
  const delivery = createDelivery({
    sinks: [sink],
    clock,
    random: () => 0.5,
    onDrop: (drop) => drops.push(drop),
    ...options,
  });
  return {
    clock,
    sink,
    delivery,
    drops,
    push: (count) =>
      Array.from({ length: count }, () => {
        const record = sampleRecord();
        delivery.push(record);
        return record.id;
      }),
  };
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const other = Symbol('other');
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(other)])) === other;
}

describe('batches', () => {
  test('wait flushIntervalMs for the first record and hold what came meanwhile', async () => {
    const { clock, sink, push } = setup();
    const ids = push(2);
    await clock.advance(200);
    ids.push(...push(1));
    expect(sink.writes).toEqual([]);
    await clock.advance(50);
    expect(sink.writes).toEqual([ids]);
  });

  test('that are full do not wait', async () => {
    const { clock, sink, push } = setup({ batchSize: 3 });
    const ids = push(7);
    await clock.advance(0);
    expect(sink.writes).toEqual([ids.slice(0, 3), ids.slice(3, 6)]);
    await clock.advance(250);
    expect(sink.stored).toEqual(ids);
  });

  test('of one record are written on the next turn', async () => {
    const { clock, sink, push } = setup({ batchSize: 1 });
    const ids = push(2);
    expect(sink.writes).toEqual([]);
    await clock.advance(0);
    expect(sink.writes).toEqual([[ids[0]], [ids[1]]]);
  });

  test('are 200 records and 250 ms by default', async () => {
    const { clock, sink, push } = setup();
    push(199);
    await clock.advance(249);
    expect(sink.writes).toHaveLength(0);
    push(1);
    await clock.advance(0);
    expect(sink.writes.map((ids) => ids.length)).toEqual([200]);
  });

  test('gather while one is being written, and follow it one at a time', async () => {
    const { clock, sink, push } = setup({ batchSize: 2 });
    sink.answers.push('block');
    const ids = push(2);
    await clock.advance(0);
    ids.push(...push(3));
    await clock.advance(10_000);
    expect(sink.writes).toHaveLength(1);
    sink.unblock();
    await clock.advance(0);
    expect(sink.writes).toEqual([ids.slice(0, 2), ids.slice(2, 4)]);
    await clock.advance(250);
    expect(sink.stored).toEqual(ids);
    expect(sink.overlapped).toBe(false);
  });

  test('are never written from within push', () => {
    const { sink, push } = setup({ batchSize: 1, flushIntervalMs: 0, maxMemoryRecords: 2 });
    push(10);
    expect(sink.writes).toEqual([]);
  });

  test('belong to the sink: what it does to one has no effect', async () => {
    const taken: UsageRecord[][] = [];
    const greedy: Sink = {
      name: 'greedy',
      async write(records) {
        taken.push((records as UsageRecord[]).splice(0));
        if (taken.length === 1) throw new Error('again');
      },
    };
    const { clock, delivery, push } = setup({ sinks: [greedy] });
    const ids = push(3);
    await clock.runAll();
    expect(taken.map((batch) => batch.map(({ id }) => id))).toEqual([ids, ids]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ written: 3, pending: 0 });
  });
});

describe('timers', () => {
  test('are gone when there is nothing to do', async () => {
    const { clock, delivery, push } = setup();
    expect(clock.pending).toBe(0);
    push(1);
    expect(clock.pending).toBe(1);
    await clock.advance(250);
    expect(clock.pending).toBe(0);
    expect(delivery.snapshot().sinks[0]?.state).toBe('idle');
  });

  test('are at most one per sink', async () => {
    const { clock, sink, push } = setup({ batchSize: 4, onDrop: undefined });
    sink.down = true;
    for (let i = 0; i < 200; i++) {
      push(3);
      await clock.advance(i * 3);
      expect(clock.pending).toBeLessThanOrEqual(1);
    }
  });

  test('are set twice for a batch at most, however many records come', () => {
    const clock = createVirtualClock();
    const set = vi.spyOn(clock, 'setTimeout');
    const { push } = setup({ clock, batchSize: 10, maxMemoryRecords: 50, onDrop: undefined });
    push(500);
    expect(set).toHaveBeenCalledTimes(2);
  });

  test('start writing soon also when as many are kept as a batch holds, and more keep coming', async () => {
    const { clock, sink, push } = setup({ batchSize: 5, maxMemoryRecords: 3 });
    push(3);
    const soon = clock.next();
    push(3);
    await soon;
    expect(sink.writes).toHaveLength(1);
    expect(clock.now()).toBe(0);
  });
});

describe('a write that fails', () => {
  test.each([
    ['reject', { name: 'Error', code: 'E_REFUSED' }],
    ['throw', { name: 'TypeError' }],
    ['lie', { name: 'TypeError', code: 'ERR_SINK_NO_PROMISE' }],
  ] as const)('(%s) is written again, in front of everything', async (answer, lastError) => {
    const { clock, sink, delivery, push } = setup({ batchSize: 2 });
    sink.answers.push(answer, answer);
    const ids = push(4);
    await clock.runAll();
    expect(sink.writes).toEqual([
      ids.slice(0, 2),
      ids.slice(0, 2),
      ids.slice(0, 2),
      ids.slice(2, 4),
    ]);
    expect(delivery.snapshot().sinks[0]).toEqual({
      name: 'test',
      state: 'idle',
      pending: 0,
      written: 4,
      dropped: { overflow: 0, poison: 0, closed: 0, 'spool-full': 0, 'spool-corrupt': 0 },
      retries: 2,
      lastError,
    });
  });

  test('waits longer each time, up to 30 s', async () => {
    const { clock, sink, push } = setup({ random: () => 1 - Number.EPSILON });
    sink.answers.push('reject', 'reject', 'reject', 'reject');
    push(1);
    const times: number[] = [];
    while (await clock.next()) times.push(Math.round(clock.now()));
    expect(times).toEqual([250, 450, 850, 1_650, 3_250]);
    expect(sink.stored).toHaveLength(1);
  });

  test('keeps nothing of the message', async () => {
    const { clock, sink, delivery, push } = setup();
    sink.down = true;
    const [id] = push(1);
    await clock.advance(1_000);
    expect(JSON.stringify(delivery.snapshot())).not.toContain(id);
    expect(delivery.snapshot().sinks[0]?.state).toBe('retrying');
  });
});

describe('several sinks', () => {
  test('each get every record, in order', async () => {
    const sinks = [createTestSink('a'), createTestSink('b'), createTestSink('c')];
    const { clock, push } = setup({ sinks, batchSize: 3 });
    const ids = push(8);
    await clock.runAll();
    for (const sink of sinks) expect(sink.stored).toEqual(ids);
  });

  test('do not wait for one that is stuck, one that is down, or one that throws', async () => {
    const [good, stuck, down, bad] = ['good', 'stuck', 'down', 'bad'].map(createTestSink);
    if (!good || !stuck || !down || !bad) throw new Error('unreachable');
    stuck.answers.push('block');
    down.down = true;
    bad.answers.push('throw', 'lie', 'throw');
    const { clock, delivery, push } = setup({ sinks: [stuck, down, bad, good] });
    const ids = push(5);
    await clock.advance(250);
    expect(good.stored).toEqual(ids);
    await clock.advance(5_000);
    expect(bad.stored).toEqual(ids);
    expect(delivery.snapshot().sinks.map(({ state }) => state)).toEqual([
      'writing',
      'retrying',
      'idle',
      'idle',
    ]);
  });

  test('of which one is listed twice are two', async () => {
    const sink = createTestSink();
    const { clock, delivery, push } = setup({ sinks: [sink, sink] });
    const ids = push(1);
    await clock.runAll();
    expect(sink.stored).toEqual(ids);
    expect(delivery.snapshot().sinks).toHaveLength(1);
  });

  test('can be none', async () => {
    const { clock, delivery, push } = setup({ sinks: [] });
    push(3);
    expect(clock.pending).toBe(0);
    await delivery.flush();
    await delivery.close();
    expect(delivery.snapshot()).toEqual({ sinks: [] });
  });
});

describe('too many records', () => {
  test('push the oldest out that are not being written, and are counted and reported once', async () => {
    const { clock, sink, delivery, drops, push } = setup({ batchSize: 2, maxMemoryRecords: 5 });
    sink.answers.push('block');
    const ids = push(2);
    await clock.advance(0);
    ids.push(...push(10));
    expect(delivery.snapshot().sinks[0]).toMatchObject({
      pending: 5,
      dropped: { overflow: 7, poison: 0, closed: 0 },
    });
    await clock.advance(999);
    expect(drops).toEqual([]);
    await clock.advance(1);
    expect(drops).toEqual([{ sink: 'test', reason: 'overflow', count: 7 }]);
    sink.unblock();
    await clock.runAll();
    expect(sink.stored).toEqual([...ids.slice(0, 2), ...ids.slice(9)]);
    expect(drops).toHaveLength(1);
  });

  test('push out also what waits to be written again', async () => {
    const { clock, sink, delivery, push } = setup({ maxMemoryRecords: 3 });
    sink.down = true;
    const ids = push(3);
    await clock.advance(250);
    ids.push(...push(2));
    sink.down = false;
    await clock.runAll();
    expect(sink.stored).toEqual(ids.slice(2));
    expect(delivery.snapshot().sinks[0]).toMatchObject({ written: 3, dropped: { overflow: 2 } });
  });

  test('push out poison too, so that a sink full of it goes on', async () => {
    const { clock, sink, push } = setup({ maxMemoryRecords: 2 });
    for (const id of push(2)) sink.poison.add(id);
    await clock.advance(3_600_000);
    const ids = push(2);
    await clock.runAll();
    expect(sink.stored).toEqual(ids);
  });

  test('are 10,000 for each sink by default', () => {
    const { delivery, push } = setup();
    push(10_003);
    expect(delivery.snapshot().sinks[0]).toMatchObject({
      pending: 10_000,
      dropped: { overflow: 3 },
    });
  });

  test('are reported again when another burst comes, apart for sinks of one name', async () => {
    const sinks = [createTestSink('same'), createTestSink('same')];
    const { clock, drops, push } = setup({ sinks, maxMemoryRecords: 1 });
    for (const sink of sinks) sink.down = true;
    push(3);
    await clock.advance(1_000);
    push(2);
    await clock.advance(1_000);
    expect(drops.map(({ count }) => count)).toEqual([2, 2, 2, 2]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('listener');
      },
    ],
    ['rejects', () => Promise.reject(new Error('listener')) as unknown as void],
  ])('do no harm when the listener %s', async (_, onDrop) => {
    const listener = vi.fn(onDrop);
    const { clock, sink, push } = setup({ maxMemoryRecords: 1, onDrop: listener });
    push(3);
    await clock.runAll();
    push(1);
    await clock.runAll();
    expect(listener).toHaveBeenCalledTimes(1);
    expect(sink.stored).toHaveLength(2);
  });
});

describe('poison', () => {
  test.each([0, 1, 4, 8])(
    'at place %i of 10 is dropped, the rest is stored in order',
    async (place) => {
      const { clock, sink, delivery, drops, push } = setup({ batchSize: 10 });
      const ids = push(10);
      const bad = ids[place] ?? '';
      sink.poison.add(bad);
      await clock.runAll();
      expect(sink.stored).toEqual(ids.filter((id) => id !== bad));
      expect(delivery.snapshot().sinks[0]).toMatchObject({ pending: 0, dropped: { poison: 1 } });
      expect(drops).toEqual([{ sink: 'test', reason: 'poison', count: 1 }]);
    },
  );

  test('that is the last record waits for another one to show that the sink works', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 10 });
    const ids = push(10);
    sink.poison.add(ids[9] ?? '');
    await clock.advance(3_600_000);
    expect(sink.stored).toEqual(ids.slice(0, 9));
    expect(delivery.snapshot().sinks[0]).toMatchObject({ pending: 1, dropped: { poison: 0 } });
    const [last] = push(1);
    await clock.runAll();
    expect(sink.stored).toEqual([...ids.slice(0, 9), last]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ pending: 0, dropped: { poison: 1 } });
  });

  test.each([
    ['apart', [3, 5, 19, 21, 58], 'in order'],
    ['side by side', [3, 4, 5, 19, 20, 21, 40, 59], 'in any order'],
    ['half of all', Array.from({ length: 30 }, (_, i) => i * 2), 'in order'],
    ['almost a whole batch', Array.from({ length: 19 }, (_, i) => i + 10), 'in any order'],
  ])('is dropped when there is more of it: %s', async (_, places, order) => {
    const { clock, sink, delivery, push } = setup({ batchSize: 20 });
    const ids = push(60);
    const bad = new Set(places.map((place) => ids[place] ?? ''));
    for (const id of bad) sink.poison.add(id);
    await clock.advance(3_600_000);
    // The last one may have no other record behind it to show that the sink works.
    ids.push(...push(1));
    await clock.runAll();
    const stored = order === 'in order' ? sink.stored : sink.stored.toSorted();
    expect(stored).toEqual(ids.filter((id) => !bad.has(id)));
    expect(delivery.snapshot().sinks[0]?.dropped.poison).toBe(bad.size);
  });

  test('is got over also when more follow each other than a batch holds', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 1 });
    const ids = push(6);
    for (const id of ids.slice(1, 5)) sink.poison.add(id);
    await clock.advance(3_600_000);
    // One record that the sink takes shows that one other is poison.
    expect(sink.stored).toEqual([ids[0], ids[5]]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ pending: 3, dropped: { poison: 1 } });
    const more = push(3);
    await clock.runAll();
    expect(sink.stored).toEqual([ids[0], ids[5], ...more]);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ pending: 0, dropped: { poison: 4 } });
  });

  test('is found within seconds once a batch is taken apart', async () => {
    const { clock, sink, push } = setup({ batchSize: 200, random: () => 1 - Number.EPSILON });
    const ids = push(200);
    sink.poison.add(ids[150] ?? '');
    await clock.runAll();
    // 8 tries of the whole take 0.2 + 0.4 + ... + 12.8 s at most, then 8 halves and a witness.
    expect(clock.now()).toBeLessThan(250 + 25_400 + 9 * 200 + 2_000);
    expect(sink.stored).toHaveLength(199);
  });

  test('is never assumed while the sink takes nothing at all', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 4 });
    sink.down = true;
    const ids = push(10);
    await clock.advance(3_600_000);
    expect(delivery.snapshot().sinks[0]).toMatchObject({
      pending: 10,
      dropped: { overflow: 0, poison: 0, closed: 0 },
    });
    sink.down = false;
    await clock.runAll();
    expect(sink.stored).toEqual(ids);
  });
});

describe('flush', () => {
  test('resolves when what was pushed before is stored, without waiting for a timer', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 2 });
    const ids = push(5);
    await delivery.flush();
    expect(sink.stored).toEqual(ids);
    expect(sink.flushes).toBe(1);
    expect(clock.now()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('does not wait for what is pushed after it', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 2 });
    sink.answers.push('store', 'block');
    push(2);
    const flushed = delivery.flush();
    push(2);
    await flushed;
    expect(sink.stored).toHaveLength(2);
    await clock.advance(0);
    sink.unblock();
    await clock.runAll();
    expect(sink.stored).toHaveLength(4);
  });

  test('waits for what is in flight although newer records were dropped meanwhile', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 2, maxMemoryRecords: 4 });
    sink.answers.push('block');
    push(4);
    await clock.advance(0);
    const flushed = delivery.flush();
    push(20);
    expect(await isPending(flushed)).toBe(true);
    sink.unblock();
    await flushed;
    expect(sink.stored.length).toBeGreaterThanOrEqual(2);
  });

  test('waits for the whole of a batch that is taken apart', async () => {
    const { clock, sink, delivery, push } = setup();
    const ids = push(8);
    sink.poison.add(ids[5] ?? '');
    let pendingAtTheEnd: number | undefined;
    const flushed = delivery.flush().then(() => {
      pendingAtTheEnd = delivery.snapshot().sinks[0]?.pending;
    });
    await clock.runAll();
    await flushed;
    expect(pendingAtTheEnd).toBe(0);
    expect(sink.stored).toHaveLength(7);
  });

  test('tries at once what waits for a retry, and waits until it is stored', async () => {
    const { clock, sink, delivery, push } = setup();
    sink.answers.push('reject', 'reject');
    const ids = push(1);
    await clock.advance(250);
    expect(sink.writes).toHaveLength(1);
    const flushed = delivery.flush();
    expect(sink.writes).toHaveLength(2);
    expect(await isPending(flushed)).toBe(true);
    await clock.runAll();
    await flushed;
    expect(sink.stored).toEqual(ids);
  });

  test('waits for a stuck sink until close runs out of time', async () => {
    const { clock, sink, delivery, push } = setup();
    sink.answers.push('block');
    push(1);
    const flushed = delivery.flush();
    await clock.advance(3_600_000);
    expect(await isPending(flushed)).toBe(true);
    const closed = delivery.close({ timeoutMs: 100 });
    await clock.advance(100);
    await Promise.all([flushed, closed]);
    expect(sink.flushes).toBe(0);
  });

  test('resolves when the flush of a sink fails, and the failure can be seen', async () => {
    const { sink, delivery, push } = setup();
    sink.flush = async () => {
      throw new RangeError('no');
    };
    push(1);
    await delivery.flush();
    expect(delivery.snapshot().sinks[0]?.lastError).toEqual({ name: 'RangeError' });
  });

  test('is fine with sinks that have neither flush nor close', async () => {
    const write = vi.fn(async () => undefined);
    const { delivery, push } = setup({ sinks: [{ name: 'bare', write }] });
    push(1);
    await delivery.flush();
    await delivery.close();
    expect(write).toHaveBeenCalledTimes(1);
  });
});

describe('close', () => {
  test('stores everything, closes each sink once and leaves no timer', async () => {
    const { clock, sink, delivery, push } = setup({ batchSize: 2 });
    const ids = push(5);
    await Promise.all([delivery.close(), delivery.close()]);
    await delivery.close();
    expect(sink.stored).toEqual(ids);
    expect(sink).toMatchObject({ flushes: 1, closes: 1 });
    expect(clock.pending).toBe(0);
    expect(delivery.snapshot().sinks[0]?.state).toBe('closed');
  });

  test('drops what comes after it', async () => {
    const { clock, sink, delivery, drops, push } = setup();
    sink.answers.push('block');
    push(1);
    const closed = delivery.close();
    push(2);
    sink.unblock();
    await closed;
    push(3);
    await clock.runAll();
    expect(sink.stored).toHaveLength(1);
    expect(delivery.snapshot().sinks[0]).toMatchObject({
      pending: 0,
      written: 1,
      dropped: { closed: 5 },
    });
    expect(drops).toEqual([
      { sink: 'test', reason: 'closed', count: 2 },
      { sink: 'test', reason: 'closed', count: 3 },
    ]);
  });

  test('tries several times before its time is over, also after a long outage', async () => {
    const { clock, sink, delivery, push } = setup();
    sink.down = true;
    const ids = push(1);
    await clock.advance(600_000);
    const tries = sink.writes.length;
    const closed = delivery.close();
    await clock.advance(1_000);
    expect(sink.writes.length).toBeGreaterThan(tries + 2);
    sink.down = false;
    await clock.advance(2_000);
    await closed;
    expect(sink.stored).toEqual(ids);
  });

  test('gives up after 5 s by default: drops the rest, reports it, closes the sink', async () => {
    const { clock, sink, delivery, drops, push } = setup({ batchSize: 2 });
    sink.down = true;
    push(7);
    const closed = delivery.close();
    await clock.advance(4_999);
    expect(await isPending(closed)).toBe(true);
    await clock.advance(1);
    await closed;
    expect(delivery.snapshot().sinks[0]).toMatchObject({
      state: 'closed',
      pending: 0,
      dropped: { closed: 7 },
    });
    expect(drops).toEqual([{ sink: 'test', reason: 'closed', count: 7 }]);
    expect(sink.closes).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test.each(['flush', 'close'] as const)(
    'does not wait longer for a %s that never ends',
    async (method) => {
      const { clock, sink, delivery, push } = setup();
      const never = () => new Promise<void>(() => undefined);
      const close = vi.fn(method === 'close' ? never : async () => undefined);
      sink.close = close;
      if (method === 'flush') sink.flush = never;
      const ids = push(1);
      const closed = delivery.close({ timeoutMs: 300 });
      await clock.advance(300);
      await closed;
      expect(sink.stored).toEqual(ids);
      expect(close).toHaveBeenCalledTimes(1);
      expect(clock.pending).toBe(0);
    },
  );

  test('lets go of a write that ends later without counting it again', async () => {
    const { clock, sink, delivery, push } = setup();
    sink.answers.push('block');
    push(2);
    const closed = delivery.close({ timeoutMs: 0 });
    await clock.advance(0);
    await closed;
    sink.unblock();
    await clock.advance(60_000);
    expect(delivery.snapshot().sinks[0]).toMatchObject({ written: 0, dropped: { closed: 2 } });
    expect(sink.writes).toHaveLength(1);
  });

  test('takes a timeout of any length', async () => {
    const { delivery, push, sink } = setup();
    push(1);
    await delivery.close({ timeoutMs: Infinity });
    expect(sink.stored).toHaveLength(1);
  });

  test('closes a good sink at once although another is stuck', async () => {
    const [stuck, good] = [createTestSink('stuck'), createTestSink('good')];
    stuck.answers.push('block');
    const { clock, delivery, push } = setup({ sinks: [stuck, good] });
    push(1);
    const closed = delivery.close();
    await clock.advance(0);
    expect(good.closes).toBe(1);
    expect(stuck.closes).toBe(0);
    await clock.advance(5_000);
    await closed;
    expect(stuck.closes).toBe(1);
  });

  test('as the last thing of a program waits for a retry', () => {
    const program = join(import.meta.dirname, 'close-as-last-thing.ts');
    const run = spawnSync(process.execPath, ['--conditions=@tokenrouter/source', program], {
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ status: 0, stderr: '', stdout: 'stored 1 after 2 writes\n' });
  });
});
