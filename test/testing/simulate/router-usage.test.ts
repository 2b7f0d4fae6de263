/** What the router's adapters read out of simulated answers is what the simulator meant. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRouter, type UsageRecord } from '../../../src/index.ts';
import {
  createSeededRandom,
  createVirtualClock,
  simulateProvider,
} from '../../../src/testing/index.ts';
import type { SimulateOptions } from '../../../src/testing/index.ts';
import { finish } from './helpers.ts';

interface Asked {
  provider: SimulateOptions['provider'];
  model: string;
  url: string;
  body: (texts: readonly string[], stream: boolean) => object;
  urlOfStream?: string;
}

const chatBody =
  (model: string): Asked['body'] =>
  (texts, stream) => ({
    model,
    stream,
    messages: texts.map((content) => ({ role: 'user', content })),
  });
const google = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash';

const ASKED: readonly Asked[] = [
  {
    provider: 'anthropic',
    model: 'claude-opus-4-8',
    url: 'https://api.anthropic.com/v1/messages',
    body: (texts, stream) => ({
      model: 'claude-opus-4-8',
      max_tokens: 100,
      stream,
      cache_control: { type: 'ephemeral', ttl: texts.length % 2 === 0 ? '5m' : '1h' },
      messages: texts.map((content) => ({ role: 'user', content })),
    }),
  },
  ...['gpt-5.1', 'gpt-5.6-sol'].flatMap((model): Asked[] => [
    {
      provider: 'openai',
      model,
      url: 'https://api.openai.com/v1/chat/completions',
      body: chatBody(model),
    },
    {
      provider: 'openai',
      model,
      url: 'https://api.openai.com/v1/responses',
      body: (texts, stream) => ({
        model,
        stream,
        input: texts.map((content) => ({ role: 'user', content })),
      }),
    },
  ]),
  {
    provider: 'deepseek',
    model: 'deepseek-v4-flash',
    url: 'https://api.deepseek.com/chat/completions',
    body: chatBody('deepseek-v4-flash'),
  },
  {
    provider: 'gemini',
    model: 'gemini-2.5-flash',
    url: `${google}:generateContent`,
    urlOfStream: `${google}:streamGenerateContent?alt=sse`,
    body: (texts) => ({ contents: texts.map((text) => ({ role: 'user', parts: [{ text }] })) }),
  },
];

const turns = fc.array(
  fc.record({ stream: fc.boolean(), more: fc.integer({ min: 1, max: 4 }), pause: fc.nat(400) }),
  { minLength: 1, maxLength: 5 },
);
const answers = fc.record({
  text: fc.string({ unit: 'grapheme', maxLength: 80 }),
  calls: fc.nat(2),
});

test.each(ASKED)('$provider $model $url', async ({ provider, model, url, urlOfStream, body }) => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(turns, answers, async (conversation, { text, calls }) => {
      const clock = createVirtualClock();
      const simulated = simulateProvider({
        provider,
        clock,
        tokensOf: (each) => Math.ceil(each.length / 4),
        answer: () => ({
          text,
          toolCalls: Array.from({ length: calls }, () => ({ name: 'f', arguments: { text } })),
        }),
        ...(provider === 'gemini' && { band: 'optimistic' }),
      });
      await using router = createRouter({ fetch: simulated, clock, random: createSeededRandom() });
      const records: UsageRecord[] = [];
      router.on('usage', (record) => records.push(record));
      const texts: string[] = [];
      for (const { stream, more, pause } of conversation) {
        for (let i = 0; i < more; i++) texts.push(`turn ${texts.length} ${'word '.repeat(900)}`);
        const call = router
          .fetch(stream && urlOfStream !== undefined ? urlOfStream : url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body(texts, stream)),
          })
          .then((response) => response.text());
        await finish(clock, call);
        await clock.advance(pause * 1000);
      }
      expect(records).toHaveLength(conversation.length);
      for (const [
        index,
        { usage, cost, outcome, responseModel, providerRequestId },
      ] of records.entries()) {
        expect({ outcome, responseModel }).toEqual({ outcome: 'ok', responseModel: model });
        expect(providerRequestId).toBeTruthy();
        expect({ grade: usage.grade, price: cost.price }).toEqual({
          grade: 'exact',
          price: 'exact',
        });
        expect(usage.inputTokens).toEqual(simulated.calls[index]?.usage?.inputTokens);
        expect(usage.outputTokens.total).toBe(simulated.calls[index]?.usage?.outputTokens.total);
        const cache = simulated.calls[index]?.cache;
        const parts = [cache?.read, cache?.uncached, cache?.write5m, cache?.write1h, cache?.write];
        expect(parts.reduce<number>((sum, part) => sum + (part ?? 0), 0)).toBe(cache?.total);
        read += cache?.read ?? 0;
      }
    }),
    { numRuns: 15, seed: 7 },
  );
  expect(read).toBeGreaterThan(0);
});
