import { describe, expect, test } from 'vitest';

import { createPriceBook } from '../../src/pricing/price-book.ts';
import type { PriceQuery } from '../../src/pricing/price-book.ts';
import type { Cost, TokenUsage } from '../../src/types.ts';

const book = createPriceBook();
const NOW = Date.parse('2026-10-01T12:00:00Z');

/** A million of each, so that amounts read as dollars per million tokens. */
const million: TokenUsage = {
  inputTokens: { total: 1e6, uncached: 1e6 },
  outputTokens: { total: 1e6 },
  grade: 'exact',
};
/** Below every long-context boundary. */
const short: TokenUsage = {
  inputTokens: { total: 1000, uncached: 1000 },
  outputTokens: { total: 1000 },
  grade: 'exact',
};

function priceOf(provider: string, model: string, more: Partial<PriceQuery> = {}): Cost {
  return book.cost({ provider, model, at: NOW, usage: million, ...more }).cost;
}

function inputOf(total: number, cached?: Partial<TokenUsage['inputTokens']>): TokenUsage {
  return { inputTokens: { total, ...cached }, outputTokens: { total: 0 }, grade: 'exact' };
}

describe('a call is priced by the model that answered', () => {
  test('with its own listed price', () => {
    expect(priceOf('openai', 'gpt-4o')).toEqual({
      usd: '12.5',
      inputUsd: '2.5',
      outputUsd: '10',
      cacheReadUsd: undefined,
      cacheWriteUsd: undefined,
      price: 'exact',
      priceDate: '2026-09-23',
    });
  });

  test('whatever was asked for', () => {
    const asked = { requestModel: 'gpt-5-pro' };
    expect(priceOf('openai', 'gpt-4o-2024-08-06', asked).usd).toBe('12.5');
    expect(priceOf('azure.ai.openai', 'gpt-4o-2024-11-20', { requestModel: 'prod' })).toMatchObject(
      {
        usd: '12.5',
        price: 'approximate',
      },
    );
  });

  test('or the model asked for when the answer names none, and approximately when it names an unknown one', () => {
    const asked = { requestModel: 'gpt-4o' };
    const unnamed = book.cost({ provider: 'openai', at: NOW, usage: million, ...asked }).cost;
    expect(unnamed).toMatchObject({ usd: '12.5', price: 'exact' });
    expect(priceOf('openai', 'something-else', asked)).toMatchObject({
      usd: '12.5',
      price: 'approximate',
    });
  });

  test('a snapshot with a price of its own keeps it', () => {
    expect(priceOf('openai', 'gpt-4o-2024-05-13').usd).toBe('20');
  });

  test("a price that was taken from another provider's list is approximate", () => {
    expect(priceOf('openai', 'gpt-oss-120b')).toMatchObject({ usd: '0.219', price: 'approximate' });
  });

  test('a moving alias is approximate unless its moves are dated', () => {
    const latest = priceOf('mistral_ai', 'mistral-large-latest');
    expect(latest).toMatchObject({ usd: '8', price: 'approximate' });
    expect(priceOf('mistral_ai', 'mistral-small-latest').price).toBe('approximate');
    expect(priceOf('mistral_ai', 'mistral-medium-latest').price).toBe('exact');
    expect(priceOf('openai', 'gpt-4o-latest').price).toBe('unpriced');
  });
});

