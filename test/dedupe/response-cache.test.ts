import { describe, expect, test } from 'vitest';
import { createAnswerTap } from '../../src/answer/tap.ts';
import { Attempt, type AttemptEnd } from '../../src/call.ts';
import type { WholeAnswer } from '../../src/dedupe/flight.ts';
import { createResponseCache } from '../../src/dedupe/response-cache.ts';
import { responseCacheSettings, type ResponseCacheOptions } from '../../src/dedupe/settings.ts';
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts';
import { callOf } from './calls.ts';
import { createPipeline, type Pipeline, type PipelineConfig } from './pipeline.ts';
import {
  chat,
  CHAT_URL,
  CHAT_USD,
  chatAnswer,
  createProvider,
  frame,
  JSON_HEADERS,
  LAST_FRAMES,
  type Provider,
  type Upstream,
} from './provider.ts';

const EVENTS = { 'content-type': 'text/event-stream' };

interface World extends Pipeline {
  readonly clock: VirtualClock;
  readonly provider: Provider;
  /** Asks, lets the provider answer if it is asked, and reads. */
  ask(
    init: RequestInit,
    answer?: (request: Upstream) => void,
  ): Promise<[role: string, text: string]>;
}

function setUp(options: ResponseCacheOptions = {}, config: Partial<PipelineConfig> = {}): World {
  const clock = createVirtualClock();
  const provider = createProvider();
  const responseCache = responseCacheSettings(options);
  const pipeline = createPipeline({ clock, fetch: provider.fetch, responseCache, ...config });
  return {
    ...pipeline,
    clock,
    provider,
    async ask(init, answer = (request) => request.answer()) {
      const before = provider.requests.length;
      const asked = pipeline.router.fetch(CHAT_URL, init);
      await clock.advance(0);
      const request = provider.requests[before];
      if (request !== undefined) answer(request);
      const response = await asked;
      const text = await response.text().catch((error: unknown) => String(error));
      await clock.advance(0);
      return [String(response.headers.get('x-tokenrouter-dedupe')), text];
    },
  };
}

describe('a whole answer', () => {
  test('is given again, and costs nothing', async () => {
    const world = setUp();
    await world.ask(chat('Hi'));
    await world.clock.advance(1000);
    const response = await world.router.fetch(CHAT_URL, chat('Hi'));
    expect(world.provider.requests).toHaveLength(1);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': 'req-1',
      'x-tokenrouter-attempts': '0',
      'x-tokenrouter-dedupe': 'cache',
    });
    expect(response.headers.get('x-tokenrouter-id')).toBe(world.records[1]?.callId);
    expect(await response.json()).toEqual(JSON.parse(chatAnswer()));
    expect(world.records[1]).toMatchObject({
      attempt: 0,
      final: true,
      outcome: 'ok',
      status: 200,
      responseModel: 'gpt-4o-mini-2024-07-18',
      providerRequestId: 'req-1',
      usage: { grade: 'none', inputTokens: {}, outputTokens: {} },
      cost: { usd: '0' },
      saved: { dedupeUsd: CHAT_USD },
      dedupe: { role: 'cache', leaderId: world.records[0]?.callId },
      timing: { timeToHeadersMs: 0, timeToFirstChunkMs: 0, durationMs: 0 },
    });
    expect(world.dedupe.snapshot()).toMatchObject({
      joined: 0,
      fromCache: 1,
      cache: { entries: 1 },
    });
    expect(world.active.size).toBe(0);
    expect(world.clock.pending).toBe(0);
  });

  test('of a stream comes in its chunks', async () => {
    const world = setUp();
    const init = chat('Hi', { stream: true });
    const parts = [frame('a'), frame('b'), LAST_FRAMES];
    const asked = world.router.fetch(CHAT_URL, init);
    await world.clock.advance(0);
    world.provider.only.head(200, EVENTS);
    const first = (await asked).body!.getReader();
    for (const part of parts) {
      const read = first.read();
      world.provider.only.push(part);
      await read;
    }
    world.provider.only.end();
    await world.clock.advance(0);
    for (let time = 0; time < 2; time++) {
      const chunks: string[] = [];
      const response = await world.router.fetch(CHAT_URL, init);
      for await (const chunk of response.body!) chunks.push(Buffer.from(chunk).toString());
      expect(chunks).toEqual(parts);
    }
    const whole = await world.router.fetch(CHAT_URL, init);
    expect(await whole.text()).toBe(parts.join(''));
    expect(world.records.slice(1)).toMatchObject(
      [1, 2, 3].map(() => ({ stream: true, outcome: 'ok', dedupe: { role: 'cache' } })),
    );
  });

  test('is each reader’s own memory', async () => {
    const world = setUp();
    await world.ask(chat('Hi'));
    const bytes = await (await world.router.fetch(CHAT_URL, chat('Hi'))).bytes();
    bytes.fill(0);
    expect(await world.ask(chat('Hi'))).toEqual(['cache', chatAnswer()]);
  });

  test('is kept though nobody has read it', async () => {
    const world = setUp();
    const asked = world.router.fetch(CHAT_URL, chat('Hi'));
    await world.clock.advance(0);
    world.provider.only.answer();
    await asked;
    await world.clock.advance(0);
    expect(await world.ask(chat('Hi'))).toEqual(['cache', chatAnswer()]);
  });

  test('says what it cost also when that took time to count', async () => {
    const world = setUp();
    const { usage: _, ...answer } = JSON.parse(chatAnswer()) as Record<string, unknown>;
    await world.ask(chat('Hi'), (request) => request.answer(JSON.stringify(answer)));
    const [leader] = await world.settled();
    await world.ask(chat('Hi'));
    expect(world.records[1]?.saved).toEqual({ dedupeUsd: leader?.cost.usd });
  });

  test('an abort while it is given again changes nothing', async () => {
    const world = setUp();
    await world.ask(chat('Hi'));
    const abort = new AbortController();
    const response = await world.router.fetch(CHAT_URL, { ...chat('Hi'), signal: abort.signal });
    abort.abort();
    expect(await response.text()).toBe(chatAnswer());
  });
});

