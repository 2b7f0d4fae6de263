import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';

import { createSharedPool, type SharedPoolOptions } from '../../src/stores/shared-pool.ts';
import type { PoolName, SharedPool } from '../../src/stores/types.ts';
import { createSeededRandom } from '../../src/testing/seeded-random.ts';
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts';
import { remoteStore, type RemoteStore } from './remote-store.ts';
import { loadOf, saturate, type Sent } from './saturate.ts';

const minute = (limit: number, key = 'pool'): PoolName => ({
  key,
  limit,
  window: { kind: 'sliding', windowMs: 60_000 },
});
const budget = (limit: number, key = 'pool'): PoolName => ({
  key,
  limit,
  window: { kind: 'fixed', endsInMs: 86_400_000 },
});
const underWay = (limit: number, key = 'pool'): PoolName => ({
  key,
  limit,
  window: { kind: 'held' },
});

interface Setting {
  readonly clock: VirtualClock;
  readonly store: RemoteStore;
  open(pool: PoolName | (() => PoolName), options?: Partial<SharedPoolOptions>): SharedPool;
}

function setting(delayMs?: () => number): Setting {
  const clock = createVirtualClock();
  const store = remoteStore(clock, delayMs);
  let holders = 0;
  return {
    clock,
    store,
    open: (pool, options = {}) =>
      createSharedPool({
        pool: typeof pool === 'function' ? pool : () => pool,
        store,
        holder: `holder ${holders++}`,
        clock,
        random: createSeededRandom(1),
        away: { whenAway: 'share', instances: 2 },
        onChange: () => undefined,
        ...options,
      }),
  };
}

function thrown(): never {
  throw new Error('a fault of somebody else');
}

/** Asks, and takes as soon as it may; how long that took. */
async function takeWhenThere(
  pool: SharedPool,
  units: number,
  clock: VirtualClock,
): Promise<number> {
  const startedAt = clock.now();
  while (pool.waitMs(units, clock.now()) > 0) {
    expect(clock.now() - startedAt, `waiting for ${units}`).toBeLessThan(300_000);
    await clock.advance(1);
  }
  pool.take(units, clock.now());
  return clock.now() - startedAt;
}

