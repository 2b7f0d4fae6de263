/** What routers expect of a store's pools. */
import assert from 'node:assert/strict';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';

import type { Exchange, Exchanged, PoolName, Store } from '../stores/types.ts';

export type StoreCase = readonly [name: string, check: (store: Store) => Promise<void>];

const HOUR_MS = 3_600_000;
const sliding = (limit: number, windowMs: number = HOUR_MS, key = 'pool'): PoolName => ({
  key,
  limit,
  window: { kind: 'sliding', windowMs },
});
export const fixed = (limit: number, key = 'pool'): PoolName => ({
  key,
  limit,
  window: { kind: 'fixed', endsInMs: HOUR_MS },
});
const underWay = (limit: number, key = 'pool'): PoolName => ({
  key,
  limit,
  window: { kind: 'held' },
});

let sequence = 0;

/** An exchange of holder `a` that asks for nothing. */
export function exchangeWith(pool: PoolName, changes: Partial<Exchange> = {}): Exchange {
  sequence++;
  const { taken = 0, atLeast = taken, hold = atLeast } = changes;
  return {
    pool,
    holder: 'a',
    used: [],
    leaseMs: 60_000,
    sequence,
    usedSince: sequence,
    ...changes,
    taken,
    atLeast,
    hold,
  };
}

export const used = (units: number, agoMs = 0): Pick<Exchange, 'used'> => ({
  used: [{ units, agoMs }],
});

/** Asks until the answer is as expected. Bounded: a store that never gets there fails. */
async function until(
  ask: () => Promise<Exchanged>,
  isThere: (exchanged: Exchanged) => boolean,
  what: string,
): Promise<void> {
  const endAt = performance.now() + 5_000;
  for (;;) {
    const exchanged = await ask();
    if (isThere(exchanged)) return;
    assert.ok(performance.now() < endAt, `${what}, but after 5 s: ${JSON.stringify(exchanged)}`);
    await eventLoopTurn();
  }
}

/** Whether the answer has these members. */
export function expectAnswer(exchanged: Exchanged, expected: Partial<Exchanged>): void {
  const members = Object.keys(expected);
  const seen = Object.fromEntries(
    Object.entries(exchanged).filter(([member]) => members.includes(member)),
  );
  assert.deepEqual({ ...expected, ...seen }, expected);
  assert.deepEqual(Object.keys(seen).sort(), members.sort());
}

