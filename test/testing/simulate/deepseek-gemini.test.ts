import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../src/testing/index.ts';
import type { SimulatedProvider } from '../../../src/testing/index.ts';
import { finish, listed, post } from './helpers.ts';

/** Four characters a token: caches that compare texts need counts that grow with them. */
const quarter = (text: string): number => Math.max(1, Math.ceil(text.length / 4));
const words = Array.from({ length: 4000 }, (_, i) => `word${i}`).join(' ');

describe('DeepSeek through the OpenAI SDK', () => {
  const question = {
    model: 'deepseek-v4-flash',
    messages: [{ role: 'user' as const, content: words }],
  };

  test('tells hits and misses', async () => {
    const clock = createVirtualClock();
    const provider = simulateProvider({ provider: 'deepseek', clock, tokensOf: quarter });
    const client = new OpenAI({
      apiKey: 'test',
      baseURL: 'https://api.deepseek.com',
      fetch: provider,
    });
    const first = await finish(clock, client.chat.completions.create(question));
    await clock.advance(60_000);
    const chunks = await finish(
      clock,
      client.chat.completions
        .create({ ...question, stream: true, stream_options: { include_usage: true } })
        .then(listed),
    );
    expect(first.usage).toMatchObject({ prompt_cache_hit_tokens: 0 });
    const input = first.usage?.prompt_tokens ?? 0;
    const usage = chunks.at(-1)?.usage as unknown as Record<string, number>;
    expect(usage['prompt_cache_hit_tokens']).toBeGreaterThan(input - 128);
    expect(usage).toMatchObject({
      prompt_tokens: input,
      prompt_cache_miss_tokens: input - (usage['prompt_cache_hit_tokens'] ?? 0),
      prompt_tokens_details: { cached_tokens: usage['prompt_cache_hit_tokens'] },
    });
    // Its usage stands in the chunk that ends the answer.
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  test('keeps its answers, tool calls included, for the next turn', async () => {
    const clock = createVirtualClock();
    const provider = simulateProvider({
      provider: 'deepseek',
      clock,
      tokensOf: quarter,
      answer: () => ({
        text: words.slice(0, 8000),
        toolCalls: [{ name: 'f', arguments: { text: words } }],
      }),
    });
    const client = new OpenAI({
      apiKey: 'test',
      baseURL: 'https://api.deepseek.com',
      fetch: provider,
    });
    const { choices, usage } = await finish(clock, client.chat.completions.create(question));
    await clock.advance(60_000);
    const message = choices[0]?.message as OpenAI.ChatCompletionMessage;
    const messages = [...question.messages, message, { role: 'user' as const, content: 'Go on.' }];
    const next = await finish(clock, client.chat.completions.create({ ...question, messages }));
    const read = next.usage?.prompt_tokens_details?.cached_tokens ?? 0;
    expect(read).toBeGreaterThan((usage?.prompt_tokens ?? 0) + 2000);
  });

  test('has errors and ids of its own', async () => {
    const provider = simulateProvider({ provider: 'deepseek' });
    const response = await post(provider, 'https://api.deepseek.com/chat/completions', {
      model: 'm',
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-ds-trace-id')).toBe('0'.repeat(32));
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_request_error', message: expect.stringContaining('messages') },
    });
  });
});

describe('Gemini through the Google SDK', () => {
  const answer = {
    text: 'The weather in Paris is what I shall look up now, and in Rome.',
    toolCalls: [{ name: 'weather', arguments: { city: 'Paris' } }],
    outputTokens: 77,
  };
  const request = { model: 'gemini-2.5-flash', contents: words };
  const clientOf = (fetch: SimulatedProvider): GoogleGenAI =>
    new GoogleGenAI({ apiKey: 'test', httpOptions: { fetch } });

  test('answers whole', async () => {
    const provider = simulateProvider({
      provider: 'gemini',
      answer: () => answer,
      tokensOf: () => 10,
    });
    const response = await clientOf(provider).models.generateContent(request);
    expect(response.candidates).toMatchObject([
      {
        content: { parts: [{ text: answer.text }, { functionCall: { args: { city: 'Paris' } } }] },
        finishReason: 'STOP',
      },
    ]);
    expect(response.modelVersion).toBe('gemini-2.5-flash');
    expect(response.usageMetadata).toMatchObject({
      promptTokenCount: 10,
      candidatesTokenCount: 77,
      totalTokenCount: 87,
    });
  });

  test('streams the same', async () => {
    const provider = simulateProvider({
      provider: 'gemini',
      answer: () => answer,
      tokensOf: () => 10,
    });
    const chunks = await listed(await clientOf(provider).models.generateContentStream(request));
    const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    expect(parts.map(({ text = '' }) => text).join('')).toBe(answer.text);
    expect(parts.at(-1)?.functionCall).toMatchObject({ name: 'weather', args: { city: 'Paris' } });
    expect(chunks.map(({ usageMetadata }) => usageMetadata?.candidatesTokenCount)).toEqual(
      chunks.map((_, index) => (index === chunks.length - 1 ? 77 : undefined)),
    );
    expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe('STOP');
  });

  test('streams one array where no events are asked for', async () => {
    const provider = simulateProvider({ provider: 'gemini', answer: () => answer });
    const url =
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-3:streamGenerateContent';
    const response = await post(provider, url, { contents: [{ parts: [{ text: 'Hi' }] }] });
    expect(response.headers.get('content-type')).toContain('application/json');
    const chunks = (await response.json()) as object[];
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.at(-1)).toMatchObject({
      modelVersion: 'gemini-3',
      candidates: [{ finishReason: 'STOP' }],
    });
  });

  test('has no errors but its own', async () => {
    const provider = simulateProvider({ provider: 'gemini' });
    const url = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3:generateContent';
    const response = await post(provider, url, { contents: [] });
    expect(await response.json()).toMatchObject({
      error: { code: 400, status: 'INVALID_ARGUMENT' },
    });
    const unknown = await post(provider, url.replace(':generate', ':count'), {});
    expect(await unknown.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
  });

  test('keeps shorter prefixes with Gemini 2.5, and nothing of another model', async () => {
    const clock = createVirtualClock();
    const provider = simulateProvider({
      provider: 'gemini',
      clock,
      tokensOf: () => 3000,
      band: 'optimistic',
    });
    const client = clientOf(provider);
    const read: Array<number | undefined> = [];
    for (const model of [
      'gemini-2.5-flash',
      'gemini-2.5-pro',
      'gemini-2.5-flash',
      'gemini-3',
      'gemini-3',
    ]) {
      const call = client.models.generateContent({ model, contents: 'Hi' });
      read.push((await finish(clock, call)).usageMetadata?.cachedContentTokenCount);
    }
    expect(read).toEqual([undefined, undefined, 2999, undefined, undefined]);
  });

  test.each(['pessimistic', 'optimistic'] as const)('caches within a band: %s', async (band) => {
    const clock = createVirtualClock();
    const provider = simulateProvider({ provider: 'gemini', clock, tokensOf: quarter, band });
    const client = clientOf(provider);
    await finish(clock, client.models.generateContent(request));
    const { usageMetadata } = await finish(clock, client.models.generateContent(request));
    const { promptTokenCount = 0, cachedContentTokenCount } = usageMetadata ?? {};
    expect(promptTokenCount).toBeGreaterThan(4096);
    if (band === 'pessimistic') expect(cachedContentTokenCount).toBeUndefined();
    else expect(cachedContentTokenCount).toBe(promptTokenCount - 1);
    expect(provider.calls.at(-1)?.cache?.band).toEqual({
      pessimistic: 0,
      optimistic: promptTokenCount - 1,
    });
  });
});