describe('a pool that has room', () => {
  test('asks for the first unit, and is told by onChange that it is there', async () => {
    const { clock, open } = setting();
    const onChange = vi.fn<() => void>();
    const pool = open(minute(100), { onChange });
    expect(pool.waitMs(1, clock.now())).toBe(Infinity);
    await clock.advance(3);
    expect(onChange).toHaveBeenCalledOnce();
    expect(pool.waitMs(1, clock.now())).toBe(0);
  });

  test('seldom exchanges, and hardly ever keeps a call waiting', async () => {
    const { clock, store, open } = setting();
    const pool = open(minute(100_000));
    let waited = 0;
    for (let i = 0; i < 5_000; i++) {
      waited += await takeWhenThere(pool, 1, clock);
      pool.settle(1, 1, clock.now());
      await clock.advance(2);
    }
    expect(store.arrived.length).toBeLessThan(150);
    expect(waited).toBeLessThan(100);
  });

  test('asks for more before it has run out, however far away the store is', async () => {
    const { clock, open } = setting(() => 20);
    const pool = open(minute(100_000));
    let waited = 0;
    for (let i = 0; i < 2_000; i++) {
      const ms = await takeWhenThere(pool, 1, clock);
      // At first it cannot know.
      if (i > 100) waited += ms;
      pool.settle(1, 1, clock.now());
      await clock.advance(2);
    }
    expect(waited).toBeLessThan(100);
  });

  test('does not spend what it is giving back', async () => {
    const { clock, store, open } = setting(() => 100);
    const pool = open(minute(1_000));
    while (pool.waitMs(50, clock.now()) > 0) await clock.advance(1);
    await clock.advance(490 - clock.now());
    expect(pool.waitMs(50, clock.now())).toBe(0);
    // The exchange that gives it back is sent, and has not arrived.
    await clock.advance(20);
    expect(store.arrived).toHaveLength(1);
    expect(pool.waitMs(50, clock.now())).toBeGreaterThan(0);
  });

  test('does not spend what it was granted before it was asleep for longer than a lease', async () => {
    const { clock, open } = setting();
    const pool = open(minute(1_000));
    while (pool.waitMs(50, clock.now()) > 0) await clock.advance(1);
    expect(pool.waitMs(50, clock.now() + 9_000)).toBe(0);
    // Its timers have not had their turn yet.
    expect(pool.waitMs(50, clock.now() + 10_000)).toBeGreaterThan(0);
  });

  test('gives back what it does not need, and then sets no timer', async () => {
    const { clock, store, open } = setting();
    const pool = open(minute(1_000));
    for (let i = 0; i < 50; i++) {
      await takeWhenThere(pool, 1, clock);
      pool.settle(1, 1, clock.now());
    }
    expect((await store.look(minute(1_000))).heldByAll).toBeGreaterThan(0);
    await clock.advance(1_500);
    expect(await store.look(minute(1_000))).toMatchObject({ used: 50, heldByAll: 0 });
    expect(pool.isIdle(clock.now())).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('keeps what a long call has taken, and frees what it did not use', async () => {
    const { clock, store, open } = setting();
    const pool = open(minute(1_000));
    await takeWhenThere(pool, 300, clock);
    const takenAt = clock.now();
    await clock.advance(50_000);
    expect(await store.look(minute(1_000))).toMatchObject({ used: 0, heldByAll: 300 });
    expect(pool.isIdle(clock.now())).toBe(false);
    pool.settle(300, 120, clock.now(), takenAt);
    await clock.advance(1_000);
    expect(await store.look(minute(1_000))).toMatchObject({ used: 120, heldByAll: 0 });
    // It leaves the window a minute after it was taken, not after it was settled.
    await clock.advance(9_100);
    expect(await store.look(minute(1_000))).toMatchObject({ used: 0 });
  });

  test('never has more than its limit', () => {
    const { clock, open } = setting();
    expect(open(minute(10)).waitMs(11, clock.now())).toBe(Infinity);
    expect(clock.pending).toBe(0);
  });
});

describe('a pool that is shared', () => {
  test('lets four that are always busy send all of it, each about as much, and never more', async () => {
    const { clock, store } = setting(() => 2);
    const random = createSeededRandom(7);
    const sent: Sent[] = [];
    for (let i = 0; i < 4; i++) {
      saturate({
        pools: [() => minute(600, 'requests'), () => minute(100_000, 'tokens')],
        store,
        holder: `h${i}`,
        clock,
        random,
        next() {
          const used = 50 + Math.floor(random() * 250);
          return [
            { taken: 1, used: 1 },
            { taken: Math.ceil(used * 1.5), used },
          ];
        },
        callMs: () => 500 + random() * 4_000,
        onSent: (call) => sent.push(call),
      });
    }
    await clock.advance(300_000);
    const requests = loadOf(
      sent.map(({ at, units }) => ({ at, units: units[0]! })),
      600,
      60_000,
      300_000,
    );
    const tokens = loadOf(
      sent.map(({ at, units }) => ({ at, units: units[1]! })),
      100_000,
      60_000,
      300_000,
    );
    expect(requests.most).toBeLessThanOrEqual(1);
    expect(tokens.most).toBeLessThanOrEqual(1);
    expect(tokens.mean).toBeGreaterThan(0.97);
    const counts = [0, 1, 2, 3].map((i) => sent.filter(({ holder }) => holder === `h${i}`).length);
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) * 0.7);
  });

  test('serves one large call among many small ones', async () => {
    const { clock, store, open } = setting();
    const random = createSeededRandom(3);
    for (let i = 0; i < 3; i++) {
      saturate({
        pools: [() => minute(1_000)],
        store,
        holder: `h${i}`,
        clock,
        random,
        next: () => [{ taken: 5, used: 5 }],
        callMs: () => 100,
        onSent: () => undefined,
      });
    }
    await clock.advance(90_000);
    expect(await takeWhenThere(open(minute(1_000)), 500, clock)).toBeLessThan(125_000);
  });

  test('lets calls under way at once take turns', async () => {
    const { clock, store } = setting();
    const random = createSeededRandom(3);
    const sent: Sent[] = [];
    let most = 0;
    let now = 0;
    for (let i = 0; i < 3; i++) {
      saturate({
        pools: [() => underWay(4)],
        store,
        holder: `h${i}`,
        clock,
        random,
        next: () => [{ taken: 1, used: 1 }],
        callMs() {
          most = Math.max(most, ++now);
          const callMs = 1_000 + random() * 1_000;
          clock.setTimeout(() => now--, callMs - 0.01);
          return callMs;
        },
        onSent: (call) => sent.push(call),
      });
    }
    await clock.advance(120_000);
    expect(most).toBe(4);
    const counts = [0, 1, 2].map((i) => sent.filter(({ holder }) => holder === `h${i}`).length);
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) * 0.7);
    // 4 at once, 1.5 s each, 120 s.
    expect(sent.length).toBeGreaterThan(320 * 0.93);
  });

  test('is asked for as long as somebody waits, until somebody gives back', async () => {
    const { clock, open } = setting();
    const holds = open(budget(100));
    await takeWhenThere(holds, 100, clock);
    let isServed = false;
    const waits = open(budget(100), {
      onChange() {
        isServed ||= waits.waitMs(60, clock.now()) === 0;
      },
    });
    expect(waits.waitMs(60, clock.now())).toBe(Infinity);
    await clock.advance(60_000);
    expect(isServed).toBe(false);
    holds.settle(100, 40, clock.now());
    await clock.advance(1_000);
    expect(isServed).toBe(true);
  });

  test('is not given away to who asked and then went', async () => {
    const { clock, store, open } = setting();
    const gone = open(budget(100));
    const stays = open(budget(100));
    await takeWhenThere(stays, 60, clock);
    expect(gone.waitMs(50, clock.now())).toBe(Infinity);
    await clock.advance(5_000);
    expect(await takeWhenThere(stays, 40, clock)).toBeLessThan(5_000);
    await clock.advance(10_000);
    expect(gone.isIdle(clock.now())).toBe(true);
    expect(await store.look(budget(100))).toMatchObject({ heldByAll: 100, wanted: 0 });
  });
});

