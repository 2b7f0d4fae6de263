/** What holds while Redis is away, and when it is back: with a server that is killed, comes back empty, or stops to answer. */
import { afterEach, describe, expect, test, vi } from 'vitest';

import { redisStore, type RedisClient } from '../../adapters/stores/redis/index.ts';
import { createSharedPool } from '../../src/stores/shared-pool.ts';
import type { AwayOptions, PoolName, SharedPool, Store } from '../../src/stores/types.ts';
import { systemClock } from '../../src/util/clock.ts';
import { noProgram } from '../helpers/services.ts';
import { CLIENTS } from './redis-clients.ts';
import { ownRedis, type OwnRedis } from './redis-server.ts';

const noServer = noProgram('redis-server', '--version');

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startRedis(...options: readonly string[]): Promise<OwnRedis> {
  const redis = await ownRedis(...options);
  closing.push(async () => redis.dispose());
  await redis.start();
  return redis;
}

async function storeAt(redis: OwnRedis, name = 'ioredis'): Promise<Store> {
  const { client, close } = await CLIENTS[name]!(redis.url);
  const store = redisStore({ client });
  closing.push(close, async () => store.close());
  return store;
}

/** Takes and uses units as fast as it may, until it has used `goal` of them. */
class Spender {
  readonly pool: SharedPool;
  spent = 0;
  goal = 0;
  readonly #units: number;

  constructor(store: Store, holder: string, pool: PoolName, away: AwayOptions, units = 7) {
    this.#units = units;
    this.pool = createSharedPool({
      pool: () => pool,
      store,
      holder,
      clock: systemClock,
      random: Math.random,
      away,
      onChange: () => this.spend(),
      leaseMs: 2_000,
    });
    closing.push(async () => this.pool.close());
  }

