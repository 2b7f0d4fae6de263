import assert from 'node:assert/strict';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';

import type { Store } from '../stores/types.ts';
import {
  exchangeWith,
  expectAnswer,
  fixed,
  POOL_CASES,
  type StoreCase,
  used,
} from './pool-cases.ts';
import type { ContractCase } from './sink-contract.ts';

/** A store of its own: nobody else uses the keys that it uses. */
export interface StoreUnderTest {
  store: Store;
  /** Closes and removes what `create` made. */
  dispose(): Promise<void>;
}

export interface StoreContractOptions {
  /** Called once for each case. */
  create(): Promise<StoreUnderTest>;
}

/**
 * What routers expect of every store, as cases to run one by one:
 *
 * `for (const { name, run } of storeContract({ create })) test(name, run)`
 *
 * Time is the store's own, so a few cases wait for some of it to pass; none takes longer than a second or two.
 */
export function storeContract(options: StoreContractOptions): readonly ContractCase[] {
  return [...POOL_CASES, ...CASES].map(([name, check]) => ({
    name,
    run: async () => {
      const subject = await options.create();
      try {
        await check(subject.store);
      } finally {
        await subject.dispose();
      }
    },
  }));
}

const CASES: readonly StoreCase[] = [
  [
    'has a name',
    async (store) => {
      assert.match(store.name, /^\S+$/, 'name must be a word');
    },
  ],
  [
    'keeps keys and holders apart, whatever their names are',
    async (store) => {
      const names = ['a', 'a b', 'a:b', '{a}', '}{', 'a\nb', 'ä 👩‍👩‍👧', '__proto__', '%s', '0'];
      for (const [i, key] of names.entries()) {
        await store.exchange(exchangeWith(fixed(100, key), used(i + 1)));
        await store.set(key, `value of ${key}`, { ttlMs: 60_000 });
      }
      for (const holder of names) {
        await store.exchange(exchangeWith(fixed(100, 'shared'), { holder, atLeast: 2 }));
      }
      for (const [i, key] of names.entries()) {
        expectAnswer(await store.exchange(exchangeWith(fixed(100, key))), { used: i + 1 });
        assert.equal(await store.get(key), `value of ${key}`);
      }
      expectAnswer(await store.exchange(exchangeWith(fixed(100, 'shared'))), {
        heldByAll: 2 * (names.length - 1),
      });
    },
  ],
  [
    'keeps a value for its time',
    async (store) => {
      assert.equal(await store.get('key'), undefined);
      assert.equal(await store.set('key', 'one', { ttlMs: 60_000 }), 'one');
      assert.equal(await store.get('key'), 'one');
      assert.equal(await store.set('key', 'two', { ttlMs: 100 }), 'two');
      const endAt = performance.now() + 5_000;
      while ((await store.get('key')) !== undefined) {
        assert.ok(performance.now() < endAt, 'expected the value to be gone after 100 ms');
        await eventLoopTurn();
      }
    },
  ],
  [
    'sets a value only where none stands when told so: the first of many',
    async (store) => {
      const set = await Promise.all(
        Array.from({ length: 20 }, async (_, i) =>
          store.set('key', `of ${i}`, { ttlMs: 60_000, ifAbsent: true }),
        ),
      );
      assert.equal(new Set(set).size, 1);
      assert.equal(await store.get('key'), set[0]);
    },
  ],
  [
    'deletes a value only while it is the one that is named',
    async (store) => {
      await store.set('key', 'mine', { ttlMs: 60_000 });
      await store.delete('key', 'yours');
      assert.equal(await store.get('key'), 'mine');
      await store.delete('key', 'mine');
      assert.equal(await store.get('key'), undefined);
      await store.delete('key', 'mine');
    },
  ],
  [
    'keeps empty and hostile values as they are',
    async (store) => {
      for (const value of ['', 'a\u0000b', '"}\n{\'', '👩‍👩‍👧', 'x'.repeat(100_000)]) {
        assert.equal(await store.set('key', value, { ttlMs: 60_000 }), value);
        assert.equal(await store.get('key'), value);
      }
    },
  ],
  [
    'closes, also twice, and rejects what comes after',
    async (store) => {
      await store.close();
      await store.close();
      await assert.rejects(async () => store.exchange(exchangeWith(fixed(1))), /clos/i);
      await assert.rejects(async () => store.get('key'), /clos/i);
    },
  ],
];
