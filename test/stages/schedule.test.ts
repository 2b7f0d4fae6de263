import { describe, expect, test } from 'vitest';
import { memorySink } from '../../adapters/sinks/memory.ts';
import { createRouter, type RouterOptions } from '../../src/index.ts';
import { createSeededRandom, createVirtualClock } from '../../src/testing/index.ts';

const URL = 'https://api.openai.com/v1/chat/completions';
const ANSWER = {
  id: 'x',
  model: 'gpt-4o',
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
};

/** A router over a provider that takes 100 ms for each answer, one at a time unless told otherwise. */
function setUp(options: Partial<RouterOptions> = {}) {
  const clock = createVirtualClock();
  const sink = memorySink();
  const sent: string[] = [];
  let underWay = 0;
  let most = 0;
  const router = createRouter({
    limits: [{ adaptive: false, concurrency: 1 }],
    ...options,
    clock,
    random: createSeededRandom(1),
    sinks: [sink],
    fetch: async (_input, init) => {
      sent.push(JSON.parse(String(init?.body)).messages[0].content);
      most = Math.max(most, ++underWay);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
      underWay--;
      return Response.json(ANSWER);
    },
  });
  const ask = (content: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    router
      .fetch(URL, {
        method: 'POST',
        headers: { authorization: 'Bearer k', ...headers },
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
        ...(signal && { signal }),
      })
      .then(async (response) => ({ response, body: await response.text() }));
  return { clock, sink, sent, router, ask, most: () => most };
}

const low = { 'x-priority': 'low' };
const high = { 'x-priority': 'high' };
const urgent = { 'x-tokenrouter-priority': 'urgent' };

test('the most urgent goes first, and in one priority who came first', async () => {
  const { ask, clock, sent, most, router } = setUp();
  const all = [
    ask('first'),
    ask('low 1', low),
    ask('normal 1'),
    ask('normal 2'),
    ask('high', high),
    ask('urgent', urgent),
    ask('low 2', low),
  ];
  await clock.advance(1000);
  await Promise.all(all);
  expect(sent).toEqual(['first', 'urgent', 'high', 'normal 1', 'normal 2', 'low 1', 'low 2']);
  expect(most()).toBe(1);
  await router.close();
  expect(clock.pending).toBe(0);
});

test('what waited says how long, in the record and in a header', async () => {
  const { ask, clock, sink, router } = setUp();
  const [first, second] = [ask('a'), ask('b')];
  await clock.advance(300);
  expect((await first).response.headers.get('x-tokenrouter-queue-ms')).toBe('0');
  expect((await second).response.headers.get('x-tokenrouter-queue-ms')).toBe('100');
  await router.close();
  expect(sink.records.map(({ timing }) => timing.queuedMs)).toEqual([0, 100]);
});

describe('a full queue', () => {
  test('refuses, in the format of the API', async () => {
    const { ask, clock, router, sink } = setUp({ schedule: { maxQueue: 1 } });
    const all = [ask('a'), ask('b')];
    const { response, body } = await ask('c');
    expect(response.status).toBe(503);
    expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_FULL');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('x-tokenrouter-id')).toMatch(/^[\w-]{36}$/);
    expect(JSON.parse(body).error).toMatchObject({
      code: 'ERR_QUEUE_FULL',
      message: expect.stringContaining('schedule.maxQueue: 1'),
    });
    await clock.advance(300);
    await Promise.all(all);
    await router.close();
    expect(sink.records[0]).toMatchObject({
      outcome: 'rejected',
      errorCode: 'ERR_QUEUE_FULL',
      attempt: 0,
      final: true,
    });
    expect(sink.records).toHaveLength(3);
  });

  test('lets pass what was asked to pass', async () => {
    const { ask, clock, most } = setUp({ schedule: { maxQueue: 0, whenFull: 'passthrough' } });
    const all = [ask('a'), ask('b'), ask('c')];
    await clock.advance(100);
    expect((await Promise.all(all)).map(({ response }) => response.status)).toEqual([
      200, 200, 200,
    ]);
    expect(most()).toBe(3);
  });

  test('drops the latest of the least urgent for somebody more urgent', async () => {
    const { ask, clock, sent } = setUp({ schedule: { maxQueue: 2, whenFull: 'drop-lowest' } });
    const all = [ask('a'), ask('low 1', low), ask('low 2', low), ask('high', high)];
    const dropped = await all[2]!;
    expect(dropped.response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_FULL');
    expect((await ask('low 3', low)).response.status).toBe(503);
    await clock.advance(1000);
    await Promise.all(all);
    expect(sent).toEqual(['a', 'high', 'low 1']);
  });
});

describe('waiting too long', () => {
  test('ends for low priority after 2 s under a limit of the user’s own', async () => {
    const { ask, clock } = setUp({ limits: [{ adaptive: false, requestsPerMinute: 1 }] });
    const all = [ask('a'), ask('b', low)];
    await clock.advance(1999);
    let answered = 0;
    void all[1]!.then(() => answered++);
    await clock.advance(0);
    expect(answered).toBe(0);
    await clock.advance(1);
    const { response, body } = await all[1]!;
    expect(response.status).toBe(503);
    expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_TIMEOUT');
    expect(body).toContain('2000 ms');
  });

  test('ends for all after maxWaitMs', async () => {
    const { ask, clock, router } = setUp({
      limits: [{ adaptive: false, requestsPerMinute: 1 }],
      schedule: { maxWaitMs: 500 },
    });
    const all = [ask('a'), ask('b')];
    await clock.advance(500);
    expect((await all[1]!).response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_TIMEOUT');
    expect(router.snapshot().traffic.lanes[0]!.waiting.normal).toBe(0);
  });
});

describe('a deadline', () => {
  test('that cannot be met is refused at once', async () => {
    const { ask, clock, sent } = setUp({ limits: [{ adaptive: false, requestsPerMinute: 1 }] });
    const first = ask('a');
    await clock.advance(100);
    await first;
    const { response } = await ask('b', { 'x-tokenrouter-deadline-ms': '5000' });
    expect(response.status).toBe(504);
    expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_DEADLINE');
    expect(sent).toEqual(['a']);
  });

  test('that passes in the queue ends the wait', async () => {
    const { ask, clock } = setUp();
    const all = [ask('a'), ask('b', { 'x-tokenrouter-deadline-ms': '50' })];
    await clock.advance(50);
    expect((await all[1]!).response.status).toBe(504);
  });

  test('that passes while the request is under way ends it', async () => {
    const { ask, clock, sink, router } = setUp();
    const call = ask('a', { 'x-tokenrouter-deadline-ms': '50' });
    await clock.advance(50);
    expect((await call).response.status).toBe(504);
    expect(clock.now()).toBe(50);
    await clock.advance(100);
    await router.close();
    expect(sink.records).toMatchObject([
      { outcome: 'timeout', errorCode: 'ERR_DEADLINE', attempt: 1, final: true },
    ]);
  });

  test('that is met changes nothing', async () => {
    const { ask, clock, router } = setUp();
    const call = ask('a', { 'x-tokenrouter-deadline-ms': '500' });
    await clock.advance(1000);
    expect((await call).response.status).toBe(200);
    await router.close();
    expect(clock.pending).toBe(0);
  });
});

test('an abort in the queue leaves no trace', async () => {
  const { ask, clock, router, sink, sent } = setUp();
  const controller = new AbortController();
  const all = [ask('a'), ask('b', {}, controller.signal), ask('c')];
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(all[1]).rejects.toBe(reason);
  await clock.advance(300);
  await Promise.all([all[0], all[2]]);
  expect(sent).toEqual(['a', 'c']);
  await router.close();
  expect(clock.pending).toBe(0);
  expect(sink.records.map(({ outcome }) => outcome).sort()).toEqual(['aborted', 'ok', 'ok']);
});

test('a permit is held until the last byte, and given back when the body is cancelled', async () => {
  const clock = createVirtualClock();
  let sent = 0;
  const router = createRouter({
    clock,
    limits: [{ adaptive: false, concurrency: 1 }],
    fetch: async () => {
      sent++;
      return new Response(new ReadableStream({ pull() {} }), {
        headers: { 'content-type': 'text/event-stream' },
      });
    },
  });
  const ask = () =>
    router.fetch(URL, { method: 'POST', body: '{"model":"m","stream":true,"messages":[]}' });
  const first = await ask();
  const second = ask();
  await clock.advance(10_000);
  expect(sent).toBe(1);
  await first.body!.cancel();
  await second;
  expect(sent).toBe(2);
  const closed = router.close({ timeoutMs: 0 });
  await clock.advance(10);
  await closed;
});

test('a tenant at its own limit does not keep others waiting', async () => {
  const { ask, clock, sent } = setUp({
    limits: [{ adaptive: false }, { match: { tenant: 'a' }, concurrency: 1 }],
  });
  const a = { 'x-tokenrouter-tenant': 'a' };
  const all = [ask('a1', a), ask('a2', a), ask('b1', { 'x-tokenrouter-tenant': 'b' }), ask('c1')];
  await clock.advance(50);
  expect(sent).toEqual(['a1', 'b1', 'c1']);
  await clock.advance(500);
  await Promise.all(all);
  expect(sent).toEqual(['a1', 'b1', 'c1', 'a2']);
});

test('what a limit shared by two models gives back goes to whoever waits, whatever the model', async () => {
  const { clock, router, sent } = setUp({
    limits: [{ adaptive: false }, { per: ['provider'], concurrency: 1 }],
  });
  const ask = (model: string) =>
    router.fetch(URL, {
      method: 'POST',
      body: JSON.stringify({ model, messages: [{ role: 'user', content: model }] }),
    });
  const all = [ask('gpt-4o'), ask('gpt-5')];
  await clock.advance(99);
  expect(sent).toEqual(['gpt-4o']);
  await clock.advance(101);
  await Promise.all(all);
  expect(sent).toEqual(['gpt-4o', 'gpt-5']);
});

test('close refuses those that wait when its time is up', async () => {
  const { ask, clock, router } = setUp({ limits: [{ adaptive: false, requestsPerMinute: 1 }] });
  const all = [ask('a'), ask('b')];
  all[1]!.catch(() => {});
  await clock.advance(100);
  await all[0];
  const closed = router.close({ timeoutMs: 1000 });
  await clock.advance(1000);
  await clock.advance(2000);
  await closed;
  await expect(all[1]).rejects.toThrow('fetch failed');
  expect(clock.pending).toBe(0);
});

test('requests that no provider bills do not wait', async () => {
  const clock = createVirtualClock();
  const router = createRouter({
    clock,
    limits: [{ adaptive: false, requestsPerMinute: 1 }],
    fetch: async () => Response.json({ data: [] }),
  });
  for (let i = 0; i < 3; i++) {
    const response = await router.fetch('https://api.openai.com/v1/models');
    expect(response.status).toBe(200);
  }
});

describe('update', () => {
  test('of the queue’s size drops nobody who waits, and turns the next away', async () => {
    const { ask, clock, router } = setUp({ schedule: { maxQueue: 3 } });
    const all = [ask('a'), ask('b'), ask('c'), ask('d')];
    await clock.advance(0);
    expect(router.update({ schedule: { maxQueue: 1 } })).toEqual({ changed: ['schedule'] });
    expect((await ask('e')).response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_FULL');
    await clock.advance(1000);
    expect((await Promise.all(all)).map(({ response }) => response.status)).toEqual([
      200, 200, 200, 200,
    ]);
  });

  test('says what it cannot change', () => {
    const { router } = setUp();
    expect(() => router.update({ sinks: [] } as object)).toThrow(
      /Unrecognized key: "sinks".*Only schedule and retry/s,
    );
  });
});

test('an urgent call that joins a waiting low one takes it along to the front', async () => {
  const { clock, router, sent } = setUp();
  const ask = (content: string, priority: string) =>
    router.fetch(URL, {
      method: 'POST',
      headers: { 'x-priority': priority },
      body: JSON.stringify({
        model: 'gpt-4o',
        temperature: 0,
        messages: [{ role: 'user', content }],
      }),
    });
  const all = [ask('first', 'normal'), ask('shared', 'low'), ask('other', 'high')];
  all.push(ask('shared', 'urgent'));
  await clock.advance(1000);
  const answers = await Promise.all(all);
  expect(sent).toEqual(['first', 'shared', 'other']);
  expect(answers.map(({ headers }) => headers.get('x-tokenrouter-dedupe'))).toEqual([
    'leader',
    'leader',
    'leader',
    'follower',
  ]);
});
