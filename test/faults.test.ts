import type { IncomingMessage, ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { memorySink } from '../adapters/sinks/memory.ts';
import { createRouter, type RouterOptions, type Sink, type UsageRecord } from '../src/index.ts';
import { createVirtualClock } from '../src/testing/index.ts';
import { startServer } from './helpers/server.ts';

/**
 * What goes wrong on real connections: the host's call is right or fails as with plain fetch, nothing hangs, and the one
 * final record says what happened.
 */

const PATH = '/v1/chat/completions';
const EVENT_STREAM = { 'content-type': 'text/event-stream' };
const BODY = JSON.stringify({
  model: 'gpt-4o-mini',
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: 'user', content: 'Count to three.' }],
});

const delta = (content: string): string =>
  `data: ${JSON.stringify({ model: 'gpt-4o-mini', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const FINISH = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`;
const USAGE = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 } })}\n\n`;
const DONE = 'data: [DONE]\n\n';

type Respond = (response: ServerResponse, request: IncomingMessage) => void;

interface Exchange {
  readonly fetch: typeof globalThis.fetch;
  readonly url: string;
  /** All records, once nothing is being counted any more. */
  readonly records: () => Promise<UsageRecord[]>;
}

async function against(
  respond: Respond,
  use: (exchange: Exchange) => Promise<void>,
  options: RouterOptions = {},
): Promise<void> {
  await using server = await startServer((request, response) => {
    request.resume();
    request.on('end', () => {
      respond(response, request);
    });
  });
  // What is looked at is one request.
  await using router = createRouter({ retry: { maxAttempts: 1 }, ...options });
  const records: UsageRecord[] = [];
  router.on('usage', (record) => records.push(record));
  await use({
    fetch: router.fetch,
    url: server.origin + PATH,
    records: async () => {
      await router.flush();
      return records;
    },
  });
}

const post = ({ fetch, url }: Exchange, init: RequestInit = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body: BODY,
    headers: { 'content-type': 'application/json' },
    ...init,
  });

const isFinal = { final: true, attempt: 1 };

describe('the connection', () => {
  test('is reset before the headers', async () => {
    await against(
      (_response, request) => request.socket.destroy(),
      async (exchange) => {
        await expect(post(exchange)).rejects.toMatchObject({ message: 'fetch failed' });
        expect(await exchange.records()).toMatchObject([
          {
            ...isFinal,
            outcome: 'network_error',
            errorCode: 'UND_ERR_SOCKET',
            usage: { grade: 'none' },
          },
        ]);
      },
    );
  });

  test('is refused', async () => {
    await against(
      () => {},
      async (exchange) => {
        const nobody = { ...exchange, url: `http://127.0.0.1:1${PATH}` };
        await expect(post(nobody)).rejects.toMatchObject({ message: 'fetch failed' });
        expect(await exchange.records()).toMatchObject([
          { ...isFinal, outcome: 'network_error', errorCode: 'ECONNREFUSED' },
        ]);
      },
    );
  });

  test('is reset in the middle of a stream: what came is estimated', async () => {
    await against(
      (response, request) => {
        response.writeHead(200, EVENT_STREAM);
        response.write(delta('one two three four five six'));
        setImmediate(() => request.socket.destroy());
      },
      async (exchange) => {
        const response = await post(exchange);
        await expect(response.text()).rejects.toMatchObject({ message: 'terminated' });
        const [record] = await exchange.records();
        expect(record).toMatchObject({ ...isFinal, outcome: 'network_error', status: 200 });
        expect(record?.usage).toMatchObject({ grade: 'estimated', outputTokens: { total: 6 } });
        expect(record?.cost).toMatchObject({ price: 'unpriced' });
      },
    );
  });

  test('ends cleanly, the stream does not: truncated', async () => {
    await against(
      (response) => response.writeHead(200, EVENT_STREAM).end(delta('one') + delta(' two')),
      async (exchange) => {
        const text = await (await post(exchange)).text();
        expect(text).toBe(delta('one') + delta(' two'));
        expect(await exchange.records()).toMatchObject([
          {
            ...isFinal,
            outcome: 'truncated',
            errorCode: 'ERR_STREAM_TRUNCATED',
            usage: { grade: 'estimated', outputTokens: { total: 2 } },
          },
        ]);
      },
    );
  });

  test('a finish reason without [DONE] and without a final blank line is an end', async () => {
    await against(
      (response) =>
        response.writeHead(200, EVENT_STREAM).end(delta('one') + FINISH + USAGE.trimEnd()),
      async (exchange) => {
        await (await post(exchange)).text();
        expect(await exchange.records()).toMatchObject([
          { ...isFinal, outcome: 'ok', usage: { grade: 'exact', outputTokens: { total: 3 } } },
        ]);
      },
    );
  });
});