describe('what is not known has no price', () => {
  const unpriced = { usd: null, price: 'unpriced' };

  test.each([
    ['anthropic', 'claude-sonnet-5-5'],
    ['anthropic', 'claude-haiku-5-5'],
    ['anthropic', 'claude-fable-5-2'],
    ['anthropic', 'claude-sonnet-4-6-fast'],
    ['gcp.gemini', 'gemini-3.8-flash-lite'],
    ['gcp.gemini', 'gemini-4-argon'],
    ['openai', 'gpt-6.1-sol'],
    ['openai', 'gpt-6.1-terra'],
    ['openai', 'gpt-5-nano-next'],
    ['deepseek', 'deepseek-flash'],
    ['deepseek', 'deepseek-r1-distill-llama-70b'],
    ['openrouter', 'openai/gpt-4o:unheard-of'],
    ['aws.bedrock', 'amazon.titan-embed-text-v2:0'],
    ['nvidia', 'meta/llama-3.3-70b-instruct'],
    ['localhost', 'gpt-4o'],
    ['openai', 'constructor'],
    ['__proto__', 'gpt-4o'],
    ['constructor', 'gpt-4o'],
    ['openrouter', '__proto__'],
    ['openai', ''],
  ])('%s %s', (provider, model) => {
    expect(priceOf(provider, model)).toEqual(unpriced);
  });

  test('nor has a call of which no usage is known', () => {
    const usage: TokenUsage = { inputTokens: {}, outputTokens: {}, grade: 'none' };
    expect(book.cost({ provider: 'openai', model: 'gpt-4o', at: NOW, usage })).toEqual({
      cost: unpriced,
      saved: {},
    });
  });

  test('an unknown output leaves the sum open and keeps the known part', () => {
    const usage: TokenUsage = {
      inputTokens: { total: 1000, uncached: 200, cacheRead: 800 },
      outputTokens: {},
      grade: 'partial',
    };
    const answer = book.cost({ provider: 'openai', model: 'gpt-4o', at: NOW, usage });
    expect(answer.cost).toMatchObject({ usd: null, price: 'unpriced', inputUsd: '0.0005' });
    expect(answer.saved.cacheUsd).toBe('0.001');
  });

  test.each(['estimated', 'partial'] as const)('%s usage has an approximate price', (grade) => {
    const usage: TokenUsage = { ...million, grade };
    expect(priceOf('openai', 'gpt-4o', { usage }).price).toBe('approximate');
  });
});

describe('long context', () => {
  test.each([
    ['openai', 'gpt-5.4'],
    ['openai', 'gpt-5.5'],
    ['openai', 'gpt-5.6-sol'],
    ['openai', 'gpt-6-sol'],
    ['openai', 'gpt-6-astra'],
    ['openrouter', 'openai/gpt-5.5'],
    ['aws.bedrock', 'global.openai.gpt-5.6-sol'],
  ])(
    '%s %s costs double from the 272,001st input token on, for the whole request',
    (provider, model) => {
      const at = (tokens: number): number =>
        Number(priceOf(provider, model, { usage: inputOf(tokens) }).usd) / tokens;
      const base = at(1000);
      expect(at(271_999)).toBeCloseTo(base, 15);
      expect(at(272_000)).toBeCloseTo(base, 15);
      expect(at(272_001)).toBeCloseTo(2 * base, 15);
    },
  );

  test('counts cached tokens, and raises the output too', () => {
    const usage: TokenUsage = {
      inputTokens: { uncached: 1, cacheRead: 272_000 },
      outputTokens: { total: 1_000_000 },
      grade: 'exact',
    };
    expect(priceOf('openai', 'gpt-5.4', { usage })).toMatchObject({
      inputUsd: '0.000005',
      cacheReadUsd: '0.136',
      outputUsd: '22.5',
    });
  });

  test('xAI counts from 200,000 tokens on, Gemini and Anthropic above them', () => {
    const cost = (provider: string, model: string, tokens: number): string | null =>
      priceOf(provider, model, { usage: inputOf(tokens) }).usd;
    expect(cost('x_ai', 'grok-4.3', 199_999)).toBe('0.24999875');
    expect(cost('x_ai', 'grok-4.3', 200_000)).toBe('0.5');
    expect(cost('gcp.gemini', 'gemini-2.5-pro', 200_000)).toBe('0.25');
    expect(cost('gcp.gemini', 'gemini-2.5-pro', 200_001)).toBe('0.5000025');
    expect(cost('anthropic', 'claude-sonnet-4-5', 200_000)).toBe('0.6');
    expect(cost('anthropic', 'claude-sonnet-4-5', 200_001)).toBe('1.200006');
    expect(cost('anthropic', 'claude-sonnet-5', 900_000)).toBe('1.8');
  });
});

