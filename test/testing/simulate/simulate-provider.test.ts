import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../src/testing/index.ts';
import type { SimulatedCall, SimulateOptions } from '../../../src/testing/index.ts';
import { finish, post } from './helpers.ts';

const URLS = {
  anthropic: 'https://api.anthropic.com/v1/messages',
  openai: 'https://api.openai.com/v1/chat/completions',
  deepseek: 'https://api.deepseek.com/chat/completions',
  gemini:
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-3:streamGenerateContent?alt=sse',
} as const;
const PROVIDERS = Object.keys(URLS) as Array<keyof typeof URLS>;

const request = {
  model: 'claude-sonnet-4-5',
  max_tokens: 10,
  messages: [{ role: 'user', content: 'Hello there' }],
};

function bodyFor(provider: keyof typeof URLS, stream = false): object {
  if (provider === 'gemini')
    return { contents: [{ role: 'user', parts: [{ text: 'Hello there' }] }] };
  return { ...request, ...(stream && { stream }) };
}

const LONG = 'A text that is long enough to come in several pieces, one after another.';

describe('time', () => {
  test.each(PROVIDERS)(
    '%s: a stream begins after firstByteMs and ends after durationMs',
    async (provider) => {
      const clock = createVirtualClock();
      const simulated = simulateProvider({
        provider,
        clock,
        answer: LONG,
        firstByteMs: 700,
        durationMs: 1900,
      });
      const times: number[] = [];
      const read = async (): Promise<void> => {
        const response = await post(simulated, URLS[provider], bodyFor(provider, true));
        times.push(clock.now());
        const { body } = response;
        for await (const _ of body ?? []) times.push(clock.now());
      };
      await finish(clock, read());
      expect(times.slice(0, 2)).toEqual([700, 700]);
      expect(times.at(-1)).toBe(1900);
      expect(times.toSorted((a, b) => a - b)).toEqual(times);
      expect(new Set(times).size).toBe(times.length - 1);
    },
  );

  test('a whole answer comes after durationMs, an error at once', async () => {
    const clock = createVirtualClock();
    const simulated = simulateProvider({ provider: 'anthropic', clock });
    const whole = post(simulated, URLS.anthropic, request).then(() => clock.now());
    const wrong = post(simulated, URLS.anthropic, '{').then(() => clock.now());
    await clock.advance(10_000);
    expect(await Promise.all([whole, wrong])).toEqual([2000, 0]);
  });

  test('without a clock nothing waits, and `now` ages the entries', async () => {
    let now = 0;
    const simulated = simulateProvider({
      provider: 'anthropic',
      now: () => now,
      tokensOf: () => 2000,
      cache: { minTokens: 0 },
    });
    const marked = {
      ...request,
      messages: [
        {
          role: 'user',
          content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }],
        },
      ],
    };
    for (const time of [0, 0, 299_999, 600_000]) {
      now = time;
      await post(simulated, URLS.anthropic, marked);
    }
    expect(simulated.calls.map(({ usage }) => usage?.inputTokens.cacheRead)).toEqual([
      0, 2000, 2000, 0,
    ]);
  });

  test.each([
    { firstByteMs: -1 },
    { firstByteMs: 3000, durationMs: 2000 },
    { durationMs: Infinity },
    { firstByteMs: Number.NaN },
  ])('refuses %j', (times) => {
    expect(() => simulateProvider({ provider: 'anthropic', ...times })).toThrow(RangeError);
  });
});

describe('abort', () => {
  const reason = new Error('given up');

  test('before the call, before the headers and in the body', async () => {
    const clock = createVirtualClock();
    const simulated = simulateProvider({ provider: 'anthropic', clock, answer: LONG });
    const init = (signal: AbortSignal): RequestInit => ({
      method: 'POST',
      body: JSON.stringify({ ...request, stream: true }),
      signal,
    });
    await expect(simulated(URLS.anthropic, init(AbortSignal.abort(reason)))).rejects.toBe(reason);
    expect(simulated.calls).toHaveLength(0);

    const early = new AbortController();
    const call = simulated(URLS.anthropic, init(early.signal));
    const failed = expect(call).rejects.toBe(reason);
    await clock.advance(999);
    early.abort(reason);
    await failed;
    expect(clock.pending).toBe(0);

    const late = new AbortController();
    const response = await finish(clock, simulated(URLS.anthropic, init(late.signal)));
    const text = expect(response.text()).rejects.toBe(reason);
    await clock.advance(500);
    late.abort(reason);
    await text;
    expect(clock.pending).toBe(0);
  });

  test('of a Request, as fetch names it', async () => {
    const clock = createVirtualClock();
    const simulated = simulateProvider({ provider: 'anthropic', clock });
    const controller = new AbortController();
    const body = JSON.stringify(request);
    const call = simulated(
      new Request(URLS.anthropic, { method: 'POST', body, signal: controller.signal }),
    );
    const failed = expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(1);
    controller.abort();
    await failed;
  });

  test('cancelling a body leaves no timer', async () => {
    const clock = createVirtualClock();
    const simulated = simulateProvider({ provider: 'openai', clock, answer: LONG });
    const response = await finish(
      clock,
      post(simulated, URLS.openai, { ...request, stream: true }),
    );
    const reader = response.body?.getReader();
    await reader?.read();
    void reader?.read();
    await clock.advance(0);
    await reader?.cancel();
    expect(clock.pending).toBe(0);
  });
});