describe('the host', () => {
  const endless: Respond = (response) => {
    response.writeHead(200, EVENT_STREAM);
    response.write(delta('one two three'));
  };

  test('aborts before the headers', async () => {
    const controller = new AbortController();
    await against(
      () => {
        controller.abort();
      },
      async (exchange) => {
        await expect(post(exchange, { signal: controller.signal })).rejects.toMatchObject({
          name: 'AbortError',
        });
        expect(await exchange.records()).toMatchObject([
          { ...isFinal, outcome: 'aborted', usage: { grade: 'none' } },
        ]);
      },
    );
  });

  test('aborts before the call', async () => {
    await against(endless, async (exchange) => {
      await expect(post(exchange, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        name: 'AbortError',
      });
      // Nothing was sent, so there is no attempt.
      expect(await exchange.records()).toMatchObject([
        { attempt: 0, final: true, outcome: 'aborted' },
      ]);
    });
  });

  test('aborts in mid-stream: the provider still bills, so it is estimated', async () => {
    await against(endless, async (exchange) => {
      const controller = new AbortController();
      const response = await post(exchange, { signal: controller.signal });
      const reader = response.body!.getReader();
      await reader.read();
      controller.abort();
      await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
      const [record] = await exchange.records();
      expect(record).toMatchObject({ ...isFinal, outcome: 'aborted', status: 200 });
      expect(record?.usage).toMatchObject({ grade: 'estimated', outputTokens: { total: 3 } });
      expect(record?.usage.inputTokens.total).toBeGreaterThan(4);
    });
  });

  test('aborts while a body waits unread, over a fetch of its own', async () => {
    const router = createRouter({
      fetch: () => Promise.resolve(new Response(new Blob([new Uint8Array(1_000_000)]).stream())),
    });
    const records: UsageRecord[] = [];
    router.on('usage', (record) => records.push(record));
    const controller = new AbortController();
    const response = await router.fetch('http://localhost/file', { signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort();
    await expect(response.text()).rejects.toMatchObject({ name: 'AbortError' });
    expect(records).toMatchObject([{ outcome: 'aborted', final: true }]);
    expect(router.snapshot().calls.active).toBe(0);
  });

  test('cancels the body', async () => {
    await against(endless, async (exchange) => {
      const response = await post(exchange);
      await response.body!.cancel();
      expect(await exchange.records()).toMatchObject([{ ...isFinal, outcome: 'aborted' }]);
    });
  });

  test('leaves after [DONE], as SDKs do, which is no abort', async () => {
    await against(
      (response) => {
        response.writeHead(200, EVENT_STREAM);
        response.write(delta('one') + FINISH + USAGE + DONE);
      },
      async (exchange) => {
        const response = await post(exchange);
        for await (const chunk of response.body!) {
          if (Buffer.from(chunk).includes('[DONE]')) break;
        }
        expect(await exchange.records()).toMatchObject([
          { ...isFinal, outcome: 'ok', usage: { grade: 'exact' } },
        ]);
      },
    );
  });

  test('throws an error away unread', async () => {
    await against(
      (response) =>
        response
          .writeHead(429, { 'content-type': 'application/json' })
          .end('{"error":{"type":"requests","code":"rate_limit_exceeded"}}'),
      async (exchange) => {
        const response = await post(exchange);
        await response.body?.cancel();
        expect(await exchange.records()).toMatchObject([
          { ...isFinal, outcome: 'rate_limited', status: 429, usage: { grade: 'none' } },
        ]);
      },
    );
  });
});

describe('the answer', () => {
  test.each([
    ['is a page', '<html>busy</html>', 200, 'ok'],
    ['is JSON cut off', '{"model":"m","choices":[{"message":{"content":"hel', 200, 'truncated'],
    ['is empty', '', 200, 'truncated'],
    [
      'is an error in a 200',
      '{"error":{"code":502,"message":"secret prompt"}}',
      200,
      'server_error',
    ],
    ['is a plain 500', 'Internal Server Error', 500, 'server_error'],
  ])('%s', async (_name, body, status, outcome) => {
    await against(
      (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      async (exchange) => {
        expect(await (await post(exchange)).text()).toBe(body);
        const all = await exchange.records();
        expect(all).toMatchObject([{ ...isFinal, status, outcome }]);
        // What could not be read is unknown, and costs nobody knows what.
        expect(all[0]?.usage.outputTokens.total).toBeUndefined();
        expect(all[0]?.cost.usd).toBeNull();
        expect(JSON.stringify(all)).not.toContain('secret');
      },
    );
  });

  test('fails in mid-stream inside a 200', async () => {
    const error =
      'event: error\ndata: {"error":{"type":"overloaded_error","message":"secret"}}\n\n';
    await against(
      (response) => response.writeHead(200, EVENT_STREAM).end(delta('one') + error),
      async (exchange) => {
        expect(await (await post(exchange)).text()).toBe(delta('one') + error);
        const all = await exchange.records();
        expect(all).toMatchObject([
          {
            ...isFinal,
            outcome: 'overloaded',
            errorCode: 'overloaded_error',
            usage: { grade: 'estimated', outputTokens: { total: 1 } },
          },
        ]);
        expect(JSON.stringify(all)).not.toContain('secret');
      },
    );
  });

  test('an error event does not make a placeholder exact', async () => {
    const start = {
      type: 'message_start',
      message: { model: 'claude-sonnet-4-5', usage: { input_tokens: 100, output_tokens: 1 } },
    };
    const text = {
      type: 'content_block_delta',
      delta: { type: 'text_delta', text: 'one two three' },
    };
    const error = { type: 'error', error: { type: 'overloaded_error' } };
    const stream = [start, text, error]
      .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join('');
    const router = createRouter({
      fetch: () => Promise.resolve(new Response(stream, { headers: EVENT_STREAM })),
    });
    const records: UsageRecord[] = [];
    router.on('usage', (record) => records.push(record));
    const init = { method: 'POST', body: BODY };
    await (await router.fetch('https://api.anthropic.com/v1/messages', init)).text();
    await router.flush();
    expect(records).toMatchObject([
      {
        outcome: 'overloaded',
        usage: { grade: 'partial', inputTokens: { total: 100 }, outputTokens: { total: 3 } },
        cost: { price: 'approximate' },
      },
    ]);
  });

  test('stalls: the read fails after idleTimeoutMs, and not before', async () => {
    const clock = createVirtualClock();
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from(delta('one two'))),
    });
    const router = createRouter({
      clock,
      idleTimeoutMs: 5000,
      fetch: () => Promise.resolve(new Response(stream, { headers: EVENT_STREAM })),
    });
    const records: UsageRecord[] = [];
    router.on('usage', (record) => records.push(record));
    const response = await router.fetch(`http://localhost${PATH}`, { method: 'POST', body: BODY });
    const reader = response.body!.getReader();
    await reader.read();
    const read = reader.read().catch((error: unknown) => error);
    await clock.advance(4999);
    expect(records).toEqual([]);
    await clock.advance(2);
    expect(await read).toMatchObject({
      message: 'terminated',
      cause: { code: 'ERR_STREAM_STALLED' },
    });
    await router.flush();
    expect(records).toMatchObject([
      { outcome: 'stalled', errorCode: 'ERR_STREAM_STALLED', usage: { grade: 'estimated' } },
    ]);
    expect(clock.pending).toBe(0);
  });

  test('is not called stalled while it is the host who does not read', async () => {
    const clock = createVirtualClock();
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ < 40) controller.enqueue(new Uint8Array(16 * 1024));
        else controller.close();
      },
    });
    const router = createRouter({
      clock,
      idleTimeoutMs: 1000,
      fetch: () => Promise.resolve(new Response(stream)),
    });
    const response = await router.fetch('http://localhost/file');
    await clock.advance(60_000);
    // Backpressure: the source was not drained meanwhile.
    expect(sent).toBeLessThan(15);
    expect((await response.arrayBuffer()).byteLength).toBe(40 * 16 * 1024);
    expect(clock.pending).toBe(0);
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, garbage not counted. */
function held(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('200 MB pass in constant memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const total = 200;
  await against(
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      let sent = 0;
      const more = (): void => {
        while (sent < total) {
          sent++;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end('{"usage":{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11}}');
      };
      response.write('{"model":"m","choices":[{"message":{"content":"');
      more();
    },
    async (exchange) => {
      const response = await post(exchange);
      let bytes = 0;
      let highest = 0;
      const start = held();
      for await (const part of response.body!) {
        bytes += part.byteLength;
        if (bytes % (16 * chunk.length) < part.byteLength) {
          highest = Math.max(highest, held() - start);
        }
      }
      expect(bytes).toBeGreaterThan(total * chunk.length);
      // Sockets of both sides, the queue and the tap; the test's server is in this process too.
      expect(highest).toBeLessThan(64 * 1024 * 1024);
      expect(await exchange.records()).toMatchObject([{ ...isFinal, status: 200 }]);
    },
  );
}, 30_000);