export const POOL_CASES: readonly StoreCase[] = [
  [
    'grants what is asked for while it is there',
    async (store) => {
      const answer = await store.exchange(exchangeWith(sliding(100), { hold: 40 }));
      expectAnswer(answer, { held: 40, used: 0, heldByAll: 40, wanted: 0, waitMs: 0 });
    },
  ],
  [
    'grants what is needed, or nothing but what calls have taken',
    async (store) => {
      const pool = sliding(100);
      await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 70 }));
      expectAnswer(await store.exchange(exchangeWith(pool, { taken: 5, atLeast: 36, hold: 50 })), {
        held: 5,
        heldByAll: 75,
      });
      expectAnswer(await store.exchange(exchangeWith(pool, { taken: 5, atLeast: 30 })), {
        held: 30,
        heldByAll: 100,
        waitMs: 0,
      });
    },
  ],
  [
    'grants beyond the need only a part of what is left, so that others find something',
    async (store) => {
      const pool = sliding(100);
      await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 1 }));
      const { held } = await store.exchange(exchangeWith(pool, { atLeast: 10, hold: 100 }));
      assert.ok(held >= 10 && held < 99, `expected 10 to 98, got ${held}`);
    },
  ],
  [
    'never grants more than the limit, however many ask at once',
    async (store) => {
      for (const pool of [sliding(100, HOUR_MS, 's'), fixed(100, 'f'), underWay(100, 'h')]) {
        const answers = await Promise.all(
          Array.from({ length: 40 }, async (_, i) =>
            store.exchange(exchangeWith(pool, { holder: `h${i}`, atLeast: 7, hold: 9 })),
          ),
        );
        const held = answers.reduce((sum, answer) => sum + answer.held, 0);
        assert.ok(held > 90 && held <= 100, `${pool.key}: expected 91 to 100, got ${held}`);
      }
    },
  ],
  [
    'counts what is used, also beyond what was granted',
    async (store) => {
      for (const pool of [sliding(100, HOUR_MS, 's'), fixed(100, 'f')]) {
        await store.exchange(exchangeWith(pool, { atLeast: 30 }));
        expectAnswer(await store.exchange(exchangeWith(pool, { ...used(20), hold: 10 })), {
          held: 10,
          used: 20,
          heldByAll: 10,
        });
        expectAnswer(await store.exchange(exchangeWith(pool, used(90))), {
          held: 0,
          used: 110,
          heldByAll: 0,
        });
        expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 1 })), {
          held: 0,
        });
      }
    },
  ],
  [
    'uses nothing up where only what is held counts',
    async (store) => {
      const pool = underWay(3);
      await store.exchange(exchangeWith(pool, { atLeast: 3 }));
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 1 })), {
        held: 0,
        used: 0,
      });
      await store.exchange(exchangeWith(pool, { ...used(1), taken: 2 }));
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 1 })), {
        held: 1,
        used: 0,
        heldByAll: 3,
      });
    },
  ],
  [
    'holds what calls have taken, granted or not',
    async (store) => {
      const pool = sliding(100);
      await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 100 }));
      expectAnswer(await store.exchange(exchangeWith(pool, { taken: 20 })), {
        held: 20,
        heldByAll: 120,
      });
    },
  ],
  [
    'takes back what is no longer wanted',
    async (store) => {
      const pool = sliding(100);
      await store.exchange(exchangeWith(pool, { atLeast: 80 }));
      expectAnswer(await store.exchange(exchangeWith(pool, { hold: 10 })), { held: 10 });
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 90 })), {
        held: 90,
      });
    },
  ],
  [
    'takes back what is reported as used and was not',
    async (store) => {
      for (const pool of [sliding(100, HOUR_MS, 's'), fixed(100, 'f')]) {
        await store.exchange(exchangeWith(pool, used(100, 10)));
        expectAnswer(await store.exchange(exchangeWith(pool, used(-40))), { used: 60, held: 0 });
      }
    },
  ],
  [
    'counts a report once when it comes again, and what it asks for anew',
    async (store) => {
      const pool = fixed(100);
      await store.exchange(exchangeWith(pool, { atLeast: 50 }));
      const first = exchangeWith(pool, { ...used(30), hold: 20 });
      await store.exchange(first);
      const again = exchangeWith(pool, { ...used(30), hold: 5, usedSince: first.sequence });
      expectAnswer(await store.exchange(again), { used: 30, held: 5 });
    },
  ],
  [
    'is not changed by an exchange that arrives after a later one',
    async (store) => {
      const pool = fixed(100);
      const late = exchangeWith(pool, { ...used(30), atLeast: 50 });
      await store.exchange(exchangeWith(pool, { ...used(10), atLeast: 20 }));
      expectAnswer(await store.exchange(late), { used: 10, held: 20, heldByAll: 20 });
    },
  ],
  [
    'serves who waits in the order in which they came',
    async (store) => {
      const pool = fixed(100);
      await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 60 }));
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'c', atLeast: 50 })), {
        held: 0,
      });
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'd', atLeast: 1 })), {
        held: 0,
        wanted: 50,
      });
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'b', taken: 50 })), {
        wanted: 51,
      });
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'c', atLeast: 50 })), {
        held: 50,
      });
    },
  ],
  [
    'lets what was used leave a sliding window after its time, not before',
    async (store) => {
      const pool = sliding(100, 400);
      const ask = async (): Promise<Exchanged> =>
        store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 1 }));
      const startedAt = performance.now();
      await store.exchange(exchangeWith(pool, used(100, 100)));
      const { held, waitMs } = await ask();
      assert.equal(held, 0);
      assert.ok(waitMs !== undefined && waitMs > 0 && waitMs <= 301, `waitMs: ${waitMs}`);
      await until(ask, (answer) => answer.held === 1, 'expected room after 300 ms');
      // A few milliseconds less: whole milliseconds at the store, and another clock.
      assert.ok(performance.now() - startedAt >= 295, 'it left too early');
    },
  ],
  [
    'counts nothing that was used longer ago than the window lasts',
    async (store) => {
      const pool = sliding(100, 1_000);
      expectAnswer(await store.exchange(exchangeWith(pool, used(80, 1_100))), { used: 0 });
    },
  ],
  [
    'says when a fixed window that is used up ends',
    async (store) => {
      await store.exchange(exchangeWith(fixed(10), used(10)));
      const answer = await store.exchange(exchangeWith(fixed(10), { atLeast: 1 }));
      expectAnswer(answer, { held: 0, used: 10, waitMs: HOUR_MS });
    },
  ],
  [
    'counts what a holder held as used when it is not heard of, until it is',
    async (store) => {
      const pool = fixed(100);
      await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 60, leaseMs: 50 }));
      await until(
        async () => store.exchange(exchangeWith(pool)),
        (answer) => answer.used === 60 && answer.heldByAll === 0,
        'expected the 60 to count as used',
      );
      const back = exchangeWith(pool, { holder: 'b', ...used(20), leaseMs: 60_000 });
      expectAnswer(await store.exchange(back), { used: 20, heldByAll: 0 });
    },
  ],
  [
    'frees what a holder held that is not heard of, where only that counts',
    async (store) => {
      const pool = underWay(5);
      await store.exchange(exchangeWith(pool, { holder: 'b', taken: 5, leaseMs: 50 }));
      await until(
        async () => store.exchange(exchangeWith(pool, { atLeast: 5 })),
        (answer) => answer.held === 5,
        'expected the 5 to be free',
      );
    },
  ],
  [
    'believes what holders have heard when it has forgotten it, and grants nothing until all have told',
    async (store) => {
      const pool = fixed(100);
      const heard = { at: 1, agoMs: 10, used: 50 };
      const leaseMs = 300;
      const first = { ...used(5), taken: 10, atLeast: 11, leaseMs, heard };
      const answer = await store.exchange(exchangeWith(pool, first));
      expectAnswer(answer, { used: 55, held: 10, heldByAll: 10, isRecovering: true });
      assert.ok(answer.waitMs !== undefined && answer.waitMs > 0 && answer.waitMs <= leaseMs);
      const other = { holder: 'b', heard: { ...heard, used: 70 }, leaseMs };
      expectAnswer(await store.exchange(exchangeWith(pool, other)), { used: 70 });
      await until(
        async () => store.exchange(exchangeWith(pool, { taken: 10, atLeast: 11 })),
        ({ held, used: sum, isRecovering }) => held === 11 && sum === 70 && !isRecovering,
        'expected it to grant again after a lease',
      );
    },
  ],
  [
    'does not count again what a holder has heard of it',
    async (store) => {
      const pool = fixed(100);
      const { at } = await store.exchange(exchangeWith(pool, { ...used(30), taken: 5 }));
      const heard = { at, agoMs: 0, used: 90 };
      expectAnswer(await store.exchange(exchangeWith(pool, { taken: 5, heard })), {
        used: 30,
        heldByAll: 5,
      });
    },
  ],
  [
    'counts exactly, up to the largest integers',
    async (store) => {
      const limit = Number.MAX_SAFE_INTEGER;
      const pool = fixed(limit);
      await store.exchange(exchangeWith(pool, used(limit - 2)));
      expectAnswer(await store.exchange(exchangeWith(pool, { ...used(1), atLeast: 1 })), {
        used: limit - 1,
        held: 1,
        heldByAll: 1,
      });
      expectAnswer(await store.exchange(exchangeWith(pool, { holder: 'b', atLeast: 1 })), {
        held: 0,
      });
    },
  ],
  [
    'sums thousands of reports of a window, never to less',
    async (store) => {
      const pool = sliding(1_000_000, 60_000);
      for (let i = 0; i < 300; i++) {
        await store.exchange(exchangeWith(pool, used(3, (i * 7919) % 50_000)));
      }
      expectAnswer(await store.exchange(exchangeWith(pool)), { used: 900 });
    },
  ],
];
