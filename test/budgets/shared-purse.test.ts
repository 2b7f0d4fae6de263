import { describe, expect, test } from 'vitest';
import { Budget } from '../../src/budgets/budget.ts';
import type { Purse } from '../../src/budgets/purse.ts';
import { compileBudget } from '../../src/budgets/rules.ts';
import { sharedPurses } from '../../src/budgets/shared-purse.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { createRouterPools } from '../../src/stores/router-pools.ts';
import type { AwayOptions, Store } from '../../src/stores/types.ts';
import {
  createSeededRandom,
  createVirtualClock,
  type VirtualClock,
} from '../../src/testing/index.ts';

interface Shared {
  readonly clock: VirtualClock;
  readonly purses: readonly Purse[];
  readonly woken: number[];
  /** Whether the store answers. */
  isUp: boolean;
}

/** One budget of a microdollar, as several routers have it. */
function share(count: number, away?: AwayOptions): Shared {
  const clock = createVirtualClock();
  const inner = memoryStore({ clock });
  const rule = compileBudget({ window: 'day', maxUsd: '0.000001' }, 0);
  const woken: number[] = Array.from({ length: count }, () => 0);
  const shared: Shared = { clock, purses: [], woken, isUp: true };
  const store: Store = {
    ...inner,
    away,
    exchange: (exchange) =>
      shared.isUp ? inner.exchange(exchange) : Promise.reject(new Error('away')),
  };
  const purses = Array.from({ length: count }, (_, place) => {
    const pools = createRouterPools({ store, clock, random: createSeededRandom(place + 1) });
    const openPurse = sharedPurses(pools, clock, () => {
      woken[place]!++;
    });
    return openPurse(new Budget(rule, 'k', undefined, openPurse), 'usd', {
      startsAt: clock.wallNow(),
      endsAt: clock.wallNow() + 86_400_000,
    });
  });
  return Object.assign(shared, { purses });
}

/** Asks until there is an answer other than `wait`. */
async function got(shared: Shared, place: number, amount: bigint): Promise<bigint | 'spent'> {
  for (let round = 0; round < 100; round++) {
    const offer = shared.purses[place]!.offer(amount, true, true);
    if (offer !== 'wait') return offer;
    await shared.clock.advance(100);
  }
  throw new Error('waited in vain');
}

describe('several routers', () => {
  test('have one limit together, in whole nano-dollars rounded up', async () => {
    const shared = share(2);
    const [a, b] = shared.purses;
    expect(a!.limit).toBe(1_000_000n);
    expect(await got(shared, 0, 599_001n)).toBe(600_000n);
    a!.take(600_000n);
    expect(a!.reserved).toBe(600_000n);
    expect(b!.offer(500_000n, false, true)).toBe('wait');
    await shared.clock.advance(4000);
    expect(await got(shared, 1, 400_000n)).toBe(400_000n);
  });

  test('what is spent is exact, and seen by the others', async () => {
    const shared = share(2);
    const [a, b] = shared.purses;
    for (let call = 0; call < 10; call++) {
      const offer = await got(shared, 0, 50_000n);
      if (offer === 'spent') throw new Error('spent');
      a!.take(offer);
      a!.settle(0n, 10_123n);
      a!.settle(offer, 0n);
    }
    expect(a!.spent).toBe(101_230n);
    expect(a!.reserved).toBe(0n);
    expect(await got(shared, 1, 1000n)).toBe(1000n);
    await shared.clock.advance(3000);
    // Less than a nano-dollar is carried by the one who spent it.
    expect(b!.spent).toBe(101_000n);
    a!.settle(0n, 1_000_000n);
    await shared.clock.advance(3000);
    expect(await got(shared, 1, 1000n)).toBe('spent');
  });

  test('who needs more than is left gets it when nobody else has anything', async () => {
    const shared = share(2);
    const [a, b] = shared.purses;
    const offer = await got(shared, 0, 100_000n);
    a!.take(offer === 'spent' ? 0n : offer);
    expect(b!.offer(5_000_000n, true, true)).toBe('wait');
    await shared.clock.advance(5000);
    expect(b!.offer(5_000_000n, true, true)).toBe('wait');
    a!.settle(100_000n, 40_000n);
    expect(await got(shared, 1, 5_000_000n)).toBe(960_000n);
    expect(shared.woken[1]).toBeGreaterThan(0);
  });
});

test('without the store each has its share, and then nothing', async () => {
  const shared = share(4, { whenAway: 'share', instances: 4 });
  shared.isUp = false;
  const [a] = shared.purses;
  a!.offer(1_000n, true, true);
  await shared.clock.advance(1000);
  const offer = await got(shared, 0, 1_000_000n);
  if (offer === 'spent') throw new Error('spent');
  expect(offer).toBeGreaterThan(100_000n);
  expect(offer).toBeLessThanOrEqual(250_000n);
  a!.take(offer);
  a!.settle(offer, 250_000n);
  await shared.clock.advance(1000);
  expect(a!.offer(1000n, true, true)).toBe('wait');
  shared.isUp = true;
  await shared.clock.advance(60_000);
  expect(await got(shared, 0, 500_000n)).toBe(500_000n);
});
