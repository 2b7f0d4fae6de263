import { describe, expect, test } from 'vitest';
import { createRouter, type LimitChange, type RouterOptions } from '../../src/index.ts';
import {
  createSeededRandom,
  createVirtualClock,
  simulateProvider,
  type SimulateOptions,
} from '../../src/testing/index.ts';

const URL = 'https://integrate.api.nvidia.com/v1/chat/completions';

/** A router before a provider that allows five requests a second, and says so only by refusing. */
function setUp(
  provider: Partial<SimulateOptions> = {},
  options: Partial<RouterOptions> = {},
  seed = 1,
) {
  const clock = createVirtualClock();
  const fetch = simulateProvider({
    provider: 'openai',
    clock,
    random: createSeededRandom(seed),
    limits: [{ unit: 'requests', limit: 5, windowMs: 1000 }],
    headers: 'none',
    retryAfter: 1,
    latency: { headMs: 20 },
    ...provider,
  } as SimulateOptions);
  const router = createRouter({ clock, random: createSeededRandom(seed), fetch, ...options });
  const changes: LimitChange[] = [];
  router.on('limit', (change) => changes.push(change));
  const ask = async (content: string) => {
    const response = await router.fetch(URL, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
    });
    await response.text();
    return response;
  };
  /** All at once, and virtual time until each has its answer. */
  const askAll = async (count: number): Promise<readonly Response[]> => {
    let answers: readonly Response[] | undefined;
    void Promise.all(Array.from({ length: count }, (_, i) => ask(`${i}`))).then(
      (all) => (answers = all),
    );
    for (let step = 0; step < 5000 && answers === undefined; step++) await clock.next();
    return answers!;
  };
  return { clock, fetch, router, changes, ask, askAll };
}

describe('sixty calls at once against five a second', () => {
  test.each([
    ['a bucket', { algorithm: 'bucket' }],
    ['a bucket that charges refusals', { algorithm: 'bucket', chargeRefused: true }],
    ['fixed windows', { algorithm: 'fixed-window' }],
    ['fixed windows that charge refusals', { algorithm: 'fixed-window', chargeRefused: true }],
    ['a sliding window', { algorithm: 'sliding-window' }],
    [
      'a sliding window that charges refusals',
      { algorithm: 'sliding-window', chargeRefused: true },
    ],
  ] as const)('%s: all are answered, few are refused on the way', async (_name, kind) => {
    const limits = [{ unit: 'requests', limit: 5, windowMs: 1000, ...kind }] as const;
    const { askAll, clock, fetch } = setUp({ limits });
    const answers = await askAll(60);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 200));
    expect(fetch.totals().refused).toBeLessThanOrEqual(6);
    expect(clock.now()).toBeLessThanOrEqual(15_000);
  });
});

test('a refusal shows in events and in the snapshot', async () => {
  const { askAll, changes, router } = setUp();
  await askAll(30);
  expect(changes[0]).toMatchObject({
    provider: 'nvidia',
    model: 'm',
    state: 'retreat',
    limiter: { name: 'adaptive', state: 'retreat' },
  });
  expect(changes.map(({ state }) => state)).toContain('recover');
  const [lane] = router.snapshot().traffic.lanes;
  expect(lane).toMatchObject({ provider: 'nvidia', model: 'm', inFlight: 0 });
  expect(lane!.account).toMatch(/^[\w-]{8}$/);
  const [limiter] = lane!.limits;
  expect(limiter!.requestsPerMinute).toBeGreaterThan(200);
  expect(limiter!.requestsPerMinute).toBeLessThan(400);
  expect(limiter!.refusedShare).toBeGreaterThan(0);
});

test('without a limit nobody waits long: as many go out with each round trip as came back, and more', async () => {
  const { askAll, clock, fetch } = setUp({ limits: [], latency: { headMs: 600 } });
  await askAll(500);
  expect(fetch.totals().refused).toBe(0);
  expect(clock.now()).toBeLessThanOrEqual(6000);
});

test('calls one after the other never wait, however close they are', async () => {
  const clock = createVirtualClock();
  const router = createRouter({ clock, fetch: async () => Response.json({ usage: {} }) });
  for (let call = 0; call < 50; call++) {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `${call}` }] });
    await router.fetch(URL, { method: 'POST', body }).then((response) => response.text());
  }
  // On a clock that stands still a call that waits for time to pass waits for ever.
  expect(clock.now()).toBe(0);
  expect(router.snapshot().calls.active).toBe(0);
});

test('a spent quota is not asked for twice', async () => {
  let sent = 0;
  const error = { type: 'insufficient_quota', code: 'insufficient_quota', message: 'x' };
  const router = createRouter({
    clock: createVirtualClock(),
    fetch: async () => {
      sent++;
      return Response.json({ error }, { status: 429 });
    },
  });
  const response = await router.fetch('https://api.openai.com/v1/chat/completions', {
    method: 'POST',
    body: '{"model":"gpt-4o","messages":[]}',
  });
  expect(response.status).toBe(429);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(await response.json()).toEqual({ error });
  expect(sent).toBe(1);
});
