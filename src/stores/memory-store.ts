import type { Clock } from '../types.ts';
import { systemClock } from '../util/clock.ts';
import { PoolState } from './pool-state.ts';
import type { Exchange, Exchanged, Store } from './types.ts';

export interface MemoryStoreOptions {
  /** Where time comes from. Default: the system. */
  clock?: Clock | undefined;
}

/**
 * Shared state in this process: for several routers in one, and for tests. It never fails and keeps nothing past the process.
 * Rejects after `close`.
 */
export function memoryStore({ clock = systemClock }: MemoryStoreOptions = {}): Store {
  const pools = new Map<string, PoolState>();
  const values = new Map<string, { readonly value: string; readonly forgetAt: number }>();
  let isClosed = false;

  /** In whole milliseconds, as servers have it. */
  function now(): number {
    if (isClosed) throw new Error('memoryStore: used after close');
    return Math.floor(clock.now());
  }

  function valueOf(key: string, at: number): string | undefined {
    const entry = values.get(key);
    return entry !== undefined && entry.forgetAt > at ? entry.value : undefined;
  }

  return {
    name: 'memory',
    async exchange(exchange: Exchange): Promise<Exchanged> {
      const at = now();
      const { key, window } = exchange.pool;
      let pool = pools.get(key);
      pools.delete(key);
      if (pool === undefined || pool.forgetAt <= at) pool = new PoolState(window, at);
      pools.set(key, pool);
      const exchanged = pool.exchange(exchange, at);
      forgetSome(pools, at);
      return exchanged;
    },
    async get(key: string): Promise<string | undefined> {
      return valueOf(key, now());
    },
    async set(key, value, { ttlMs, ifAbsent = false }): Promise<string> {
      const at = now();
      const present = ifAbsent ? valueOf(key, at) : undefined;
      if (present !== undefined) return present;
      values.delete(key);
      values.set(key, { value, forgetAt: at + ttlMs });
      forgetSome(values, at);
      return value;
    },
    async delete(key: string, value: string): Promise<void> {
      if (valueOf(key, now()) === value) values.delete(key);
    },
    async close(): Promise<void> {
      isClosed = true;
      pools.clear();
      values.clear();
    },
  };
}

/** Looks at a few of the longest unseen, so that what nobody asks for again goes, at a bounded cost. */
function forgetSome<T extends { readonly forgetAt: number }>(
  map: Map<string, T>,
  at: number,
): void {
  let looked = 0;
  for (const [key, entry] of map) {
    if (looked++ === 2) return;
    map.delete(key);
    if (entry.forgetAt > at) map.set(key, entry);
  }
}
