import { describe, expect, test } from 'vitest';

import { memoryStore } from '../../adapters/stores/memory.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { createVirtualClock } from '../../src/testing/virtual-clock.ts';

describe('memoryStore keeps the store contract', () => {
  const cases = storeContract({
    async create() {
      const store = memoryStore();
      return { store, dispose: async () => store.close() };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

test('it takes its time from the clock that it is given', async () => {
  const clock = createVirtualClock();
  const store = memoryStore({ clock });
  await store.set('key', 'value', { ttlMs: 1_000 });
  await clock.advance(999);
  expect(await store.get('key')).toBe('value');
  await clock.advance(1);
  expect(await store.get('key')).toBeUndefined();
});

test('what nobody asks for again is let go', async () => {
  const clock = createVirtualClock();
  const store = memoryStore({ clock });
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 20_000; i++) {
    await store.set(`key ${i}`, 'x'.repeat(10_000) + String(i), { ttlMs: 10 });
    if (i % 10 === 0) await clock.advance(5);
  }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
});