test('10,000 calls at once: each gets its own answer and its own record', async () => {
  const count = 10_000;
  const sink = memorySink({ maxRecords: count });
  const router = createRouter({
    sinks: [sink],
    delivery: { maxMemoryRecords: count },
    fetch: async (_input, init) => {
      const { seed } = JSON.parse(String(init?.body)) as { seed: number };
      await new Promise(setImmediate);
      return Response.json({
        model: `m-${seed}`,
        usage: { prompt_tokens: seed, completion_tokens: 1, total_tokens: seed + 1 },
      });
    },
  });
  const models = await Promise.all(
    Array.from({ length: count }, async (_, seed) => {
      const response = await router.fetch(`http://localhost${PATH}`, {
        method: 'POST',
        body: JSON.stringify({ model: 'm', seed }),
      });
      return ((await response.json()) as { model: string }).model;
    }),
  );
  expect(models).toEqual(models.map((_, seed) => `m-${seed}`));
  await router.close();
  expect(sink.records).toHaveLength(count);
  expect(new Set(sink.records.map((record) => record.callId)).size).toBe(count);
  expect(sink.records.reduce((sum, record) => sum + (record.usage.inputTokens.total ?? 0), 0)).toBe(
    (count * (count - 1)) / 2,
  );
  expect(router.snapshot().calls).toMatchObject({ active: 0, finished: { ok: count } });
}, 30_000);