describe('time', () => {
  test('prices change at midnight UTC of their day', () => {
    const at = (day: string): Cost =>
      priceOf('openai', 'gpt-5.6-sol', { usage: short, at: Date.parse(day) });
    expect(at('2026-08-20T23:59:59.999Z')).toMatchObject({ usd: '0.035', priceDate: '2026-09-23' });
    expect(at('2026-08-21T00:00:00.000Z')).toMatchObject({ usd: '0.024', priceDate: '2026-08-21' });
  });

  test.each([
    ['00:59:59', '0.88'],
    ['01:00:00', '1.76'],
    ['03:59:59', '1.76'],
    ['04:00:00', '0.88'],
    ['06:00:00', '1.76'],
    ['10:00:00', '0.88'],
  ])('DeepSeek V4 at %s UTC', (time, usd) => {
    const at = Date.parse(`2026-09-01T${time}Z`);
    expect(priceOf('deepseek', 'deepseek-v4-flash', { at }).usd).toBe(usd);
  });

  test('peak hours of DeepSeek V4 cost the same before 2026-08-17', () => {
    const at = Date.parse('2026-08-16T02:00:00Z');
    expect(priceOf('deepseek', 'deepseek-v4-flash', { at }).usd).toBe('0.42');
  });

  test('deepseek-chat follows its changes of 2025', () => {
    const at = (day: string): string | null =>
      priceOf('deepseek', 'deepseek-chat', { at: Date.parse(day) }).usd;
    expect(at('2025-08-01T12:00:00Z')).toBe('1.37');
    expect(at('2025-08-01T20:00:00Z')).toBe('0.685');
    expect(at('2025-09-10T20:00:00Z')).toBe('2.24');
    expect(at('2026-01-01T20:00:00Z')).toBe('0.7');
  });
});

describe('prompt caching', () => {
  const cached: TokenUsage = {
    inputTokens: { uncached: 0, cacheRead: 1e6, cacheWrite: 1e6, cacheWrite1h: 1e6 },
    outputTokens: { total: 0 },
    grade: 'exact',
  };

  test.each([
    ['anthropic', 'claude-opus-5', '0.5', '16.25', '-0.75'],
    ['anthropic', 'claude-opus-5-5', '0.2', '13', '-1.2'],
    ['anthropic', 'claude-fable-5-1', '0.25', '32.5', '-2.75'],
    ['gcp.vertex_ai', 'claude-opus-5', '0.5', '16.25', '-1.75'],
    ['aws.bedrock', 'global.anthropic.claude-sonnet-5-v1:0', '0.2', '6.5', '-0.7'],
    ['openrouter', 'anthropic/claude-3.5-haiku', '0.08', '2.6', '-0.28'],
  ])('%s %s: reads %s, writes %s', (provider, model, read, write) => {
    const name = provider === 'aws.bedrock' ? { requestModel: model } : {};
    expect(priceOf(provider, model, { usage: cached, ...name })).toMatchObject({
      cacheReadUsd: read,
      cacheWriteUsd: write,
    });
  });

  test('saves on reads and pays for writes', () => {
    const saved = (inputTokens: TokenUsage['inputTokens']): string | undefined =>
      book.cost({
        provider: 'anthropic',
        model: 'claude-sonnet-5',
        at: NOW,
        usage: { inputTokens, outputTokens: { total: 0 }, grade: 'exact' },
      }).saved.cacheUsd;
    expect(saved({ uncached: 0, cacheRead: 1e6 })).toBe('1.8');
    expect(saved({ uncached: 0, cacheWrite: 1e6 })).toBe('-0.5');
    expect(saved({ uncached: 0, cacheWrite1h: 1e6 })).toBe('-2');
    expect(saved({ uncached: 0, cacheRead: 1e6, cacheWrite: 1e6 })).toBe('1.3');
    expect(saved({ uncached: 1e6, cacheRead: 0, cacheWrite: 0 })).toBeUndefined();
  });

  test.each([
    ['openai', 'gpt-4o', 0.5],
    ['openrouter', 'openai/gpt-4o', 0.5],
    ['openai', 'gpt-4.1', 0.25],
    ['openai', 'o3', 0.25],
    ['openai', 'gpt-5.5', 0.1],
    ['gcp.gemini', 'gemini-2.5-flash', 0.1],
    ['groq', 'openai/gpt-oss-20b', 0.5],
  ])('%s %s reads at %s of the input price', (provider, model, factor) => {
    const read = priceOf(provider, model, { usage: inputOf(1000, { cacheRead: 1000 }) });
    const plain = priceOf(provider, model, { usage: inputOf(1000) });
    expect(Number(read.usd) / Number(plain.usd)).toBeCloseTo(factor, 10);
  });

  test('what contradicts itself is priced and marked, not thrown at', () => {
    const usage = inputOf(2168, { cacheRead: 2161, cacheWrite: 2161 });
    const { usd, price } = priceOf('openrouter', 'google/gemini-2.5-flash', { usage });
    expect(price).toBe('approximate');
    expect(Number(usd)).toBeGreaterThan(0);
    const odd = inputOf(Number.NaN, { uncached: -5, cacheRead: 1.5 });
    expect(priceOf('openai', 'gpt-4o', { usage: odd })).toMatchObject({ usd: null });
  });
});

