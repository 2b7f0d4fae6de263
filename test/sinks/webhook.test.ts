import type { IncomingHttpHeaders } from 'node:http';
import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { verifyWebhook, webhookSink } from '../../adapters/sinks/webhook/index.ts';
import type { WebhookMessage, WebhookSinkOptions } from '../../adapters/sinks/webhook/index.ts';
import { createRouter } from '../../src/index.ts';
import { createVirtualClock, sampleRecord, sinkContract } from '../../src/testing/index.ts';
import type { UsageRecord } from '../../src/types.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

interface Received {
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  readonly url: string | undefined;
}

/** What the receiver answers next; then 204. */
type Answer = number | readonly [status: number, headers: Record<string, string>] | 'break';

let server: TestServer;
let received: Received[];
let answers: Answer[];
/** Bodies above this are answered 413. */
let limit: number;
beforeEach(async () => {
  received = [];
  answers = [];
  limit = Infinity;
  server = await startServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const answer = body.length > limit ? 413 : (answers.shift() ?? 204);
      received.push({ body, headers: request.headers, url: request.url });
      if (answer === 'break') return void request.socket.destroy();
      const [status, headers] = typeof answer === 'number' ? [answer, {}] : answer;
      response.writeHead(status, headers).end(status === 204 ? undefined : 'an answer');
    });
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const samples = (count: number) => Array.from({ length: count }, () => sampleRecord());

function sinkWith(options: Partial<WebhookSinkOptions> = {}) {
  return webhookSink({ url: `${server.origin}/hook?key=k-1`, secret: SECRET, ...options });
}

const open = ({ body, headers }: Received, secret: string | string[] = SECRET): WebhookMessage =>
  verifyWebhook(body, headers, secret);

/** As receivers are told: verify, then keep the first record of each id. */
function stored(): UsageRecord[] {
  const records = new Map<string, UsageRecord>();
  for (const message of received) {
    for (const record of open(message).records) {
      if (!records.has(record.id)) records.set(record.id, record);
    }
  }
  return [...records.values()];
}

const idsIn = (message: Received): string[] => open(message).records.map(({ id }) => id);

