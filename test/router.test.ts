import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { memorySink } from '../adapters/sinks/memory.ts';
import {
  createRouter,
  isRouterError,
  RouterError,
  type Router,
  type RouterOptions,
  type UsageRecord,
} from '../src/index.ts';
import { createVirtualClock } from '../src/testing/index.ts';

const URL_ = 'https://api.openai.com/v1/chat/completions';
const ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 9, total_tokens: 17 },
};
const BODY = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] });

const answering = (): Promise<Response> =>
  Promise.resolve(Response.json(ANSWER, { headers: { 'x-request-id': 'req_1' } }));

function routerWith(options: RouterOptions = {}): { router: Router; records: UsageRecord[] } {
  const records: UsageRecord[] = [];
  const router = createRouter({ fetch: answering, ...options });
  router.on('usage', (record) => records.push(record));
  return { router, records };
}

const post = (
  fetch: typeof globalThis.fetch,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(URL_, {
    method: 'POST',
    body: BODY,
    headers: { 'content-type': 'application/json', ...headers },
  });

describe('a record', () => {
  test('says all there is to say, and is there when the answer is read', async () => {
    const clock = createVirtualClock({ startAt: Date.UTC(2026, 0, 2, 3, 4, 5) });
    const { router, records } = routerWith({ clock });
    const response = await post(router.fetch);
    await response.json();
    expect(records).toHaveLength(1);
    const [record] = records;
    expect(record).toEqual({
      schemaVersion: 1,
      id: response.headers.get('x-tokenrouter-id'),
      callId: response.headers.get('x-tokenrouter-id'),
      attempt: 1,
      final: true,
      startedAt: '2026-01-02T03:04:05.000Z',
      provider: 'openai',
      api: 'chat.completions',
      requestModel: 'gpt-4o-mini',
      responseModel: 'gpt-4o-mini-2024-07-18',
      stream: false,
      outcome: 'ok',
      status: 200,
      providerRequestId: 'req_1',
      usage: {
        inputTokens: { total: 8, uncached: 8 },
        outputTokens: { total: 9 },
        grade: 'exact',
        raw: ANSWER.usage,
      },
      // gpt-4o-mini: 0.15 and 0.60 dollars a million.
      cost: {
        usd: '0.0000066',
        inputUsd: '0.0000012',
        outputUsd: '0.0000054',
        price: 'exact',
        priceDate: expect.any(String),
      },
      saved: {},
      timing: {
        queuedMs: 0,
        heldMs: 0,
        timeToHeadersMs: 0,
        timeToFirstChunkMs: 0,
        durationMs: 0,
      },
      cache: { prefix: expect.stringMatching(/^[\w-]{22}$/), marks: 0 },
      context: { priority: 'normal' },
    });
    expect(response.headers.get('x-tokenrouter-attempts')).toBe('1');
  });

  test('goes to every sink, and flush waits for it', async () => {
    const sinks = [memorySink(), memorySink()];
    const { router, records } = routerWith({ sinks });
    await (await post(router.fetch)).text();
    await router.flush();
    for (const sink of sinks) expect(sink.records).toEqual(records);
    await router.close();
  });
});

describe('context', () => {
  test('run, with and headers, the nearest to the call wins; tags are joined', async () => {
    const { router, records } = routerWith();
    const bound = router.with({ tenant: 'bound', user: 'bound', tags: { b: '1' } });
    await router.run({ tenant: 'run', user: 'run', session: 'run', tags: { a: '1', b: '0' } }, () =>
      post(bound.fetch, {
        'x-tokenrouter-user': 'header',
        'X-TokenRouter-Tag-c': '1',
        'x-priority': 'urgent',
      }),
    );
    expect(records[0]?.context).toEqual({
      priority: 'urgent',
      tenant: 'bound',
      user: 'header',
      session: 'run',
      tags: { a: '1', b: '1', c: '1' },
    });
  });

  test('run holds across awaits and ends with the function', async () => {
    const { router, records } = routerWith();
    await router.run({ tenant: 'inside' }, async () => {
      await Promise.resolve();
      await post(router.fetch);
    });
    await post(router.fetch);
    expect(records.map((record) => record.context.tenant)).toEqual(['inside', undefined]);
  });

  test('a priority that does not exist is ignored in a header and refused in code', async () => {
    const { router, records } = routerWith();
    await post(router.fetch, { 'x-priority': 'u=1' });
    expect(records[0]?.context.priority).toBe('normal');
    // @ts-expect-error -- what a JavaScript user may write
    expect(() => router.with({ priority: 'highest' })).toThrow(/priority/);
  });
});

describe('wrap', () => {
  test('a client keeps its class and options, and its calls are recorded', async () => {
    const { router, records } = routerWith();
    const client = router.wrap(new OpenAI({ apiKey: 'k', maxRetries: 7 }));
    expect(client).toBeInstanceOf(OpenAI);
    expect(client.maxRetries).toBe(7);
    const answer = await client.chat.completions.create(JSON.parse(BODY) as never);
    expect(answer.choices[0]?.message.content).toBe('Hi');
    expect(records).toMatchObject([{ outcome: 'ok' }]);
  });

  test('a client’s own fetch stays its transport, unless the router was given one', async () => {
    const seen: string[] = [];
    const naming =
      (name: string): typeof fetch =>
      () => {
        seen.push(name);
        return answering();
      };
    const client = new OpenAI({ apiKey: 'k', fetch: naming('client') });
    await createRouter()
      .wrap(client)
      .chat.completions.create(JSON.parse(BODY) as never);
    const given = createRouter({ fetch: naming('router') });
    await given
      .with({ tenant: 't' })
      .wrap(client)
      .chat.completions.create(JSON.parse(BODY) as never);
    expect(seen).toEqual(['client', 'router']);
  });

  test('a client that has the router’s fetch already is counted once', async () => {
    const { router, records } = routerWith();
    const client = new OpenAI({ apiKey: 'k', fetch: router.fetch });
    const bound = createRouter().with({ tenant: 't' }).wrap(client);
    await bound.chat.completions.create(JSON.parse(BODY) as never);
    await router
      .with({ tenant: 'own' })
      .wrap(client)
      .chat.completions.create(JSON.parse(BODY) as never);
    expect(records.map((record) => record.context.tenant)).toEqual([undefined, 'own']);
  });

  test('what cannot be wrapped is refused with the way out', () => {
    const { router } = routerWith();
    expect(() => router.wrap({ chat: {} })).toThrow(/withOptions.*got a Object.*fetch option/s);
    expect(() => router.wrap(null)).toThrow(RouterError);
  });
});

describe('options', () => {
  test.each([
    [{ fetsh: fetch }, /Unrecognized key: "fetsh"/],
    [{ sinks: [{}] }, /expected a sink.*\n.*sinks\[0\]/],
    [{ idleTimeoutMs: '5s' }, /expected number, received string\n.*idleTimeoutMs/],
    [{ delivery: { batchsize: 1 } }, /Unrecognized key: "batchsize"/],
    [{ fetch: 'https://proxy' }, /expected a fetch function/],
    [{ retry: { attempts: 2 } }, /Unrecognized key: "attempts"\n.*retry/],
    [{ limits: [{}] }, /expected a limit or `adaptive`.*\n.*limits\[0\]/],
    [{ schedule: { whenFull: 'wait' } }, /whenFull/],
    [{ dedupe: { mode: 'on' } }, /dedupe\.mode/],
    [null, /expected object/],
  ])('%j', (options, message) => {
    let thrown: unknown;
    try {
      createRouter(options as RouterOptions);
    } catch (error) {
      thrown = error;
    }
    expect(isRouterError(thrown)).toBe(true);
    expect(thrown).toMatchObject({ name: 'RouterError', code: 'ERR_OPTIONS' });
    expect(String(thrown)).toMatch(message);
  });
});

describe('middleware', () => {
  test('sees the request in order, may change it, and the record follows', async () => {
    const order: string[] = [];
    let sent: RequestInit | undefined;
    const { router, records } = routerWith({
      fetch: (_input, init) => {
        sent = init;
        return answering();
      },
      middleware: [
        async (request, next, context) => {
          order.push(`outer ${context.tenant}`);
          const response = await next(request);
          order.push(`outer ${response.status}`);
          return response;
        },
        (request, next) => {
          order.push(`inner ${request.method} ${typeof request.body}`);
          const headers = new Headers(request.headers);
          headers.set('x-added', '1');
          const body = String(request.body).replace('gpt-4o-mini', 'gpt-4o');
          return next({ ...request, headers, body });
        },
      ],
    });
    await post(router.with({ tenant: 'acme' }).fetch);
    expect(order).toEqual(['outer acme', 'inner POST string', 'outer 200']);
    expect(new Headers(sent?.headers).get('x-added')).toBe('1');
    expect(sent?.body).toContain('"gpt-4o"');
    expect(records).toMatchObject([{ requestModel: 'gpt-4o' }]);
  });

  test('two attempts give one final record and one for the other that cost', async () => {
    const { router, records } = routerWith({
      middleware: [
        async (request, next) => {
          await (await next(request)).text();
          return next(request);
        },
      ],
    });
    const response = await post(router.fetch);
    await response.text();
    expect(response.headers.get('x-tokenrouter-attempts')).toBe('2');
    expect(records.map(({ attempt, final }) => ({ attempt, final }))).toEqual([
      { attempt: 1, final: false },
      { attempt: 2, final: true },
    ]);
    expect(new Set(records.map((record) => record.callId)).size).toBe(1);
    expect(new Set(records.map((record) => record.id)).size).toBe(2);
  });

  test('each attempt is recorded for what it asked', async () => {
    const { router, records } = routerWith({
      fetch: (_input, init) => {
        const { model } = JSON.parse(String(init?.body)) as { model: string };
        return Promise.resolve(Response.json({ ...ANSWER, model }));
      },
      middleware: [
        async (request, next) => {
          const body = String(request.body).replace('gpt-4o-mini', 'gpt-4o');
          await (await next({ ...request, body })).text();
          return next(request);
        },
      ],
    });
    await (await post(router.fetch)).text();
    expect(records).toMatchObject([
      { final: false, requestModel: 'gpt-4o', cost: { usd: '0.00011' } },
      { final: true, requestModel: 'gpt-4o-mini', cost: { usd: '0.0000066' } },
    ]);
  });

  test('an answer of its own, or an error, is recorded with nothing sent', async () => {
    const { router, records } = routerWith({
      middleware: [() => Promise.resolve(new Response('cached'))],
    });
    expect(await (await post(router.fetch)).text()).toBe('cached');
    const failing = routerWith({ middleware: [() => Promise.reject(new Error('mine'))] });
    await expect(post(failing.router.fetch)).rejects.toThrow('mine');
    const unsent = { attempt: 0, final: true, cost: { usd: null } };
    expect(records).toMatchObject([{ ...unsent, outcome: 'ok' }]);
    expect(failing.records).toMatchObject([{ ...unsent, outcome: 'rejected' }]);
  });
});

describe('pass-through', () => {
  test('an unknown host goes out with the host’s own arguments and is recorded without usage', async () => {
    const seen: unknown[] = [];
    const { router, records } = routerWith({
      fetch: (...args) => {
        seen.push(...args);
        return Promise.resolve(new Response('pong'));
      },
    });
    const init = { method: 'POST', body: 'ping' };
    expect(await (await router.fetch('https://example.com/ping', init)).text()).toBe('pong');
    expect(seen).toEqual(['https://example.com/ping', init]);
    expect(seen[1]).toBe(init);
    expect(records).toMatchObject([
      { provider: 'example.com', api: 'other', outcome: 'ok', usage: { grade: 'none' } },
    ]);
  });

  test('a response without a body goes back as the transport made it', async () => {
    const made = Object.defineProperty(new Response(null), 'json', {
      value: () => Promise.resolve({ mine: true }),
    });
    const { router, records } = routerWith({ fetch: () => Promise.resolve(made) });
    expect(await post(router.fetch)).toBe(made);
    expect(records).toHaveLength(1);
  });

  test('an adapter that throws costs the call nothing', async () => {
    const { router, records } = routerWith({
      adapters: [
        {
          name: 'broken',
          match() {
            throw new Error('bug');
          },
        },
      ],
    });
    expect((await post(router.fetch)).status).toBe(200);
    expect(records).toMatchObject([{ provider: 'api.openai.com', api: 'other' }]);
  });

  test('a wire that throws costs the call nothing', async () => {
    const bug = (): never => {
      throw new Error('bug');
    };
    const wire = {
      name: 'broken',
      marks: [],
      answer: bug,
      event: bug,
      headers: bug,
      usage: bug,
      outputText: bug,
    };
    const { router, records } = routerWith({
      adapters: [
        { name: 'broken', match: () => ({ provider: 'p', api: 'chat.completions', wire }) },
      ],
    });
    expect(await (await post(router.fetch)).json()).toEqual(ANSWER);
    await router.flush();
    expect(records).toMatchObject([{ provider: 'p', outcome: 'ok', final: true }]);
  });
});

describe('close', () => {
  test('refuses further calls in the format of their API, so that SDKs raise and do not retry', async () => {
    const { router, records } = routerWith();
    await router.close();
    const client = new OpenAI({ apiKey: 'k', fetch: router.fetch });
    await expect(client.chat.completions.create(JSON.parse(BODY) as never)).rejects.toMatchObject({
      status: 503,
      code: 'ERR_CLOSED',
    });
    const anthropic = await router.fetch('https://api.anthropic.com/v1/messages', {
      method: 'POST',
    });
    expect(anthropic.headers.get('x-tokenrouter-error')).toBe('ERR_CLOSED');
    expect(await anthropic.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect(records).toEqual([]);
  });

  test('waits for calls in flight and their records', async () => {
    const sink = memorySink();
    let release = (): void => {};
    const { router } = routerWith({
      sinks: [sink],
      fetch: () => new Promise((resolve) => (release = () => resolve(Response.json(ANSWER)))),
    });
    const call = post(router.fetch);
    await Promise.resolve();
    const closing = router.close();
    expect(router.snapshot().calls.active).toBe(1);
    release();
    await (await call).text();
    await closing;
    expect(sink.records).toMatchObject([{ outcome: 'ok' }]);
  });

  test('after the timeout a call in flight is recorded as aborted', async () => {
    const clock = createVirtualClock();
    const sink = memorySink();
    const { router } = routerWith({
      clock,
      sinks: [sink],
      fetch: () =>
        Promise.resolve(
          new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(3)) }), {
            headers: { 'content-type': 'text/event-stream' },
          }),
        ),
    });
    await post(router.fetch);
    const closing = router.close({ timeoutMs: 1000 });
    await clock.advance(1000);
    await clock.advance(1000);
    await closing;
    expect(sink.records).toMatchObject([{ outcome: 'aborted', final: true }]);
  });

  test.each(['before the headers', 'in mid-body'])(
    'cuts a call off %s: it rejects and is recorded once',
    async (when) => {
      const clock = createVirtualClock();
      const sink = memorySink();
      const body = new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(3)) });
      const { router } = routerWith({
        clock,
        sinks: [sink],
        fetch: () =>
          when === 'in mid-body' ? Promise.resolve(new Response(body)) : new Promise(() => {}),
      });
      const call = post(router.fetch).then((response) => response.text());
      const failed = expect(call).rejects.toMatchObject({ cause: { code: 'ERR_CLOSED' } });
      await clock.advance(1);
      const closing = router.close({ timeoutMs: 1000 });
      await clock.advance(1000);
      await failed;
      await clock.advance(1000);
      await closing;
      expect(sink.records).toMatchObject([{ outcome: 'aborted', final: true }]);
      expect(router.snapshot().calls.active).toBe(0);
    },
  );

  test('await using closes', async () => {
    const sink = memorySink();
    {
      await using router = createRouter({ fetch: answering, sinks: [sink] });
      await (await post(router.fetch)).text();
    }
    expect(sink.records).toHaveLength(1);
  });
});

test('listeners that throw, and those that have left, harm nobody', async () => {
  const { router, records } = routerWith();
  const seen: string[] = [];
  const leave = router.on('usage', () => seen.push('left'));
  router.on('usage', () => {
    throw new Error('mine');
  });
  router.on('usage', () => seen.push('stayed'));
  leave();
  await post(router.fetch);
  expect(seen).toEqual(['stayed']);
  expect(records).toHaveLength(1);
});

test('snapshot counts calls by outcome', async () => {
  const { router } = routerWith({
    fetch: (input) =>
      Promise.resolve(
        new Response('{}', { status: String(input).includes('completions') ? 200 : 404 }),
      ),
  });
  await (await post(router.fetch)).text();
  await (await router.fetch('https://example.com/')).text();
  await router.flush();
  expect(router.snapshot().calls).toEqual({
    active: 0,
    activeStreams: 0,
    finished: { ok: 1, client_error: 1 },
  });
});