describe('a window that is over', () => {
  test('settles what was taken in it under its own key', async () => {
    const { clock, store, open } = setting();
    let key = 'monday';
    const pool = open(() => budget(100, key));
    await takeWhenThere(pool, 40, clock);
    const takenAt = clock.now();
    await clock.advance(100);
    key = 'tuesday';
    await takeWhenThere(pool, 90, clock);
    pool.settle(40, 30, clock.now(), takenAt);
    await clock.advance(2_000);
    expect(await store.look(budget(100, 'monday'))).toMatchObject({ used: 30, heldByAll: 0 });
    expect(await store.look(budget(100, 'tuesday'))).toMatchObject({ used: 0, heldByAll: 90 });
    pool.settle(90, 90, clock.now());
    await clock.advance(2_000);
    expect(await store.look(budget(100, 'tuesday'))).toMatchObject({ used: 90, heldByAll: 0 });
    expect(pool.isIdle(clock.now())).toBe(true);
  });

  test('follows a limit that changes', async () => {
    const { clock, open } = setting();
    let limit = 10;
    const pool = open(() => minute(limit));
    await takeWhenThere(pool, 10, clock);
    expect(pool.waitMs(11, clock.now())).toBe(Infinity);
    limit = 30;
    expect(await takeWhenThere(pool, 11, clock)).toBeLessThan(100);
  });
});

