/** What a provider tells one router holds for the others that share its store. */
import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../adapters/stores/memory.ts';
import { createRouter, type Store } from '../../src/index.ts';
import { createSeededRandom, createVirtualClock } from '../../src/testing/index.ts';

const OK = {
  model: 'm',
  choices: [{ finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

function setUp(makeStore: (store: Store) => Store = (store) => store) {
  const clock = createVirtualClock({ startAt: Date.UTC(2026, 10, 21) });
  const store = makeStore(memoryStore({ clock }));
  const sent: Array<readonly [router: number, at: number]> = [];
  let refuses = false;
  const routers = [0, 1].map((number) =>
    createRouter({
      clock,
      store,
      random: createSeededRandom(number),
      retry: { maxAttempts: 1 },
      fetch: async () => {
        sent.push([number, clock.now()]);
        return refuses
          ? Response.json({ error: {} }, { status: 429, headers: { 'retry-after': '10' } })
          : Response.json(OK);
      },
    }),
  );
  const ask = async (number: number, key = 'k'): Promise<number> => {
    const answer = routers[number]!.fetch('https://integrate.api.nvidia.com/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
    });
    let status: number | undefined;
    void answer.then((response) => (status = response.status));
    for (let step = 0; step < 1000 && status === undefined; step++) await clock.next();
    return status ?? 0;
  };
  return { clock, sent, ask, refuse: (does: boolean) => (refuses = does) };
}

/** The first router is refused; both have been at work before. */
async function refuseFirst(bench: ReturnType<typeof setUp>): Promise<number> {
  const { clock, ask, refuse } = bench;
  await ask(0);
  await ask(1);
  await clock.advance(1500);
  refuse(true);
  expect(await ask(0)).toBe(429);
  refuse(false);
  return clock.now();
}

describe('a router that shares a store', () => {
  test('stays away as long as another was told to', async () => {
    const bench = setUp();
    const refusedAt = await refuseFirst(bench);
    // It looks beside this call, and knows with the next.
    expect(await bench.ask(1)).toBe(200);
    expect(await bench.ask(1)).toBe(200);
    const [before, after] = bench.sent.slice(-2).map(([, at]) => at - refusedAt);
    expect(before).toBeLessThan(1000);
    expect(after).toBeGreaterThanOrEqual(9_990);
    expect(after).toBeLessThan(10_600);
  });

  test('goes on with other credentials', async () => {
    const bench = setUp();
    const refusedAt = await refuseFirst(bench);
    await bench.ask(1, 'other');
    await bench.ask(1, 'other');
    expect(bench.sent.at(-1)![1] - refusedAt).toBeLessThan(1000);
  });

  test('goes on where the store says nothing', async () => {
    const bench = setUp((store) => ({
      ...store,
      get: () => Promise.reject(new Error('away')),
      set: () => new Promise(() => {}),
    }));
    const refusedAt = await refuseFirst(bench);
    await bench.ask(1);
    await bench.ask(1);
    expect(bench.sent.at(-1)![1] - refusedAt).toBeLessThan(1000);
  });
});