describe('by itself', () => {
  const bytes = Buffer.from('{"a":1}');
  const head = {
    status: 200,
    statusText: 'OK',
    headers: new Headers({ 'content-type': 'application/json', 'x-tokenrouter-target': 'a' }),
    url: CHAT_URL,
    redirected: false,
    type: 'basic',
  } as const;

  async function whole(end: AttemptEnd): Promise<WholeAnswer> {
    const payer = await callOf({ init: chat('Hi') });
    const answer = new Attempt(1, 0, payer);
    const { wire } = payer.endpoint;
    const tap = createAnswerTap({ wire: wire!, contentType: 'application/json' });
    tap.push(bytes);
    tap.facts();
    Object.assign(answer, { status: 200, end, tap });
    return { head, chunks: [bytes], answer, payer };
  }

  test('it looks at the time whenever it is asked', async () => {
    let now = 0;
    const clock = { ...createVirtualClock(), now: () => now };
    const cache = createResponseCache(responseCacheSettings({ ttlMs: 10 }), clock);
    cache.keep('key', await whole('complete'));
    const found = [0, 10, 11].map((time) => {
      now = time;
      return cache.get('key') !== undefined;
    });
    expect(found).toEqual([true, true, false]);
  });

  test('it keeps nothing that did not end as it should, nor what was added to one call’s answer', async () => {
    const cache = createResponseCache(responseCacheSettings({}), createVirtualClock());
    cache.keep('cancelled', await whole('cancelled'));
    cache.keep('complete', await whole('complete'));
    expect(cache.get('cancelled')).toBeUndefined();
    expect([...cache.get('complete')!.head.headers]).toEqual([
      ['content-type', 'application/json'],
    ]);
  });
});