test('a loop of nothing but promises loses no record', async () => {
  const sink = memorySink({ maxRecords: 1e5 });
  const router = createRouter({
    sinks: [sink],
    delivery: { maxMemoryRecords: 100, batchSize: 10 },
    fetch: () =>
      Promise.resolve(Response.json({ usage: { prompt_tokens: 1, completion_tokens: 1 } })),
  });
  for (let call = 0; call < 500; call++) {
    await router.fetch(`http://localhost${PATH}`, { method: 'POST', body: BODY });
  }
  await router.close();
  expect(sink.records).toHaveLength(500);
});

describe('a sink', () => {
  const faulty: Record<string, () => Sink> = {
    'that rejects': () => ({ name: 'faulty', write: () => Promise.reject(new Error('down')) }),
    'that throws': () => ({
      name: 'faulty',
      write() {
        throw new Error('bug');
      },
    }),
    'that blocks for ever': () => ({ name: 'faulty', write: () => new Promise(() => {}) }),
    'whose close rejects': () => ({
      name: 'faulty',
      write: () => Promise.resolve(),
      close: () => Promise.reject(new Error('stuck')),
    }),
  };

  test.each(Object.keys(faulty))('%s delays no call, no other sink and no close', async (name) => {
    const clock = createVirtualClock();
    const good = memorySink();
    const router = createRouter({
      clock,
      sinks: [faulty[name]!(), good],
      fetch: () =>
        Promise.resolve(Response.json({ usage: { prompt_tokens: 1, completion_tokens: 1 } })),
    });
    const drops: unknown[] = [];
    router.on('drop', (drop) => drops.push(drop));
    for (let call = 0; call < 3; call++) {
      const response = await router.fetch(`http://localhost${PATH}`, {
        method: 'POST',
        body: BODY,
      });
      expect(response.status).toBe(200);
    }
    const closing = router.close({ timeoutMs: 2000 });
    for (let second = 0; second < 5; second++) await clock.advance(1000);
    await closing;
    expect(good.records).toHaveLength(3);
    if (name !== 'whose close rejects') {
      expect(drops).toEqual([{ sink: 'faulty', reason: 'closed', count: 3 }]);
    }
  });
});
