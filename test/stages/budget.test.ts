import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, test, vi } from 'vitest';
import { createRouter, isRouterError } from '../../src/index.ts';
import { createVirtualClock } from '../../src/testing/index.ts';
import { calm, DAY_MS, DOLLAR_MODEL, setUp, type Bench } from '../budgets/provider.ts';

/** One budget of so many million tokens of the dollar model. */
const day = (maxUsd: number | string) => ({ window: 'day', maxUsd }) as const;

async function answered(bench: Bench, input: number, output: number): Promise<void> {
  bench.asked[0]?.answer(input, output);
  await calm();
}

describe('what is counted', () => {
  test('a reservation while the call is under way, then exactly its cost', async () => {
    const bench = setUp([day(1)]);
    const done = bench.call(100_000);
    await calm();
    const { reservedUsd, spentUsd } = bench.budget();
    expect(spentUsd).toBe('0');
    expect(Number(reservedUsd)).toBeGreaterThan(0.1);
    expect(Number(reservedUsd)).toBeLessThan(0.11);
    await answered(bench, 10, 1234);
    expect((await done).status).toBe(200);
    expect(bench.budget()).toEqual({
      name: 'budgets[0]',
      window: 'day',
      key: undefined,
      limitUsd: '1',
      spentUsd: '0.001244',
      reservedUsd: '0',
      limitTokens: undefined,
      spentTokens: 0,
      reservedTokens: 0,
      usedShare: 0.001244,
      uncounted: 0,
      resetsAt: '2026-01-02T00:00:00.000Z',
    });
    expect(bench.records[0]?.cost.usd).toBe('0.001244');
  });

  test('tokens alike, and nothing that no budget is for', async () => {
    const bench = setUp([
      { name: 'free', match: { tenant: 'a' }, window: 'month', maxTokens: 5000 },
    ]);
    const calls = [bench.call(100, { context: { tenant: 'a' } }), bench.call(100)];
    await calm();
    await answered(bench, 300, 40);
    await answered(bench, 300, 40);
    const [first, second] = await Promise.all(calls);
    expect(bench.budget()).toMatchObject({
      name: 'free',
      window: 'month',
      spentTokens: 340,
      reservedTokens: 0,
      limitTokens: 5000,
      resetsAt: '2026-02-01T00:00:00.000Z',
    });
    expect(bench.router.snapshot().budgets).toHaveLength(1);
    expect(first?.headers.get('x-tokenrouter-budget-remaining-tokens')).toBe('4660');
    expect(second?.headers.has('x-tokenrouter-budget-remaining-tokens')).toBe(false);
  });

  test('by what a budget counts separately for', async () => {
    const bench = setUp([{ ...day(1), per: ['tenant', 'tag:team'] }]);
    for (const [tenant, team] of [
      ['a', 'x'],
      ['a', 'y'],
      ['b', 'x'],
      ['a', 'x'],
    ] as const) {
      const done = bench.call(100, { context: { tenant, tags: { team } } });
      await calm();
      await answered(bench, 0, 100);
      await done;
    }
    const spent = bench.router.snapshot().budgets.map(({ key, spentUsd }) => [key, spentUsd]);
    expect(spent).toEqual([
      ['tenant=a tag:team=x', '0.0002'],
      ['tenant=a tag:team=y', '0.0001'],
      ['tenant=b tag:team=x', '0.0001'],
    ]);
  });

  test('a call that was aborted, failed or refused leaves nothing reserved', async () => {
    const bench = setUp([day(1)], { retry: { maxAttempts: 3 } });
    const controller = new AbortController();
    const aborted = bench.call(1000, { signal: controller.signal }).catch(() => 'aborted');
    await calm();
    expect(bench.budget().reservedUsd).not.toBe('0');
    controller.abort();
    expect(await aborted).toBe('aborted');
    await calm();
    expect(bench.router.snapshot().budgets).toEqual([]);

    const failed = bench.call(1000);
    for (let attempt = 0; attempt < 3; attempt++) {
      await calm();
      expect(bench.budget().reservedUsd).not.toBe('0');
      bench.asked[0]?.respond(Response.json({ error: {} }, { status: 500 }));
      await bench.clock.advance(10_000);
    }
    expect((await failed).status).toBe(500);
    expect(bench.router.snapshot().budgets).toEqual([]);
  });

  test('a stream that its caller leaves counts what was estimated of it', async () => {
    const bench = setUp([day(1)]);
    const controller = new AbortController();
    const response = bench.router.fetch('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      signal: controller.signal,
      body: JSON.stringify({
        model: DOLLAR_MODEL,
        stream: true,
        max_tokens: 1000,
        messages: [{ role: 'user', content: 'tell me' }],
      }),
    });
    await calm();
    const chunk = { choices: [{ index: 0, delta: { content: 'Once upon a time there was' } }] };
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        stream.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(chunk)}\n\n`));
      },
    });
    bench.asked[0]?.respond(
      new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    );
    const reader = (await response).body?.getReader();
    await reader?.read();
    expect(bench.budget().reservedUsd).not.toBe('0');
    await reader?.cancel();
    await bench.router.flush();
    const [record] = bench.records;
    expect(record?.usage.grade).toBe('estimated');
    expect(Number(record?.cost.usd)).toBeGreaterThan(0);
    expect(bench.budget()).toMatchObject({ spentUsd: record?.cost.usd, reservedUsd: '0' });
  });

  test('an answer of which nobody knows what it cost counts as reserved', async () => {
    const bench = setUp([day(1)]);
    const done = bench.call(1000);
    await calm();
    const { reservedUsd } = bench.budget();
    bench.asked[0]?.respond(new Response('no JSON', { headers: { 'content-type': 'text/plain' } }));
    await done;
    await bench.router.flush();
    const [record] = bench.records;
    if (record?.cost.usd === null) {
      expect(bench.budget()).toMatchObject({ spentUsd: reservedUsd, reservedUsd: '0' });
    } else {
      expect(bench.budget()).toMatchObject({ spentUsd: record?.cost.usd, reservedUsd: '0' });
    }
  });

  test('what identical calls share is charged once, to whose request it is', async () => {
    const bench = setUp([day(1), { ...day(1), name: 'per user', per: ['user'] }]);
    const body = { temperature: 0, messages: [{ role: 'user', content: 'same' }] };
    const calls = ['u1', 'u2', 'u3'].map((user) => bench.call(1000, { body, context: { user } }));
    await calm();
    expect(bench.asked).toHaveLength(1);
    await answered(bench, 10, 90);
    await Promise.all(calls);
    const spent = bench.router.snapshot().budgets.map(({ key, spentUsd }) => [key, spentUsd]);
    expect(spent).toEqual([
      [undefined, '0.0001'],
      ['user=u1', '0.0001'],
    ]);
  });

  test('a budget that is spent for the first of identical calls is not spent for the others', async () => {
    const bench = setUp([{ ...day(0), match: { user: 'poor' } }]);
    const body = { temperature: 0, messages: [{ role: 'user', content: 'same' }] };
    const calls = ['poor', 'rich', 'poor'].map((user) =>
      bench.call(1000, { body, context: { user } }),
    );
    await calm();
    for (const request of bench.asked.slice()) request.answer(1, 1);
    const results = await Promise.all(calls);
    // The third shares what the second asks for, and pays nothing.
    expect(results.map(({ status }) => status)).toEqual([429, 200, 200]);
  });

  test('a middleware that asks twice pays twice', async () => {
    const bench = setUp([day(1)], {
      middleware: [
        async (request, next) => {
          const first = await next(request);
          await first.text();
          return next(request);
        },
      ],
    });
    const done = bench.call(1000);
    await calm();
    await answered(bench, 10, 90);
    await answered(bench, 10, 190);
    expect((await done).status).toBe(200);
    expect(bench.budget()).toMatchObject({ spentUsd: '0.0003', reservedUsd: '0' });
  });
});

describe('what does not fit', () => {
  test('is refused at once when the budget is spent, in the format of the API', async () => {
    const bench = setUp([{ ...day('0.001'), name: 'trial' }]);
    const first = bench.call(100);
    await calm();
    await answered(bench, 0, 1500);
    await first;
    await bench.clock.advance(1000);
    const { status, headers, text } = await bench.call(100);
    expect(status).toBe(429);
    expect(headers.get('x-tokenrouter-error')).toBe('ERR_BUDGET_EXCEEDED');
    expect(headers.get('x-should-retry')).toBe('false');
    expect(headers.get('retry-after')).toBe(String(86_400 - 1));
    expect(headers.get('x-tokenrouter-budget-remaining-usd')).toBe('0');
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'ERR_BUDGET_EXCEEDED', type: 'router_error' },
    });
    expect(text).toContain('"trial\\" (window: day) has spent 0.0015 of 0.001 US dollars');
    expect(text).toContain('resets at 2026-01-02T00:00:00.000Z');
    expect(bench.records.at(-1)).toMatchObject({
      outcome: 'rejected',
      errorCode: 'ERR_BUDGET_EXCEEDED',
      attempt: 0,
    });
  });

  test('is a typed error in the SDKs, which do not ask again', async () => {
    const bench = setUp([day(0)]);
    const { fetch } = bench.router;
    const openai = new OpenAI({ apiKey: 'k', fetch });
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const error: unknown = await openai.chat.completions
      .create({ model: DOLLAR_MODEL, messages })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: 'ERR_BUDGET_EXCEEDED' });
    const anthropic = new Anthropic({ apiKey: 'k', fetch });
    const other: unknown = await anthropic.messages
      .create({ model: DOLLAR_MODEL, max_tokens: 10, messages })
      .catch((reason: unknown) => reason);
    expect(other).toBeInstanceOf(Anthropic.RateLimitError);
    expect(other).toMatchObject({ error: { error: { type: 'rate_limit_error' } } });
    expect(bench.records).toHaveLength(2);
  });

  test('waits while others have reserved the rest, and goes when they are settled', async () => {
    const bench = setUp([day('0.01')]);
    const first = bench.call(8000);
    const second = bench.call(8000);
    await calm();
    expect(bench.asked).toHaveLength(1);
    await bench.clock.advance(1000);
    await answered(bench, 10, 500);
    expect(bench.asked).toHaveLength(1);
    await answered(bench, 10, 500);
    expect((await first).status).toBe(200);
    expect((await second).headers.get('x-tokenrouter-queue-ms')).toBe('1000');
    expect(bench.records[1]?.timing.queuedMs).toBe(1000);
  });

  test('waits in the order in which it came', async () => {
    const bench = setUp([day('0.01')]);
    const calls = [1, 2, 3, 4].map((place) => bench.call(8000 + place).catch(() => 'failed'));
    await calm();
    const order: unknown[] = [];
    for (let turn = 0; turn < 4; turn++) {
      order.push(...bench.asked.map(({ body }) => body['max_tokens']));
      // Nothing is learnt of it, and the next goes alone too.
      bench.asked[0]?.fail();
      await calm();
    }
    await Promise.all(calls);
    expect(order).toEqual([8001, 8002, 8003, 8004]);
  });

  test('small calls pass a large one that waits', async () => {
    const bench = setUp([day('0.1')]);
    void bench.call(60_000);
    const large = bench.call(60_000, { body: { user: 'large' } });
    const small = bench.call(10_000, { body: { user: 'small' } });
    await calm();
    expect(bench.asked.map(({ body }) => body['max_tokens'])).toEqual([60_000, 10_000]);
    bench.asked[1]?.answer(1, 1);
    expect((await small).status).toBe(200);
    await answered(bench, 1, 1);
    await answered(bench, 1, 1);
    expect((await large).status).toBe(200);
  });

  test('a call larger than what is left goes alone, and nothing beside it', async () => {
    const bench = setUp([day('0.01')]);
    const large = bench.call(1_000_000);
    const small = bench.call(1);
    await calm();
    expect(bench.asked).toHaveLength(1);
    expect(bench.budget().reservedUsd).toBe('0.01');
    await answered(bench, 0, 20_000);
    expect((await large).status).toBe(200);
    expect((await small).status).toBe(429);
    expect(bench.budget().spentUsd).toBe('0.02');
  });

  test('waits as long as it may, then is refused', async () => {
    const bench = setUp([{ ...day('0.01'), maxWaitMs: 5000 }]);
    void bench.call(8000);
    const second = bench.call(8000);
    await calm();
    await bench.clock.advance(4999);
    expect(bench.records).toHaveLength(0);
    await bench.clock.advance(1);
    const { status, text, headers } = await second;
    expect(status).toBe(429);
    expect(text).toContain('maxWaitMs');
    expect(headers.has('retry-after')).toBe(false);
    expect(headers.get('x-tokenrouter-queue-ms')).toBe('5000');
    expect(bench.budget().reservedUsd).not.toBe('0');
    await answered(bench, 1, 1);
    expect(bench.budget().reservedUsd).toBe('0');
  });

  test('waits no longer than its deadline, and not at all once its caller is gone', async () => {
    const bench = setUp([day('0.01')]);
    void bench.call(8000);
    const late = bench.call(8000, { context: { deadlineMs: 2000 } });
    const controller = new AbortController();
    const left = bench.call(8000, { signal: controller.signal }).catch((reason: unknown) => reason);
    await calm();
    controller.abort(new Error('gone'));
    expect(await left).toMatchObject({ message: 'gone' });
    await bench.clock.advance(2000);
    const { status, headers } = await late;
    expect(status).toBe(504);
    expect(headers.get('x-tokenrouter-error')).toBe('ERR_DEADLINE');
    await answered(bench, 1, 1);
    expect(bench.asked).toHaveLength(0);
    expect(bench.budget().reservedUsd).toBe('0');
  });

  test('goes when the next window begins', async () => {
    const bench = setUp([{ window: { ms: 10_000 }, maxUsd: '0.01' }]);
    void bench.call(20_000);
    const second = bench.call(8000);
    await calm();
    await bench.clock.advance(9999);
    expect(bench.asked).toHaveLength(1);
    await bench.clock.advance(1);
    expect(bench.asked).toHaveLength(2);
    // What was reserved in the old window is settled there.
    bench.asked[0]?.answer(0, 9999);
    bench.asked[0]?.answer(0, 1000);
    await second;
    expect(bench.budget()).toMatchObject({ spentUsd: '0.001', reservedUsd: '0' });
  });

  test('waits for no one when the router closes', async () => {
    const bench = setUp([day('0.01')]);
    const calls = [bench.call(8000), bench.call(8000)].map((call) =>
      call.catch((reason: unknown) => reason),
    );
    await calm();
    const closed = bench.router.close({ timeoutMs: 100 });
    await bench.clock.advance(100);
    await closed;
    for (const reason of await Promise.all(calls)) {
      expect(reason).toMatchObject({ cause: { code: 'ERR_CLOSED' } });
    }
  });
});

describe('a new day', () => {
  test('begins with nothing spent', async () => {
    const bench = setUp([day('0.001')]);
    const first = bench.call(100);
    await calm();
    await answered(bench, 0, 1000);
    await first;
    expect((await bench.call(100)).status).toBe(429);
    await bench.clock.advance(DAY_MS);
    const second = bench.call(100);
    await calm();
    await answered(bench, 0, 400);
    expect((await second).headers.get('x-tokenrouter-budget-remaining-usd')).toBe('0.0006');
    expect(bench.budget()).toMatchObject({
      spentUsd: '0.0004',
      resetsAt: '2026-01-03T00:00:00.000Z',
    });
  });
});

describe('events', () => {
  test('each share that is passed, once in a window', async () => {
    const bench = setUp([day('0.001')]);
    for (const output of [400, 150, 300, 100, 100]) {
      const done = bench.call(1000);
      await calm();
      await answered(bench, 0, output);
      await done;
    }
    expect(bench.passed.map(({ share, spentUsd }) => [share, spentUsd])).toEqual([
      [0.5, '0.00055'],
      [0.8, '0.00085'],
      [0.9, '0.00095'],
      [1, '0.00105'],
    ]);
  });
});

describe('report', () => {
  test('refuses and delays nothing', async () => {
    const bench = setUp([{ ...day('0.001'), whenExceeded: 'report' }]);
    const calls = Array.from({ length: 5 }, () => bench.call(100_000));
    await calm();
    expect(bench.asked).toHaveLength(5);
    while (bench.asked.length > 0) await answered(bench, 0, 500);
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200);
    expect(bench.budget()).toMatchObject({ spentUsd: '0.0025', usedShare: 2.5 });
    expect(bench.passed.map(({ share }) => share)).toEqual([0.5, 0.8, 0.9, 1]);
  });

  test('counts what has a price, and says how much has none', async () => {
    const bench = setUp([{ ...day(1), whenExceeded: 'report' }]);
    const done = bench.call(100, { body: { model: 'nobody-knows' } });
    await calm();
    await answered(bench, 10, 10);
    expect((await done).status).toBe(200);
    expect(bench.budget()).toMatchObject({ uncounted: 1, spentUsd: '0' });
  });
});

describe('models without a price', () => {
  const body = { model: 'nobody-knows' };

  test('are refused under a budget in dollars that must hold', async () => {
    const bench = setUp([day(1)]);
    const { status, text, headers } = await bench.call(100, { body });
    expect(status).toBe(403);
    expect(headers.get('x-tokenrouter-error')).toBe('ERR_BUDGET_UNPRICED');
    expect(text).toContain('unpriced');
    expect(bench.asked).toHaveLength(0);
  });

  test('count at the stated price', async () => {
    const unpriced = { inputUsdPerMTok: 2, outputUsdPerMTok: '10.5' };
    const bench = setUp([{ ...day(1), unpriced }]);
    const done = bench.call(1000, { body });
    await calm();
    expect(Number(bench.budget().reservedUsd)).toBeGreaterThan(0.0105);
    await answered(bench, 100, 100);
    await done;
    expect(bench.records[0]?.cost.usd).toBeNull();
    expect(bench.budget()).toMatchObject({ spentUsd: '0.00125', reservedUsd: '0' });
  });

  test('are no matter to a budget in tokens', async () => {
    const bench = setUp([{ window: 'day', maxTokens: 1000 }]);
    const done = bench.call(100, { body });
    await calm();
    await answered(bench, 100, 100);
    await done;
    expect(bench.budget().spentTokens).toBe(200);
  });
});

describe('clampMaxTokens', () => {
  const clamped = { ...day('0.01'), clampMaxTokens: true };

  test('lowers the bound to what is left, and only then', async () => {
    const bench = setUp([clamped]);
    const first = bench.call(20_000);
    await calm();
    const bound = Number(bench.asked[0]?.body['max_tokens']);
    expect(bound).toBeGreaterThan(9000);
    expect(bound).toBeLessThanOrEqual(10_000);
    await answered(bench, 10, bound);
    await first;
    expect((await bench.call(20_000)).status).toBe(429);
    expect(Number(bench.budget().spentUsd)).toBeLessThanOrEqual(0.01);
  });

  test('leaves a bound that fits, and all bounds where it is not allowed', async () => {
    const bench = setUp([clamped]);
    void bench.call(500);
    await calm();
    expect(bench.asked[0]?.body['max_tokens']).toBe(500);
    const other = setUp([day('0.01')]);
    void other.call(20_000);
    await calm();
    expect(other.asked[0]?.body['max_tokens']).toBe(20_000);
  });

  test('sets one where there is none and little is left', async () => {
    const bench = setUp([{ ...clamped, maxUsd: '0.001' }]);
    void bench.call();
    await calm();
    const bound = Number(bench.asked[0]?.body['max_completion_tokens']);
    expect(bound).toBeGreaterThan(900);
    expect(bound).toBeLessThan(1000);
  });
});

test('what asks for no answer passes, however much is spent', async () => {
  const sent = vi.fn(async () => Response.json({ data: [] }));
  const router = createRouter({
    clock: createVirtualClock(),
    fetch: sent,
    budgets: [day(0)],
  });
  expect((await router.fetch('https://api.openai.com/v1/models')).status).toBe(200);
  expect((await router.fetch('https://example.com/', { method: 'POST', body: '{}' })).status).toBe(
    200,
  );
  expect(sent).toHaveBeenCalledTimes(2);
});

test('without budgets nothing shows', async () => {
  const bench = setUp([]);
  const done = bench.call(100);
  await calm();
  await answered(bench, 1, 1);
  expect([...(await done).headers.keys()].filter((name) => name.includes('budget'))).toEqual([]);
  expect(bench.router.snapshot().budgets).toEqual([]);
});

test('wrong budgets are refused with their place', () => {
  try {
    createRouter({ budgets: [{ window: 'week' as 'day', maxUsd: 1 }] });
    expect.unreachable();
  } catch (error) {
    expect(isRouterError(error) && error.message).toContain('budgets[0].window');
  }
});

test('a middleware that sends a call twice does not wait for itself', async () => {
  const bench = setUp([day('0.001')], {
    middleware: [
      async (request, next) => {
        await (await next(request)).text();
        return next(request);
      },
    ],
  });
  const done = bench.call(900);
  await calm();
  await answered(bench, 10, 40);
  expect(bench.asked).toHaveLength(1);
  await answered(bench, 10, 60);
  expect((await done).status).toBe(200);
  expect(bench.budget()).toMatchObject({ spentUsd: '0.00012', reservedUsd: '0' });
});

test('a bound within a sixteenth of the budget is reserved in full, whatever others took', async () => {
  const bench = setUp([day('0.02')]);
  for (let i = 0; i < 10; i++) {
    const done = bench.call(1000);
    await calm();
    await answered(bench, 1, 1);
    await done;
  }
  const calls = Array.from({ length: 100 }, () => bench.call(1000));
  await calm();
  // Not the 1000 and more that the size of the answers so far would let through.
  expect(bench.asked.length).toBeLessThan(20);
  while (bench.asked.length > 0) await answered(bench, 1, 1000);
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(bench.spent()).toBeLessThanOrEqual(20_000_000_000n + 1_001_000_000n);
});

test.each([
  ['an earlier answer', { previous_response_id: 'resp_1' }],
  ['a file', { input: [{ type: 'input_file', file_id: 'file-1' }] }],
  ['a search', { tools: [{ type: 'web_search_preview' }] }],
])(
  'input that the body only names, as %s, is reserved as much as there may be',
  async (_, body) => {
    const bench = setUp([day(10)]);
    void bench.call(10, { body }).catch(() => {});
    void bench.call(10, { body: { note: `"file_id": 'previous_response_id'` } }).catch(() => {});
    await calm();
    const reserved = Number(bench.budget().reservedUsd);
    expect(reserved).toBeGreaterThan(0.4);
    expect(reserved).toBeLessThan(0.41);
  },
);

test('tenants of whom nothing was seen are expected to be like the others', async () => {
  const bench = setUp([day(1)]);
  for (let i = 0; i < 4; i++) {
    const done = bench.call(undefined, { context: { tenant: `t${i}` } });
    await calm();
    await answered(bench, 10, 20);
    await done;
  }
  void bench.call(undefined, { context: { tenant: 'new' } }).catch(() => {});
  await calm();
  expect(Number(bench.budget().reservedUsd)).toBeLessThan(0.001);
});