describe('while the store is away', () => {
  const states = ['gone', 'silent'] as const;

  test.each(states)('%s: a call waits a quarter of a second, then for nothing', async (state) => {
    const { clock, store, open } = setting();
    store.state = state;
    const onChange = vi.fn<() => void>();
    const pool = open(minute(100), { onChange });
    expect(pool.waitMs(1, clock.now())).toBe(Infinity);
    await clock.advance(250);
    expect(onChange).toHaveBeenCalledOnce();
    expect(pool.snapshot(clock.now()).isAway).toBe(true);
    expect(pool.waitMs(1, clock.now())).toBe(0);
  });

  test('a router keeps to its share of a limit, and is told how long to wait', async () => {
    const { clock, store, open } = setting();
    store.state = 'gone';
    const pool = open(minute(100), { away: { whenAway: 'share', instances: 4 } });
    pool.waitMs(1, clock.now());
    await clock.advance(1);
    for (let i = 0; i < 25; i++) {
      expect(pool.waitMs(1, clock.now())).toBe(0);
      pool.take(1, clock.now());
      pool.settle(1, 1, clock.now());
      await clock.advance(100);
    }
    const waitMs = pool.waitMs(1, clock.now());
    expect(waitMs).toBeGreaterThan(57_000);
    expect(waitMs).toBeLessThan(60_000);
    await clock.advance(waitMs);
    expect(pool.waitMs(1, clock.now())).toBe(0);
  });

  test('a router spends what it was granted, and then refuses, when it is to', async () => {
    const { clock, store, open } = setting();
    const pool = open(minute(1_000), { away: { whenAway: 'refuse', instances: 1 } });
    await takeWhenThere(pool, 1, clock);
    expect(pool.waitMs(10, clock.now())).toBe(0);
    store.state = 'gone';
    let taken = 0;
    for (; pool.waitMs(1, clock.now()) === 0; taken++) pool.take(1, clock.now());
    expect(taken).toBeLessThan(100);
    await clock.advance(20_000);
    expect(pool.waitMs(1, clock.now())).toBe(Infinity);
    store.state = 'there';
    expect(await takeWhenThere(pool, 1, clock)).toBeLessThan(7_000);
  });

  test('an answer that comes after a later exchange was sent changes nothing', async () => {
    const delays = [1, 5_000];
    const { clock, open } = setting(() => delays.shift() ?? 1);
    const pool = open(budget(500), { away: { whenAway: 'refuse', instances: 1 } });
    // Its first exchange grants 400, and the answer takes five seconds; the second grants the same 400.
    await takeWhenThere(pool, 400, clock);
    expect(clock.now()).toBeLessThan(2_000);
    pool.settle(400, 400, clock.now());
    await clock.advance(1_000);
    expect(pool.snapshot(clock.now())).toMatchObject({ used: 400, held: 0 });
    while (clock.now() < 6_000) {
      await clock.advance(1);
      expect(pool.waitMs(400, clock.now())).toBeGreaterThan(0);
    }
  });

  test('what was used meanwhile is reported once it is back, and each keeps to its share a while', async () => {
    const { clock, store, open } = setting();
    const pool = open(budget(1_000));
    await takeWhenThere(pool, 100, clock);
    pool.settle(100, 100, clock.now());
    await clock.advance(1_000);
    store.state = 'gone';
    for (let i = 0; i < 20; i++) {
      await takeWhenThere(pool, 10, clock);
      pool.settle(10, 10, clock.now());
      await clock.advance(500);
    }
    store.state = 'there';
    await clock.advance(7_000);
    expect(pool.snapshot(clock.now())).toMatchObject({ isAway: false, used: 300 });
    expect(await store.look(budget(1_000))).toMatchObject({ used: 300, heldByAll: 0 });
    // Its half of half of the rest, 225, is not spent yet; the other's may be.
    expect(pool.waitMs(30, clock.now())).toBeGreaterThan(0);
    await clock.advance(11_000);
    expect(await takeWhenThere(pool, 600, clock)).toBeLessThan(100);
  });

  test('nobody who waits is forgotten when it is back', async () => {
    const { clock, store, open } = setting();
    const pool = open(minute(100), { away: { whenAway: 'refuse', instances: 1 } });
    store.state = 'silent';
    let isServed = false;
    const waiting = open(minute(100), {
      away: { whenAway: 'refuse', instances: 1 },
      onChange() {
        isServed ||= waiting.waitMs(1, clock.now()) === 0;
      },
    });
    expect(waiting.waitMs(1, clock.now())).toBe(Infinity);
    await clock.advance(60_000);
    expect(isServed).toBe(false);
    store.state = 'there';
    await clock.advance(7_000);
    expect(isServed).toBe(true);
    expect(pool.isIdle(clock.now())).toBe(true);
  });

  test('a budget holds over a store that comes back empty, which grants nothing for a lease', async () => {
    const { clock, store, open } = setting();
    const pool = open(budget(100), { away: { whenAway: 'refuse', instances: 1 } });
    await takeWhenThere(pool, 70, clock);
    pool.settle(70, 70, clock.now());
    await clock.advance(1_000);
    store.forget();
    expect(await store.look(budget(100))).toMatchObject({ used: 0 });
    expect(await takeWhenThere(pool, 30, clock)).toBeLessThan(10_100);
    await clock.advance(1_000);
    expect(await store.look(budget(100))).toMatchObject({ used: 70, heldByAll: 30 });
  });

  test('a router goes on with its share while a store recovers that came back empty', async () => {
    const { clock, store, open } = setting();
    const pool = open(budget(100));
    await takeWhenThere(pool, 20, clock);
    pool.settle(20, 20, clock.now());
    await clock.advance(1_000);
    store.forget();
    expect(await takeWhenThere(pool, 20, clock)).toBeLessThan(100);
    pool.settle(20, 20, clock.now());
    // A quarter of the 80 is spent; the rest may be, once the others have told what they have.
    const waited = await takeWhenThere(pool, 60, clock);
    expect(waited).toBeGreaterThan(9_000);
    expect(waited).toBeLessThan(12_000);
  });
});