describe('bounds', () => {
  test('an answer is too old after its time', async () => {
    const world = setUp({ ttlMs: 1000 });
    await world.ask(chat('Hi'));
    await world.clock.advance(1000);
    expect((await world.ask(chat('Hi')))[0]).toBe('cache');
    await world.clock.advance(1);
    expect((await world.ask(chat('Hi')))[0]).toBe('leader');
    expect(world.clock.pending).toBe(0);
  });

  test('the one not asked for the longest goes first', async () => {
    const world = setUp({ maxEntries: 2 });
    for (const question of ['a', 'b', 'a', 'c']) await world.ask(chat(question));
    expect((await world.ask(chat('a')))[0]).toBe('cache');
    expect((await world.ask(chat('b')))[0]).toBe('leader');
    expect(world.dedupe.snapshot().cache.entries).toBe(2);
  });

  test('so it does when memory is short; what is longer than all of it is not kept', async () => {
    const world = setUp({ maxBytes: 50_000 });
    const long = (length: number) => (request: Upstream) => {
      request.answer(chatAnswer('x'.repeat(length)));
    };
    await world.ask(chat('a'), long(20_000));
    await world.ask(chat('b'), long(20_000));
    expect(world.dedupe.snapshot().cache.entries).toBe(2);
    await world.ask(chat('c'), long(20_000));
    const { entries, bytes } = world.dedupe.snapshot().cache;
    expect(entries).toBe(2);
    expect(bytes).toBeGreaterThan(40_000);
    expect(bytes).toBeLessThanOrEqual(50_000);
    await world.ask(chat('d'), long(60_000));
    expect((await world.ask(chat('c')))[0]).toBe('cache');
    expect((await world.ask(chat('d')))[0]).toBe('leader');
  });

  test('an answer of which the beginning was let go is not kept', async () => {
    const world = setUp({}, { maxBufferBytes: 100 });
    await world.ask(chat('Hi'), (request) => request.answer(chatAnswer('x'.repeat(1000))));
    expect((await world.ask(chat('Hi')))[0]).toBe('leader');
  });

  test('it can be emptied', async () => {
    const world = setUp();
    await world.ask(chat('Hi'));
    world.dedupe.clear();
    expect(world.dedupe.snapshot().cache).toEqual({ entries: 0, bytes: 0 });
    expect((await world.ask(chat('Hi')))[0]).toBe('leader');
  });
});

describe('not kept is', () => {
  const stream = chat('Hi', { stream: true });

  test.each<[string, RequestInit, (request: Upstream) => void]>([
    ['an error', chat('Hi'), (request) => request.answer('{"error":{"code":"no"}}', 500)],
    ['another status', chat('Hi'), (request) => request.answer(chatAnswer(), 201)],
    ['an error in a 200', chat('Hi'), (request) => request.answer('{"error":{"code":"no"}}')],
    ['a cut JSON answer', chat('Hi'), (request) => request.answer(chatAnswer().slice(0, -9))],
    [
      'a stream without its end',
      stream,
      (request) => {
        request.head(200, EVENTS);
        request.push(frame('a'));
        request.end();
      },
    ],
    [
      'an error in a stream',
      stream,
      (request) => {
        request.head(200, EVENTS);
        request.push(`${frame('a')}data: {"error":{"code":"no"}}\n\n${LAST_FRAMES}`);
        request.end();
      },
    ],
    [
      'a stream that breaks off',
      stream,
      (request) => {
        request.head(200, EVENTS);
        request.push(LAST_FRAMES);
        request.fail(new Error('reset'));
      },
    ],
  ])('%s', async (_name, init, answer) => {
    const world = setUp();
    await world.ask(init, answer);
    expect(world.dedupe.snapshot().cache.entries).toBe(0);
    expect((await world.ask(init))[0]).toBe('leader');
  });

  test('what the host cancelled', async () => {
    const world = setUp();
    const asked = world.router.fetch(CHAT_URL, chat('Hi'));
    await world.clock.advance(0);
    world.provider.only.head();
    await (await asked).body?.cancel();
    await world.clock.advance(0);
    expect(world.dedupe.snapshot().cache.entries).toBe(0);
  });

  test.each(['no-store', 'max-age=0, No-Store', 'no-cache'])('what says %s', async (value) => {
    const world = setUp();
    const init = { ...chat('Hi'), headers: { ...JSON_HEADERS, 'Cache-Control': value } };
    await world.ask(init);
    expect((await world.ask(init))[0]).toBe('leader');
    expect(world.dedupe.snapshot().cache.entries).toBe(0);
  });

  test('what may not share', async () => {
    const world = setUp();
    const init = chat('Hi', { temperature: 1 });
    await world.ask(init);
    expect((await world.ask(init))[0]).toBe('null');
    expect(world.dedupe.snapshot().cache.entries).toBe(0);
  });
});

test('another tenant gets no answer of this one’s', async () => {
  const world = setUp();
  await world.ask(chat('Hi'));
  const asked = world.with({ tenant: 'b' }).fetch(CHAT_URL, chat('Hi'));
  await world.clock.advance(0);
  expect(world.provider.requests).toHaveLength(2);
  world.provider.requests[1]?.answer();
  expect((await asked).headers.get('x-tokenrouter-dedupe')).toBe('leader');
});

test('without the option nothing is kept', async () => {
  const world = setUp({}, { responseCache: undefined });
  await world.ask(chat('Hi'));
  expect((await world.ask(chat('Hi')))[0]).toBe('leader');
});