describe('service terms', () => {
  test.each(['default', 'auto', 'standard', 'on_demand', 'ON_DEMAND', undefined])(
    'tier %s is the list price',
    (serviceTier) => {
      expect(priceOf('openai', 'gpt-5', { serviceTier, usage: short })).toMatchObject({
        usd: '0.01125',
        price: 'exact',
      });
    },
  );

  test.each([
    ['openai', 'gpt-5', 'flex', '0.005625'],
    ['openai', 'gpt-5-2025-08-07', 'priority', '0.0225'],
    ['openai', 'gpt-4o-mini', 'priority', '0.00125'],
    ['openai', 'gpt-5.6-sol', 'priority', '0.048'],
    ['anthropic', 'claude-opus-5', 'batch', '0.015'],
    ['gcp.gemini', 'gemini-3.8-flash', 'priority', '0.0081'],
    ['gcp.vertex_ai', 'gemini-3.8-flash', 'flex', '0.00225'],
  ])('%s %s on %s', (provider, model, serviceTier, usd) => {
    expect(priceOf(provider, model, { serviceTier, usage: short })).toMatchObject({
      usd,
      price: 'exact',
    });
  });

  test.each([
    ['openai', 'gpt-5', 'scale'],
    ['openai', 'o1', 'priority'],
    ['anthropic', 'claude-opus-5', 'priority'],
    ['groq', 'qwen/qwen3-32b', 'flex'],
    ['openai', 'gpt-5', 'constructor'],
  ])(
    '%s %s on %s has no listed price: the nearest, approximately',
    (provider, model, serviceTier) => {
      const { usd, price } = priceOf(provider, model, { serviceTier, usage: short });
      expect(price).toBe('approximate');
      expect(usd).toBe(priceOf(provider, model, { usage: short }).usd);
    },
  );

  test('priority has no price above the long-context boundary', () => {
    const usage = inputOf(300_000);
    expect(priceOf('openai', 'gpt-5.4', { serviceTier: 'priority', usage })).toMatchObject({
      usd: '1.5',
      price: 'approximate',
    });
  });

  test.each([
    ['claude-opus-5', { inference_geo: 'us' }, '0.033'],
    ['claude-opus-5', { speed: 'fast' }, '0.06'],
    ['claude-opus-4-7', { speed: 'fast', inference_geo: 'us' }, '0.198'],
    ['claude-opus-5', { inference_geo: 'global', speed: 'standard' }, '0.03'],
    ['claude-opus-4-5', { inference_geo: 'us' }, '0.03'],
  ])('Anthropic %s with %j', (model, raw, usd) => {
    expect(priceOf('anthropic', model, { usage: { ...short, raw } })).toMatchObject({
      usd,
      price: 'exact',
    });
  });

  test('Anthropic terms multiply, on cache prices too', () => {
    const usage: TokenUsage = {
      inputTokens: { uncached: 0, cacheRead: 1e6 },
      outputTokens: { total: 0 },
      grade: 'exact',
      raw: { inference_geo: 'us' },
    };
    const query = { serviceTier: 'batch', usage };
    expect(priceOf('anthropic', 'claude-opus-5', query).usd).toBe('0.275');
  });

  test.each([
    ['anthropic', 'claude-opus-5', { server_tool_use: { web_search_requests: 2 } }],
    ['openrouter', 'openai/gpt-4o', { server_tool_use_details: { tool_calls_executed: 1 } }],
    ['openai', 'gpt-audio', { prompt_tokens_details: { audio_tokens: 5 } }],
    ['gcp.gemini', 'gemini-2.5-flash', { promptTokensDetails: [{ modality: 'AUDIO' }] }],
    ['gcp.gemini', 'gemini-2.5-flash-image', { candidatesTokensDetails: [{ modality: 'IMAGE' }] }],
  ])(
    '%s %s: what is billed apart from text tokens makes it approximate',
    (provider, model, raw) => {
      expect(priceOf(provider, model, { usage: { ...short, raw } }).price).toBe('approximate');
      expect(priceOf(provider, model, { usage: { ...short, raw: {} } }).price).toBe('exact');
    },
  );
});