describe('faults of others', () => {
  test.each([
    ['throws', () => thrown()],
    ['rejects', async () => thrown()],
    ['answers nothing', async () => undefined],
    ['answers nonsense', async () => ({ held: 'many', used: Number.NaN })],
  ])(
    'a store that %s is one that is away, and an onChange that throws is not noticed',
    async (_, exchange) => {
      const { clock, open, store } = setting();
      const pool = open(minute(10), {
        // A store of somebody else's, in plain JavaScript.
        store: { ...store, exchange: exchange as unknown as RemoteStore['exchange'] },
        onChange: thrown,
      });
      pool.waitMs(1, clock.now());
      await clock.advance(5_000);
      expect(pool.snapshot(clock.now()).isAway).toBe(true);
      expect(pool.waitMs(1, clock.now())).toBe(0);
      pool.take(1, clock.now());
      pool.settle(1, 1, clock.now());
      await clock.advance(5_000);
      await expect(pool.close()).resolves.toBeUndefined();
    },
  );

  test('answers that are lost or late: everything is counted once, and the limit holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(1, 20, 200), async (seed, slowMs) => {
        const random = createSeededRandom(seed);
        let slowest = slowMs;
        const { clock, store } = setting(() => random() * slowest);
        const sent: Sent[] = [];
        const pool = budget(2_000);
        const running = [0, 1, 2].map((i) =>
          saturate({
            pools: [() => pool],
            store,
            holder: `h${i}`,
            clock,
            random,
            away: { whenAway: 'refuse', instances: 1 },
            next() {
              const taken = 1 + Math.floor(random() * 40);
              return [{ taken, used: Math.ceil(taken * random()) }];
            },
            callMs: () => random() * 2_000,
            onSent: (call) => sent.push(call),
          }),
        );
        for (let i = 0; i < 30; i++) {
          store.state = (['there', 'there', 'gone', 'silent', 'mute'] as const)[
            Math.floor(random() * 5)
          ]!;
          await clock.advance(random() * 1_500);
        }
        store.state = 'there';
        slowest = 20;
        await clock.advance(40_000);
        for (const { stop, pools } of running) {
          stop();
          expect(pools[0]!.snapshot(clock.now()).isAway).toBe(false);
        }
        await clock.advance(20_000);
        const used = sent.reduce((sum, { units }) => sum + units[0]!, 0);
        expect(used).toBeLessThanOrEqual(2_000);
        expect(used).toBeGreaterThan(1_900);
        expect(await store.look(pool)).toMatchObject({ used, heldByAll: 0 });
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe('close', () => {
  test('reports what was used, gives back the rest and leaves no timer', async () => {
    const { clock, store, open } = setting();
    const pool = open(minute(1_000));
    await takeWhenThere(pool, 20, clock);
    pool.settle(20, 15, clock.now());
    const closed = pool.close();
    await clock.advance(10);
    await closed;
    expect(await store.look(minute(1_000))).toMatchObject({ used: 15, heldByAll: 0 });
    expect(clock.pending).toBe(0);
    expect(pool.waitMs(1, clock.now())).toBe(Infinity);
  });

  test.each(['gone', 'silent'] as const)('ends in time with a store that is %s', async (state) => {
    const { clock, store, open } = setting();
    const pool = open(minute(1_000));
    await takeWhenThere(pool, 20, clock);
    store.state = state;
    const closed = pool.close();
    await clock.advance(1_000);
    await closed;
    expect(clock.pending).toBe(0);
  });
});
