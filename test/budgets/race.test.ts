/** A thousand calls at once against five dollars, through one router and through four that share a store. */
import { describe, expect, test } from 'vitest';
import { createRouter, type Router } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import type { Store } from '../../src/stores/types.ts';
import {
  createSeededRandom,
  createVirtualClock,
  simulateProvider,
} from '../../src/testing/index.ts';
import { picoDollars } from '../../src/util/usd.ts';

const CALLS = 1000;
const LIMIT = 5_000_000_000_000n;

/** Tokens of an answer. */
const sizes: Readonly<Record<string, (random: number) => number>> = {
  'even sizes': (random) => 100 + Math.floor(random * 4000),
  'short and long ones': (random) => (random < 0.5 ? 100 : 10_000),
  'a few giants': (random) => Math.min(50_000, Math.floor(300 / (1 - random) ** 0.77)),
};

interface Raced {
  readonly spent: bigint;
  readonly largest: bigint;
  readonly statuses: Readonly<Record<string, number>>;
  readonly routers: readonly Router[];
}

/** `away`: the store does not answer from then to then, in milliseconds. */
async function race(
  count: number,
  sizeOf: (random: number) => number,
  away: readonly [number, number] = [Infinity, Infinity],
): Promise<Raced> {
  const clock = createVirtualClock();
  const random = createSeededRandom();
  const provider = simulateProvider({
    provider: 'openai',
    clock,
    firstByteMs: 300,
    durationMs: 2000,
    answer: () => 'word'.repeat(sizeOf(random())),
  });
  const inner = memoryStore({ clock });
  const store: Store = {
    ...inner,
    away: { whenAway: 'share', instances: count },
    exchange: (exchange) =>
      clock.now() >= away[0] && clock.now() < away[1]
        ? Promise.reject(new Error('away'))
        : inner.exchange(exchange),
  };
  const routers = Array.from({ length: count }, (_, place) =>
    createRouter({
      fetch: provider,
      clock,
      random: createSeededRandom(place + 1),
      store: count === 1 ? undefined : store,
      limits: [{ adaptive: false }],
      budgets: [{ window: 'day', maxUsd: 5, maxWaitMs: 600_000 }],
    }),
  );
  let spent = 0n;
  let largest = 0n;
  for (const router of routers) {
    router.on('usage', ({ cost }) => {
      const cents = picoDollars(cost.usd) ?? 0n;
      spent += cents;
      if (cents > largest) largest = cents;
    });
  }
  const statuses: Record<string, number> = {};
  const call = async (place: number): Promise<void> => {
    const controller = new AbortController();
    const response = await routers[place % count]!.fetch(
      'https://api.openai.com/v1/chat/completions',
      {
        method: 'POST',
        signal: controller.signal,
        body: JSON.stringify({
          model: 'gpt-4o',
          stream: place % 3 === 0,
          messages: [{ role: 'user', content: `call ${place} ${'word '.repeat(place % 50)}` }],
        }),
      },
    );
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    if (response.status === 429) {
      expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_BUDGET_EXCEEDED');
    }
    // Some leave in the middle of a stream.
    if (place % 15 === 0) clock.setTimeout(() => controller.abort(), 500);
    await response.text().catch(() => {});
  };
  let isOver = false;
  void Promise.all(Array.from({ length: CALLS }, (_, place) => call(place))).then(() => {
    isOver = true;
  });
  while (!isOver) await clock.advance(100);
  await Promise.all(routers.map((router) => router.flush()));
  return { spent, largest, statuses, routers };
}

describe.each(Object.entries(sizes))('%s', (_name, sizeOf) => {
  test.each([[1], [4]])(
    '%i routers spend five dollars and one call at most',
    async (count) => {
      const { spent, largest, statuses, routers } = await race(count, sizeOf);
      expect(spent).toBeLessThanOrEqual(LIMIT + largest);
      // Nobody is refused before it is spent.
      expect(spent).toBeGreaterThanOrEqual(LIMIT);
      expect(Object.keys(statuses)).toEqual(['200', '429']);
      for (const router of routers) {
        for (const { reservedUsd } of router.snapshot().budgets) expect(reservedUsd).toBe('0');
      }
    },
    60_000,
  );
});

test.each([
  ['comes back', [4000, 9000]],
  ['is away for good', [4000, Infinity]],
  ['was never there', [0, Infinity]],
] as const)(
  'a store that %s lets nobody spend more than its share',
  async (_name, away) => {
    const { spent, largest, routers } = await race(4, sizes['even sizes']!, away);
    expect(spent).toBeLessThanOrEqual(LIMIT + BigInt(routers.length) * largest);
    expect(spent).toBeGreaterThan(LIMIT / 3n);
  },
  60_000,
);