describe('what it saw', () => {
  test('is listed, added up and told', async () => {
    const told: SimulatedCall[] = [];
    const simulated = simulateProvider({
      provider: 'anthropic',
      tokensOf: () => 2000,
      answer: ({ call }) => ({ text: 'x', outputTokens: 10 + call }),
      cache: { minTokens: 0 },
      onCall: (call) => told.push(call),
    });
    const parts = (ttl: string): object => ({
      ...request,
      messages: [
        {
          role: 'user',
          content: [{ type: 'text', text: ttl, cache_control: { type: 'ephemeral', ttl } }],
        },
      ],
    });
    for (const ttl of ['5m', '1h', '5m']) await post(simulated, URLS.anthropic, parts(ttl));
    await post(simulated, URLS.anthropic, '?');
    expect(told).toEqual(simulated.calls);
    expect(simulated.calls[2]).toEqual({
      at: 0,
      model: 'claude-sonnet-4-5',
      stream: false,
      status: 200,
      usage: {
        inputTokens: { total: 2000, uncached: 0, cacheRead: 2000, cacheWrite: 0, cacheWrite1h: 0 },
        outputTokens: { total: 12 },
      },
      cache: expect.objectContaining({ read: 2000, hit: 0 }),
      body: parts('5m'),
    });
    expect(simulated.calls[3]).toMatchObject({ status: 400, usage: undefined, cache: undefined });
    expect(simulated.totals()).toEqual({
      calls: 3,
      refused: 1,
      inputTokens: {
        total: 6000,
        uncached: 0,
        cacheRead: 2000,
        cacheWrite: 2000,
        cacheWrite1h: 2000,
      },
      outputTokens: { total: 33 },
    });
  });

  test('an answer may follow from the request, and its fault reaches the caller', async () => {
    const asked: number[] = [];
    const simulated = simulateProvider({
      provider: 'openai',
      answer: ({ body, call }) => {
        asked.push(call);
        return `You sent ${Object.keys(body as object).join(', ')}`;
      },
    });
    await post(simulated, URLS.openai, '{');
    for (let i = 0; i < 2; i++) {
      const response = await post(simulated, URLS.openai, request);
      expect(await response.text()).toContain('You sent model, max_tokens, messages');
    }
    expect(asked).toEqual([0, 1]);
    const wrong = simulateProvider({
      provider: 'openai',
      answer: () => ({ toolCalls: [{ name: 'search', arguments: '{' }] }),
    });
    await expect(post(wrong, URLS.openai, request)).rejects.toThrow('arguments of "search"');
    expect(wrong.calls).toEqual([]);
  });

  test('a scope keeps its entries to itself', async () => {
    const simulated = simulateProvider({
      provider: 'openai',
      tokensOf: () => 5000,
      scope: ({ headers }) => headers.get('authorization') ?? '',
    });
    const body = JSON.stringify({ ...request, model: 'gpt-5.6-sol' });
    for (const authorization of ['a', 'b', 'a']) {
      await simulated(URLS.openai, { method: 'POST', body, headers: { authorization } });
    }
    expect(simulated.calls.map(({ usage }) => usage?.inputTokens.cacheRead)).toEqual([0, 0, 5000]);
  });

  test('another model may answer', async () => {
    const simulated = simulateProvider({ provider: 'openai', model: 'gpt-5.6-sol' });
    const response = await post(simulated, URLS.openai, request);
    expect(await response.json()).toMatchObject({
      model: 'gpt-5.6-sol',
      usage: { prompt_tokens_details: { cache_write_tokens: 0 } },
    });
  });
});

test.each(PROVIDERS)(
  '%s: the same calls give the same bytes, and every call ids of its own',
  async (provider) => {
    const run = async (options: Partial<SimulateOptions> = {}): Promise<string[]> => {
      const simulated = simulateProvider({ provider, answer: LONG, ...options } as SimulateOptions);
      const texts: string[] = [];
      for (const stream of [true, false, true]) {
        const response = await post(simulated, URLS[provider], bodyFor(provider, stream));
        texts.push(JSON.stringify([...response.headers]) + (await response.text()));
      }
      return texts;
    };
    const texts = await run();
    expect(await run()).toEqual(texts);
    expect(new Set(texts).size).toBe(3);
  },
);

test.each(PROVIDERS)('%s: what is not served there is not found', async (provider) => {
  const simulated = simulateProvider({ provider });
  const posted = await post(
    simulated,
    `${new URL(URLS[provider]).origin}/v1/other?key=secret`,
    '{}',
  );
  const got = await simulated(URLS[provider]);
  for (const response of [posted, got]) {
    expect(response.status).toBe(404);
    const text = await response.text();
    expect(JSON.parse(text)).toHaveProperty('error');
    expect(text).not.toContain('secret');
  }
  expect(simulated.totals()).toMatchObject({ calls: 0, refused: 2 });
});

test('SDKs may look at the class of an answer to data:,', async () => {
  expect(await (await simulateProvider({ provider: 'openai' })('data:,x')).text()).toBe('x');
});
