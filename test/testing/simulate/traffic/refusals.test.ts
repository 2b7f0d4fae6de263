import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../../src/testing/index.ts';
import type { SimulatedProvider, TrafficOptions } from '../../../../src/testing/index.ts';
import { finish } from '../helpers.ts';
import { ask } from './ask.ts';

function openaiError(simulated: SimulatedProvider): Promise<unknown> {
  const client = new OpenAI({ apiKey: 'test', fetch: simulated, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'How is the weather?' }];
  return client.chat.completions.create({ model: 'gpt-5', messages }).catch((error) => error);
}

function anthropicError(simulated: SimulatedProvider): Promise<unknown> {
  const client = new Anthropic({ apiKey: 'test', fetch: simulated, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'How is the weather?' }];
  return client.messages
    .create({ model: 'claude-next', max_tokens: 100, messages })
    .catch((error) => error);
}

const noRequests: TrafficOptions = { limits: [{ unit: 'requests', limit: 1, burst: 0.5 }] };
const noTokens: TrafficOptions = { limits: [{ unit: 'inputTokens', limit: 1 }] };
const overload: TrafficOptions = { overload: [{ from: 0, to: 1, share: 0, retryAfter: 7 }] };
const outage: TrafficOptions = { outages: [{ from: 0, to: 1, kind: '503', retryAfter: 9 }] };

const openai = (options: TrafficOptions): SimulatedProvider =>
  simulateProvider({ provider: 'openai', ...options });
const anthropic = (options: TrafficOptions): SimulatedProvider =>
  simulateProvider({ provider: 'anthropic', ...options });

describe('the OpenAI SDK raises', () => {
  test.each([
    [noRequests, 'requests'],
    [noTokens, 'tokens'],
  ])('RateLimitError %#', async (options, type) => {
    const error = await openaiError(openai(options));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      type,
      requestID: 'req_sim00000000',
    });
  });

  test('InternalServerError for overload and outage', async () => {
    const overloaded = await openaiError(openai(overload));
    expect(overloaded).toBeInstanceOf(OpenAI.InternalServerError);
    expect(overloaded).toMatchObject({ status: 503, code: 'server_is_overloaded' });
    expect((overloaded as { headers: Headers }).headers.get('retry-after')).toBe('7');
    const down = await openaiError(openai(outage));
    expect(down).toMatchObject({ status: 503, type: 'server_error' });
    expect((down as { headers: Headers }).headers.get('retry-after')).toBe('9');
  });

  test('APIConnectionError where nobody listens', async () => {
    const simulated = openai({ outages: [{ from: 0, to: 1, kind: 'refuse' }] });
    const error = await openaiError(simulated);
    expect(error).toBeInstanceOf(OpenAI.APIConnectionError);
    expect(error).toMatchObject({ cause: { cause: { code: 'ECONNREFUSED' } } });
  });

  test('APIConnectionTimeoutError where nothing comes', async () => {
    const simulated = openai({ outages: [{ from: 0, to: 1, kind: 'hang' }] });
    const client = new OpenAI({ apiKey: 'test', fetch: simulated, maxRetries: 0, timeout: 1 });
    const asked = client.responses.create({ model: 'gpt-5', input: 'Hello' });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
  });
});

describe('the Anthropic SDK raises', () => {
  test.each([
    [noRequests, '1 requests per minute'],
    [noTokens, '1 input tokens per minute'],
  ])('RateLimitError %#', async (options, limit) => {
    const error = await anthropicError(anthropic(options));
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect(error).toMatchObject({
      status: 429,
      error: {
        type: 'error',
        error: { type: 'rate_limit_error', message: expect.stringContaining(limit) },
        request_id: 'req_sim00000000',
      },
    });
  });

  test('InternalServerError for overload, and for an outage', async () => {
    const overloaded = await anthropicError(anthropic(overload));
    expect(overloaded).toBeInstanceOf(Anthropic.InternalServerError);
    expect(overloaded).toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error', message: 'Overloaded' } },
    });
    const down = await anthropicError(anthropic(outage));
    expect(down).toMatchObject({ status: 503, error: { error: { type: 'api_error' } } });
  });
});

describe('Gemini', () => {
  async function geminiError(options: TrafficOptions): Promise<{ status: number; error: unknown }> {
    const simulated = simulateProvider({ provider: 'gemini', ...options });
    const response = await ask(simulated, 'gemini', { text: 'How is the weather?' });
    const { error } = (await response.json()) as { error: unknown };
    return { status: response.status, error };
  }

  test('is exhausted, and says for how long', async () => {
    const { status, error } = await geminiError({
      limits: [{ unit: 'requests', limit: 4, burst: 0.5 }],
    });
    expect(status).toBe(429);
    expect(error).toMatchObject({
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('Please retry in 7.5s.'),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
          violations: [
            {
              quotaId: 'GenerateContentPaidTierRequestsPerMinutePerProjectPerModel',
              quotaValue: '4',
              quotaDimensions: { model: 'gemini-3' },
            },
          ],
        },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7.5s' },
      ],
    });
  });

  test('names the limit of a day, and keeps the time to itself when told so', async () => {
    const { error } = await geminiError({
      limits: [{ unit: 'inputTokens', limit: 1, windowMs: 86_400_000 }],
      retryAfter: 'none',
    });
    const text = JSON.stringify(error);
    expect(text).toContain('InputTokensPerDay');
    expect(text).not.toContain('RetryInfo');
    expect(text).not.toContain('retry in');
  });

  test('is not available', async () => {
    expect(await geminiError(overload)).toMatchObject({
      status: 503,
      error: { code: 503, status: 'UNAVAILABLE' },
    });
  });

  test('is read by its SDK', async () => {
    const simulated = simulateProvider({ provider: 'gemini', ...noRequests });
    const before = globalThis.fetch;
    globalThis.fetch = simulated;
    try {
      const client = new GoogleGenAI({ apiKey: 'test' });
      const asked = client.models.generateContent({ model: 'gemini-3', contents: 'Hello' });
      await expect(asked).rejects.toMatchObject({ name: 'ApiError', status: 429 });
    } finally {
      globalThis.fetch = before;
    }
  });
});

test('DeepSeek refuses in the format of OpenAI', async () => {
  for (const [options, status, code] of [
    [noRequests, 429, 'rate_limit_error'],
    [overload, 503, 'service_unavailable_error'],
  ] as const) {
    const simulated = simulateProvider({ provider: 'deepseek', ...options });
    const response = await ask(simulated, 'deepseek');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, type: code, param: null } });
  }
});

test.each(['openai', 'anthropic', 'deepseek', 'gemini'] as const)(
  '%s: too many at once get a bare 429',
  async (provider) => {
    const clock = createVirtualClock();
    const limits = [{ unit: 'requests' as const, limit: 100 }];
    const simulated = simulateProvider({ provider, clock, limits, maxConcurrent: 1 });
    const first = ask(simulated, provider);
    const second = await ask(simulated, provider);
    expect(second.status).toBe(429);
    expect([...second.headers.keys()].filter((name) => /ratelimit|retry/.test(name))).toEqual([]);
    expect(await second.text()).not.toMatch(/retry in|again in|RetryInfo/);
    expect((await finish(clock, first)).status).toBe(200);
  },
);

test('a status of overload may be chosen', async () => {
  const overload = [{ from: 0, to: 1, share: 0, status: 503 as const }];
  const simulated = simulateProvider({ provider: 'anthropic', overload });
  const response = await ask(simulated, 'anthropic');
  expect(response.status).toBe(503);
  expect(response.headers.has('retry-after')).toBe(false);
});