describe.each([false, true])('webhookSink with gzip %j keeps the sink contract', (gzip) => {
  const cases = sinkContract({
    durable: true,
    async create() {
      const sink = sinkWith({ gzip });
      return {
        sink,
        readAll: async () => stored(),
        reopen: async () => sinkWith({ gzip }),
        dispose: async () => sink.close?.(),
      };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('webhookSink messages', () => {
  test('are signed JSON with the headers of Standard Webhooks', async () => {
    const clock = createVirtualClock({ startAt: 1_700_000_000_999 });
    const records = samples(2);
    const sink = sinkWith({ clock, headers: { Authorization: 'Bearer x' } });
    await sink.write(records);
    const [{ body, headers, url }] = received as [Received];
    expect(JSON.parse(body.toString())).toEqual({
      type: 'usage.records',
      schemaVersion: 1,
      records,
    });
    expect(url).toBe('/hook?key=k-1');
    expect(headers).toMatchObject({
      authorization: 'Bearer x',
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[\w-]{32}$/),
      'webhook-timestamp': '1700000000',
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
    });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(verifyWebhook(body, headers, SECRET, { clock })).toEqual({
      id: headers['webhook-id'],
      sentAt: 1_700_000_000_000,
      records,
    });
  });

  test('have the same id for the same records, another one for others', async () => {
    const [a, b] = [samples(3), samples(3)];
    for (const batch of [a, a, b, a.slice(0, 2)]) await sinkWith().write(batch);
    const ids = received.map(({ headers }) => headers['webhook-id']);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });

  test('hold text of prompts and answers only where a record has it', async () => {
    const captured = { request: 'What is it?', answer: 'A secret.' };
    await sinkWith().write([sampleRecord(), sampleRecord({ captured })]);
    const { records } = open(received[0]!);
    expect(records.map((record) => record.captured)).toEqual([undefined, captured]);
  });

  test('are signed with each secret while one replaces another', async () => {
    const next = randomBytes(24).toString('base64');
    await sinkWith({ secret: [SECRET, `whsec_${next}`] }).write(samples(1));
    const [message] = received as [Received];
    expect(open(message, next).id).toBe(open(message).id);
    expect(() => open(message, randomBytes(24).toString('base64'))).toThrow(/no signature/);
  });

  test('when compressed can be verified before and after they are unpacked', async () => {
    const records = samples(50);
    await sinkWith({ gzip: true }).write(records);
    const [{ body, headers }] = received as [Received];
    expect(headers['content-encoding']).toBe('gzip');
    expect(String(headers['webhook-signature']).split(' ')).toHaveLength(2);
    const plain = gunzipSync(body);
    expect(body.length).toBeLessThan(plain.length / 5);
    for (const form of [body, plain, plain.toString()]) {
      expect(verifyWebhook(form, headers, SECRET).records).toEqual(records);
    }
  });

  test.each([
    [0, [3, 3, 1]],
    [-1, [2, 2, 2, 1]],
  ])('fit into maxBodyBytes to the byte: %i', async (more, counts) => {
    const records = samples(7);
    await sinkWith().write(records.slice(0, 3));
    const bytes = received.pop()?.body.length ?? 0;
    await sinkWith({ maxBodyBytes: bytes + more }).write(records);
    expect(received.map((message) => idsIn(message).length)).toEqual(counts);
  });

  test('hold as many records as fit into maxBodyBytes, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 5_000 }),
        async (texts, maxBodyBytes) => {
          received.length = 0;
          const records = texts.map((tenant) =>
            sampleRecord({ context: { priority: 'normal', tenant } }),
          );
          await sinkWith({ maxBodyBytes }).write(records);
          expect(received.flatMap(idsIn)).toEqual(records.map(({ id }) => id));
          for (const [index, message] of received.entries()) {
            const { records: inside } = open(message);
            const isAlone = inside.length === 1;
            if (!isAlone) expect(message.body.length).toBeLessThanOrEqual(maxBodyBytes);
            const next = received[index + 1];
            if (next === undefined) continue;
            const first = Buffer.byteLength(JSON.stringify(open(next).records[0]));
            expect(message.body.length + 1 + first).toBeGreaterThan(maxBodyBytes);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('webhookSink when a message is not taken', () => {
  test.each([301, 307, 400, 401, 404, 410, 413, 429, 500, 503])(
    '%i: rejects with the status and nothing else',
    async (status) => {
      answers = [[status, { location: `${server.origin}/elsewhere` }]];
      const failure = await sinkWith({ headers: { authorization: 'Bearer secret' } })
        .write(samples(1))
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({
        message: `webhookSink: the receiver answered ${status}`,
        code: `HTTP_${status}`,
        status,
      });
      expect(failure).not.toHaveProperty('cause');
      expect(received).toHaveLength(1);
    },
  );

  test('a broken connection: rejects with the code of the network', async () => {
    answers = ['break'];
    await expect(sinkWith().write(samples(1))).rejects.toMatchObject({
      message: 'webhookSink: no answer (UND_ERR_SOCKET)',
      code: 'UND_ERR_SOCKET',
    });
    const nobody = webhookSink({ url: 'http://127.0.0.1:1/?key=k-1', secret: SECRET });
    await expect(nobody.write(samples(1))).rejects.toThrow(/^webhookSink: no answer \(\w+\)$/);
  });

  test('goes on behind the last message that was', async () => {
    const records = samples(6);
    const maxBodyBytes = 2 * JSON.stringify(records[0]).length + 100;
    const sink = sinkWith({ maxBodyBytes });
    answers = [204, 500];
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'HTTP_500' });
    await sink.write(records);
    const ids = records.map(({ id }) => id);
    expect(received.map(idsIn)).toEqual([
      ids.slice(0, 2),
      ids.slice(2, 4),
      ids.slice(2, 4),
      ids.slice(4),
    ]);
    const [, lost, again] = received.map(({ headers }) => headers['webhook-id']);
    expect(again).toBe(lost);
    // What was sent once is sent again when it is asked for once more.
    await sink.write(records.slice(0, 1));
    expect(received).toHaveLength(5);
  });

  test('forgets what arrived of a batch that was given up', async () => {
    const [a, b] = [samples(2), samples(1)];
    const sink = sinkWith({ maxBodyBytes: 1 });
    answers = [204, 500, 500];
    await expect(sink.write(a)).rejects.toMatchObject({ code: 'HTTP_500' });
    await expect(sink.write(b)).rejects.toMatchObject({ code: 'HTTP_500' });
    await sink.write(a);
    const ids = a.map(({ id }) => id);
    expect(received.flatMap(idsIn)).toEqual([...ids, b[0]?.id, ...ids]);
  });

  test('413: smaller ones, until they are taken, and from then on', async () => {
    const records = samples(16);
    const sink = sinkWith();
    limit = 3 * JSON.stringify(records[0]).length;
    await sink.write(records);
    expect(stored()).toEqual(expect.arrayContaining(records));
    const refused = received.filter(({ body }) => body.length > limit).length;
    expect(refused).toBe(3);
    await sink.write(samples(16));
    expect(received.filter(({ body }) => body.length > limit)).toHaveLength(refused);
  });

  test('413 of a single record: rejects', async () => {
    limit = 100;
    await expect(sinkWith().write(samples(1))).rejects.toMatchObject({ code: 'HTTP_413' });
    expect(received).toHaveLength(1);
  });

  test('410: sends nothing any more', async () => {
    const sink = sinkWith({ clock: createVirtualClock() });
    answers = [410];
    for (let i = 0; i < 3; i++) {
      await expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'HTTP_410' });
    }
    expect(received).toHaveLength(1);
  });

  test.each([
    ['seconds', '30', 30_000],
    ['a date', new Date(Date.UTC(2026, 0, 1, 0, 2)).toUTCString(), 120_000],
    ['an hour at most', '86400', 3_600_000],
  ])('retry-after as %s: sends nothing until then', async (_, value, ms) => {
    const clock = createVirtualClock();
    const sink = sinkWith({ clock });
    answers = [[503, { 'retry-after': value }]];
    await expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'HTTP_503' });
    await clock.advance(ms - 1);
    await expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'HTTP_503' });
    expect(received).toHaveLength(1);
    await clock.advance(1);
    await sink.write(samples(1));
    expect(received).toHaveLength(2);
  });

  test.each(['soon', '-5', '0', ''])('retry-after %j: only this message fails', async (value) => {
    answers = [[429, { 'retry-after': value }]];
    const sink = sinkWith();
    await expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'HTTP_429' });
    await sink.write(samples(1));
    expect(received).toHaveLength(2);
  });

  test('in time: rejects, and lets go of the request', async () => {
    const clock = createVirtualClock();
    let isAborted = false;
    const never: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          isAborted = true;
          reject(new Error(`aborted: ${String(init.body)}`));
        });
      });
    const sink = sinkWith({ clock, fetch: never, timeoutMs: 500 });
    const failure = sink.write(samples(1)).catch((error: unknown) => error);
    await clock.advance(499);
    expect(isAborted).toBe(false);
    await clock.advance(1);
    expect(await failure).toMatchObject({
      message: 'webhookSink: no answer within 500 ms',
      code: 'TIMEOUT',
    });
    expect(isAborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('an answer without end: the status is enough, and time is limited', async () => {
    const clock = createVirtualClock();
    const endless: typeof fetch = async () =>
      new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(10_000)) }));
    await sinkWith({ clock, fetch: endless }).write(samples(1));
    expect(clock.pending).toBe(0);
  });
});