  spend(goal: number = this.goal): void {
    this.goal = goal;
    for (;;) {
      const now = systemClock.now();
      const waitMs = this.spent < this.goal ? this.pool.waitMs(this.#units, now) : Infinity;
      if (waitMs > 0) {
        if (waitMs < Infinity) systemClock.setTimeout(() => this.spend(), waitMs);
        return;
      }
      this.pool.take(this.#units, now);
      this.spent += this.#units;
      this.pool.settle(this.#units, this.#units, now);
    }
  }

  get isAway(): boolean {
    return this.pool.snapshot(systemClock.now()).isAway;
  }
}

const budget = (limit: number): PoolName => ({
  key: 'budget',
  limit,
  window: { kind: 'fixed', endsInMs: 3_600_000 },
});

const soon = { timeout: 10_000, interval: 5 };
const sum = (spenders: readonly Spender[]): number =>
  spenders.reduce((total, { spent }) => total + spent, 0);

describe.skipIf(noServer !== undefined)('a budget over a Redis that is killed', () => {
  test.each(Object.keys(CLIENTS))(
    'is never overspent, nor lost, with %s: not while it is away, not when it comes back empty',
    async (name) => {
      const redis = await startRedis();
      const away: AwayOptions = { whenAway: 'share', instances: 3 };
      const pool = budget(2_100);
      const spenders = await Promise.all(
        ['a', 'b', 'c'].map(
          async (holder) => new Spender(await storeAt(redis, name), holder, pool, away),
        ),
      );
      // One has spent most of it.
      spenders[0]!.spend(700);
      spenders[1]!.spend(140);
      spenders[2]!.spend(7);
      await vi.waitFor(() => expect(sum(spenders)).toBe(847), soon);
      // And all have heard of it: whoever asks is told.
      await vi.waitFor(() => {
        const now = systemClock.now();
        const stale = spenders.filter(({ pool: each }) => each.snapshot(now).used !== 847);
        for (const { pool: each } of stale) each.waitMs(1, now);
        expect(stale).toEqual([]);
      }, soon);

      await redis.kill();
      for (const spender of spenders) spender.spend(2_100);
      await vi.waitFor(
        () => expect(spenders.map(({ isAway }) => isAway)).not.toContain(false),
        soon,
      );
      await vi.waitFor(() => {
        // Each has some of what was left.
        for (const { spent } of spenders) expect(spent).toBeGreaterThan(150);
      }, soon);
      expect(sum(spenders)).toBeLessThanOrEqual(2_100);

      await redis.start();
      await vi.waitFor(() => expect(sum(spenders)).toBe(2_100), soon);
      await vi.waitFor(
        () => expect(spenders.map(({ isAway }) => isAway)).not.toContain(true),
        soon,
      );
      expect(sum(spenders)).toBe(2_100);
    },
  );

  test('is spent to what was granted, and no further, when calls are to be refused', async () => {
    const redis = await startRedis();
    const spender = new Spender(
      await storeAt(redis),
      'a',
      budget(10_000),
      { whenAway: 'refuse', instances: 1 },
      1,
    );
    spender.spend(500);
    await vi.waitFor(() => expect(spender.spent).toBe(500), soon);
    await redis.kill();
    spender.spend(10_000);
    await vi.waitFor(() => expect(spender.isAway).toBe(true), soon);
    const { spent } = spender;
    expect(spent).toBeLessThan(9_000);
    expect(spender.pool.waitMs(1, systemClock.now())).toBe(Infinity);
    await redis.start();
    await vi.waitFor(() => expect(spender.spent).toBe(10_000), soon);
  });
});

describe.skipIf(noServer !== undefined)('a Redis that stops to answer for a while', () => {
  test.each(Object.keys(CLIENTS))('has counted everything once, with %s', async (name) => {
    const redis = await startRedis();
    const away: AwayOptions = { whenAway: 'share', instances: 2 };
    const store = await storeAt(redis, name);
    const spender = new Spender(store, 'a', budget(10_000), away, 1);
    spender.spend(300);
    await vi.waitFor(() => expect(spender.spent).toBe(300), soon);

    redis.pause();
    spender.spend(600);
    await vi.waitFor(() => expect(spender.spent).toBe(600), soon);
    await vi.waitFor(() => expect(spender.isAway).toBe(true), soon);
    redis.resume();
    spender.spend(900);
    await vi.waitFor(() => expect(spender.isAway).toBe(false), soon);
    await vi.waitFor(() => expect(spender.spent).toBe(900), soon);

    await spender.pool.close();
    const look = await store.exchange({
      pool: budget(10_000),
      holder: 'reader',
      used: [],
      taken: 0,
      hold: 0,
      atLeast: 0,
      leaseMs: 1_000,
      sequence: 1,
      usedSince: 1,
    });
    expect(look).toMatchObject({ used: 900, heldByAll: 0 });
  });
});

describe.skipIf(noServer !== undefined)('a client', () => {
  test('without a listener for errors does not end the process when Redis is killed', async () => {
    const redis = await startRedis();
    const { createClient } = await import('redis');
    const client = createClient({ url: redis.url });
    await client.connect();
    const store = redisStore({ client });
    await store.set('key', 'value', { ttlMs: 60_000 });
    await redis.kill();
    await expect(store.get('key')).rejects.toBeInstanceOf(Error);
    client.destroy();
    await store.close();
  });

  test('of a factory is made at the first use, made again when that failed, and closed', async () => {
    const redis = await startRedis();
    let made = 0;
    let opened: RedisClient | undefined;
    const store = redisStore({
      async clientFactory() {
        if (made++ === 0) throw new Error('no such host');
        opened = (await CLIENTS['ioredis']!(redis.url)).client;
        return opened;
      },
    });
    expect(made).toBe(0);
    await expect(store.get('key')).rejects.toThrow('no such host');
    expect(await store.set('key', 'value', { ttlMs: 60_000 })).toBe('value');
    expect(await store.get('key')).toBe('value');
    expect(made).toBe(2);
    await store.close();
    await vi.waitFor(() => expect(opened).toMatchObject({ status: 'end' }), soon);
  });

  test('whose server has forgotten the scripts sends them again', async () => {
    const redis = await startRedis();
    for (const name of Object.keys(CLIENTS)) {
      const store = await storeAt(redis, name);
      await store.set('key', 'one', { ttlMs: 60_000 });
      await redis.kill();
      await redis.start();
      await vi.waitFor(async () => {
        expect(await store.set('key', 'two', { ttlMs: 60_000 })).toBe('two');
      }, soon);
    }
  });
});