describe('clouds and resellers', () => {
  const bedrock = (requestModel: string, model?: string): Cost =>
    book.cost({ provider: 'aws.bedrock', model, requestModel, at: NOW, usage: short }).cost;

  test('Bedrock bills by the profile that was asked for', () => {
    expect(bedrock('global.anthropic.claude-sonnet-4-5-20250929-v1:0')).toMatchObject({
      usd: '0.018',
      price: 'exact',
    });
    const regional = bedrock(
      'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'claude-sonnet-4-5-20250929',
    );
    expect(regional).toMatchObject({ usd: '0.0198', price: 'exact' });
  });

  test('a bare Claude id on Bedrock does not tell the profile', () => {
    expect(bedrock('anthropic.claude-sonnet-4-5-20250929-v1:0')).toMatchObject({
      usd: '0.018',
      price: 'approximate',
    });
    expect(bedrock('anthropic.claude-sonnet-4-20250514-v1:0')).toMatchObject({
      usd: '0.018',
      price: 'exact',
    });
  });

  test('an opaque profile of Bedrock falls back to the model of the answer', () => {
    const profile = 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc';
    expect(bedrock(profile, 'claude-opus-5')).toMatchObject({ usd: '0.03', price: 'approximate' });
    expect(bedrock(profile)).toEqual({ usd: null, price: 'unpriced' });
  });

  test('Vertex AI shares the Gemini list; its Claude costs more in some regions', () => {
    expect(priceOf('gcp.vertex_ai', 'gemini-2.5-flash')).toMatchObject({
      usd: '2.8',
      price: 'exact',
    });
    expect(priceOf('gcp.vertex_ai', 'claude-opus-5@20260724')).toMatchObject({
      usd: '30',
      price: 'approximate',
    });
  });

  test('OpenRouter: one price for closed models, a near one for open models', () => {
    expect(priceOf('openrouter', 'anthropic/claude-4.5-haiku-20251001')).toMatchObject({
      usd: '6',
      price: 'exact',
    });
    expect(priceOf('openrouter', 'openai/gpt-oss-120b').price).toBe('approximate');
    expect(priceOf('openrouter', 'openai/gpt-4o:floor').price).toBe('approximate');
    expect(priceOf('openrouter', 'deepseek/deepseek-r1:free')).toMatchObject({
      usd: '0',
      price: 'exact',
    });
  });

  test('Hugging Face: the price belongs to the chosen provider', () => {
    const id = 'meta-llama/Llama-3.3-70B-Instruct';
    expect(priceOf('huggingface', `${id}:groq`).price).toBe('exact');
    expect(priceOf('huggingface', id).price).toBe('unpriced');
  });

  test('Perplexity bills a fee per request beside the tokens', () => {
    expect(priceOf('perplexity', 'sonar').price).toBe('approximate');
  });
});