describe('webhookSink in a router', () => {
  test('delivers every record, also when the receiver fails for a while', async () => {
    answers = [500, 'break', 429];
    const answer = JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      model: 'gpt-4o-mini',
      choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    });
    const router = createRouter({
      fetch: async () => new Response(answer, { headers: { 'content-type': 'application/json' } }),
      sinks: [sinkWith()],
    });
    for (let i = 0; i < 20; i++) {
      const response = await router.fetch('https://api.openai.com/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify({
          model: 'gpt-4o-mini',
          messages: [{ role: 'user', content: `${i}` }],
        }),
      });
      await response.text();
    }
    await router.close({ timeoutMs: 20_000 });
    expect(router.snapshot().delivery.sinks[0]).toMatchObject({ name: 'webhook', written: 20 });
    expect(stored()).toHaveLength(20);
    expect(received.toString()).not.toContain('content');
  });
});

describe('verifyWebhook', () => {
  const clock = createVirtualClock({ startAt: 1_614_265_330_000 });
  /** The example of the reference implementations (standard-webhooks/standard-webhooks, libraries, 2026-08). */
  const example = {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    body: '{"test": 2432232314}',
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
  };
  const { headers, body, secret } = example;
  const reasonOf = (...args: Parameters<typeof verifyWebhook>): unknown => {
    try {
      return verifyWebhook(...args).records;
    } catch (error) {
      return (error as { reason?: unknown }).reason ?? error;
    }
  };

  test('takes the signature of the reference, whatever the case and the kind of headers', () => {
    const upper = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toUpperCase(), v]));
    const others = 'v1a,x v1,AAAA v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
    const list = { ...headers, 'webhook-signature': `${others} ${headers['webhook-signature']}` };
    for (const each of [headers, upper, new Headers(headers), list]) {
      // It is signed, but no message of a webhookSink.
      expect(reasonOf(body, each, secret, { clock })).toBe('body');
    }
  });

  test.each([
    ['another body', { body: `${body} ` }, 'signature'],
    ['another secret', { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx' }, 'signature'],
    ['another id', { headers: { ...headers, 'webhook-id': 'msg_1' } }, 'signature'],
    ['another time', { headers: { ...headers, 'webhook-timestamp': '1614265331' } }, 'signature'],
    ['no time', { headers: { ...headers, 'webhook-timestamp': 'now' } }, 'headers'],
    ['no signature', { headers: { ...headers, 'webhook-signature': undefined } }, 'headers'],
    ['an empty signature', { headers: { ...headers, 'webhook-signature': '' } }, 'headers'],
    ['a bare version', { headers: { ...headers, 'webhook-signature': 'v1,' } }, 'signature'],
    [
      'another version',
      {
        headers: {
          ...headers,
          'webhook-signature': headers['webhook-signature'].replace('1', '2'),
        },
      },
      'signature',
    ],
  ])('refuses %s', (_, change, reason) => {
    const given = { ...example, ...change };
    expect(reasonOf(given.body, given.headers, given.secret, { clock })).toBe(reason);
  });

  test('refuses what is older or newer than it tolerates', () => {
    const at = (ms: number) => ({ clock: createVirtualClock({ startAt: 1_614_265_330_000 + ms }) });
    for (const ms of [-300_000, 0, 300_000]) {
      expect(reasonOf(body, headers, secret, at(ms))).toBe('body');
    }
    for (const ms of [-300_001, 300_001]) {
      expect(reasonOf(body, headers, secret, at(ms))).toBe('timestamp');
    }
    expect(reasonOf(body, headers, secret, { ...at(-5), toleranceMs: 4 })).toBe('timestamp');
  });

  test('unpacks no more than it is allowed to, and nothing that is not signed', async () => {
    const records = [sampleRecord({ errorCode: 'x'.repeat(100_000) })];
    await sinkWith({ gzip: true }).write(records);
    const [message] = received as [Received];
    expect(reasonOf(message.body, message.headers, SECRET)).toEqual(records);
    expect(reasonOf(message.body, message.headers, SECRET, { maxBytes: 10_000 })).toBe('body');
    expect(reasonOf(gzipSync('{'), message.headers, SECRET)).toBe('signature');
  });
});

describe('webhookSink options', () => {
  test.each([
    { url: 'usage' },
    { url: 'ftp://127.0.0.1/' },
    { url: 'https://name:wordy@127.0.0.1/' },
    { secret: '' },
    { secret: [] },
    { secret: 'whsec_' },
    { secret: 'whsec_not base64 at all, not at all' },
    { secret: randomBytes(23).toString('base64') },
    { secret: randomBytes(65).toString('base64') },
    { secret: undefined },
    { headers: { 'Webhook-Id': 'x' } },
    { headers: { 'content-type': 'text/plain' } },
    { headers: { 'a b': 'wordy' } },
    { headers: { a: 'wordy\nb' } },
    { timeoutMs: 0 },
    { timeoutMs: 2 ** 31 },
    { maxBodyBytes: 1.5 },
    { gzip: 'yes' },
    { fetch: 'x' },
  ])('refuses %j', (options) => {
    const attempt = vi.fn(() => sinkWith(options as object));
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
    const { value } = attempt.mock.results[0] as { value: Error };
    expect(value.message).toMatch(/^webhookSink: \w+ must/);
    expect(value.message).not.toMatch(/wordy|not base64 at all/);
  });
});
