import type { ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { Agent } from 'undici';
import { describe, expect, test } from 'vitest';
import { openaiCompatible } from '../../adapters/openai-compatible/index.ts';
import { createRouter, type RouterOptions, type UsageRecord } from '../../src/index.ts';
import { createSeededRandom, createVirtualClock } from '../../src/testing/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createPipeline, type Pipeline } from '../dedupe/pipeline.ts';
import {
  chat,
  CHAT_URL,
  chatAnswer,
  createProvider,
  frame,
  LAST_FRAMES,
  textOf,
} from '../dedupe/provider.ts';
import { startServer } from '../helpers/server.ts';

/** Real connections: undici on one side, Node's HTTP server on the other. */

interface Served extends Pipeline {
  readonly url: string;
  /** Answers that the server has begun and not ended. */
  readonly open: readonly ServerResponse[];
  /** Resolves when so many requests have come. */
  arrived(count: number): Promise<void>;
}

async function serve(use: (served: Served) => Promise<void>): Promise<void> {
  const open: ServerResponse[] = [];
  let onRequest = (): void => {};
  await using server = await startServer((request, response) => {
    request.resume();
    request.on('end', () => {
      open.push(response);
      onRequest();
    });
  });
  const dispatcher = new Agent();
  const baseURL = `${server.origin}/v1`;
  const pipeline = createPipeline({
    clock: systemClock,
    dispatcher,
    adapters: [openaiCompatible({ baseURL })],
  });
  try {
    await use({
      ...pipeline,
      url: `${baseURL}/chat/completions`,
      open,
      arrived: async (count) => {
        while (open.length < count) await new Promise<void>((resolve) => (onRequest = resolve));
      },
    });
  } finally {
    await dispatcher.close();
  }
}

describe('over HTTP', () => {
  test.each([false, true])('20 identical calls are one request, streamed: %s', async (stream) => {
    await serve(async ({ router, url, open, arrived, settled, active, dedupe }) => {
      const asked = Array.from({ length: 20 }, () => router.fetch(url, chat('Hi', { stream })));
      await arrived(1);
      const [response] = open;
      response!.writeHead(200, {
        'content-type': stream ? 'text/event-stream' : 'application/json',
      });
      const parts = stream ? [frame('Hel'), frame('lo.'), LAST_FRAMES] : [chatAnswer()];
      response!.flushHeaders();
      const answers = await Promise.all(asked);
      const texts = answers.map((answer) => answer.text());
      for (const part of parts) {
        response!.write(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
      response!.end();
      expect(new Set(await Promise.all(texts))).toEqual(new Set([parts.join('')]));
      expect(open).toHaveLength(1);
      const records = await settled();
      expect(records.map(({ dedupe: share }) => share?.role)).toEqual([
        'leader',
        ...Array.from({ length: 19 }, () => 'follower'),
      ]);
      expect(records.every(({ outcome }) => outcome === 'ok')).toBe(true);
      expect(active.size).toBe(0);
      expect(dedupe.snapshot().inFlight.requests).toBe(0);
    });
  });

  test('the connection ends with the last caller, and not before', async () => {
    await serve(async ({ router, url, open, arrived, settled }) => {
      const aborts = [new AbortController(), new AbortController()];
      const asked = aborts.map(({ signal }) =>
        router.fetch(url, { ...chat('Hi', { stream: true }), signal }),
      );
      await arrived(1);
      const [response] = open;
      let isClosed = false;
      const closed = new Promise<void>((resolve) => {
        response!.once('close', () => {
          isClosed = true;
          resolve();
        });
      });
      response!.writeHead(200, { 'content-type': 'text/event-stream' });
      response!.write(frame('one'));
      const [first, second] = await Promise.all(asked);
      const failed = expect(first!.text()).rejects.toThrow('leave');
      const reader = second!.body!.getReader();
      await reader.read();
      aborts[0]!.abort(new Error('leave'));
      await failed;
      response!.write(frame('two'));
      expect(await textOf(reader)).toBe(frame('two'));
      expect(isClosed).toBe(false);
      aborts[1]!.abort(new Error('leave as well'));
      await expect(reader.read()).rejects.toThrow('leave as well');
      await closed;
      const records = await settled();
      expect(records.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [0, 'aborted'],
        [1, 'aborted'],
      ]);
    });
  });

  test('with the OpenAI client', async () => {
    await serve(async ({ router, url, open, arrived }) => {
      const client = new OpenAI({
        apiKey: 'key',
        baseURL: url.replace('/chat/completions', ''),
        fetch: router.fetch,
      });
      const ask = async (): Promise<string> => {
        const stream = await client.chat.completions.create({
          model: 'gpt-4o-mini',
          temperature: 0,
          stream: true,
          messages: [{ role: 'user', content: 'Hi' }],
        });
        let text = '';
        for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
        return text;
      };
      const asked = [ask(), ask(), ask()];
      await arrived(1);
      open[0]!.writeHead(200, { 'content-type': 'text/event-stream' });
      open[0]!.end(frame('Hel') + frame('lo.') + LAST_FRAMES);
      expect(await Promise.all(asked)).toEqual(['Hello.', 'Hello.', 'Hello.']);
      expect(open).toHaveLength(1);
    });
  });
});

describe('through the router', () => {
  function setUp(options: RouterOptions = {}) {
    const clock = createVirtualClock();
    const provider = createProvider();
    const router = createRouter({
      clock,
      random: createSeededRandom(),
      fetch: provider.fetch,
      ...options,
    });
    const records: UsageRecord[] = [];
    router.on('usage', (record) => records.push(record));
    const ask = (init: RequestInit = chat('Hi')): Promise<Response> => router.fetch(CHAT_URL, init);
    return { clock, provider, router, records, ask };
  }

  test('bodies are alike when they mean the same', async () => {
    const { clock, provider, router, records, ask } = setUp();
    const init = chat('Hi');
    const members: Record<string, unknown> = JSON.parse(String(init.body));
    const reversed = JSON.stringify(Object.fromEntries(Object.entries(members).toReversed()));
    const asked = [ask(init), ask({ ...init, body: reversed })];
    await clock.advance(0);
    provider.only.answer();
    for (const response of await Promise.all(asked))
      expect(await response.text()).toBe(chatAnswer());
    expect(records.map(({ dedupe }) => dedupe?.role)).toEqual(['leader', 'follower']);
    expect(router.snapshot().dedupe).toMatchObject({
      joined: 1,
      inFlight: { requests: 0, calls: 0 },
    });
    await router.close();
  });

  test('what is tried again is tried again once for all', async () => {
    const { clock, provider, router, records, ask } = setUp();
    const asked = Array.from({ length: 20 }, () => ask());
    await clock.advance(0);
    provider.only.answer('{"error":{"code":"slow_down"}}', 503);
    while (provider.requests.length < 2) await clock.next();
    provider.requests[1]?.answer();
    for (const response of await Promise.all(asked))
      expect(await response.text()).toBe(chatAnswer());
    expect(provider.requests).toHaveLength(2);
    const final = records.filter((record) => record.final);
    expect(final.map(({ attempt }) => attempt)).toEqual([
      2,
      ...Array.from({ length: 19 }, () => 0),
    ]);
    expect(final.every(({ outcome }) => outcome === 'ok')).toBe(true);
    await router.close();
  });

  test('a failure that stays goes to all, once', async () => {
    const { clock, provider, router, records, ask } = setUp({ retry: { maxAttempts: 1 } });
    const asked = Array.from({ length: 20 }, () => ask());
    await clock.advance(0);
    provider.only.answer('{"error":{"code":"no"}}', 400);
    for (const response of await Promise.all(asked)) expect(response.status).toBe(400);
    await clock.advance(0);
    expect(provider.requests).toHaveLength(1);
    expect(records.map(({ outcome }) => outcome)).toEqual(asked.map(() => 'client_error'));
    await router.close();
  });

  test('closing ends what is shared, and leaves nothing', async () => {
    const { clock, provider, router, records, ask } = setUp({ responseCache: {} });
    const answered = ask(chat('Ho'));
    await clock.advance(0);
    provider.only.answer();
    await (await answered).text();
    const asked = Array.from({ length: 3 }, () => ask());
    for (const each of asked) each.catch(() => {});
    await clock.advance(10);
    expect(router.snapshot().dedupe).toMatchObject({
      inFlight: { requests: 1, calls: 3 },
      cache: { entries: 1 },
    });
    const closed = router.close({ timeoutMs: 100 });
    await clock.advance(100);
    await closed;
    for (const each of asked) await expect(each).rejects.toMatchObject({ message: 'fetch failed' });
    expect(provider.requests[1]?.isAborted).toBe(true);
    expect(records.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['ok', 1],
      ['aborted', 0],
      ['aborted', 0],
      ['aborted', 1],
    ]);
    expect(router.snapshot().dedupe).toMatchObject({
      inFlight: { requests: 0, calls: 0 },
      cache: { entries: 0 },
    });
    expect(clock.pending).toBe(0);
  });
});
