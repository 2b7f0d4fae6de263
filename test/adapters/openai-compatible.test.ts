import { describe, expect, test } from 'vitest';
import { deepseek } from '../../adapters/deepseek/index.ts';
import { builtInAdapters } from '../../adapters/index.ts';
import { nvidia } from '../../adapters/nvidia/index.ts';
import { RouterError } from '../../src/errors.ts';
import { openaiCompatible } from '../../adapters/openai-compatible/index.ts';
import { presets } from '../../adapters/openai-compatible/presets.ts';
import { testAdapter } from './contract.ts';
import { matchUrl } from './recordings.ts';

testAdapter(openaiCompatible(), [
  {
    name: 'usage that Groq puts into x_groq (recorded)',
    url: 'https://api.groq.com/openai/v1/chat/completions',
    events: [
      '{"id":"c","model":"llama-3.3","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x_groq":{"id":"req_01h"}}',
      '{"id":"c","model":"llama-3.3","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_01h","usage":{"queue_time":0.09,"prompt_tokens":12,"completion_tokens":24,"total_tokens":36}}}',
      '[DONE]',
    ],
    expect: { provider: 'groq', input: { total: 12, uncached: 12 }, output: { total: 24 } },
  },
  {
    name: 'an error of Groq in mid-stream (recorded)',
    url: 'https://api.groq.com/openai/v1/chat/completions',
    events: [
      '{"id":"c","model":"openai/gpt-oss-120b","choices":[{"index":0,"delta":{"content":"maybe"},"finish_reason":null}]}',
      {
        name: 'error',
        data: '{"error":{"message":"Tool choice is required, but model did not call a tool","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"","status_code":400}}',
      },
    ],
    expect: {
      model: 'openai/gpt-oss-120b',
      error: { type: 'invalid_request_error', code: 'tool_use_failed' },
      complete: false,
      grade: 'none',
    },
  },
  {
    name: 'usage that Moonshot puts into the choice',
    url: 'https://api.moonshot.ai/v1/chat/completions',
    events: [
      '{"id":"c","model":"kimi-k3","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"cached_tokens":4}}]}',
      '[DONE]',
    ],
    expect: {
      provider: 'moonshot_ai',
      input: { total: 9, uncached: 5, cacheRead: 4 },
      output: { total: 5 },
    },
  },
  {
    name: 'counts of Databricks that are null until the end (recorded)',
    url: 'https://adb-1.cloud.databricks.com/serving-endpoints/chat/completions',
    events: [
      '{"model":"claude","choices":[{"delta":{"content":"a"},"index":0,"finish_reason":null}],"usage":{"cache_read_input_tokens":0,"completion_tokens":null,"prompt_tokens":22,"total_tokens":null}}',
      '{"model":"claude","choices":[{"delta":{},"index":0,"finish_reason":"stop"}],"usage":{"cache_read_input_tokens":0,"completion_tokens":37,"prompt_tokens":22,"total_tokens":59}}',
    ],
    expect: {
      provider: 'databricks',
      input: { total: 22, uncached: 22, cacheRead: 0 },
      output: { total: 37 },
      complete: true,
      grade: 'exact',
    },
  },
  {
    name: 'reasoning of Gemini that the Vercel gateway leaves out of the total (recorded)',
    url: 'https://ai-gateway.vercel.sh/v1/chat/completions',
    answer:
      '{"model":"google/gemini-2.5-flash","choices":[],"usage":{"prompt_tokens":61,"completion_tokens":10,"total_tokens":71,"completion_tokens_details":{"reasoning_tokens":96}}}',
    expect: {
      provider: 'vercel',
      input: { total: 61, uncached: 61 },
      output: { total: 106, reasoning: 96 },
    },
  },
  {
    name: 'an error of OpenRouter inside HTTP 200',
    url: 'https://openrouter.ai/api/v1/chat/completions',
    events: [
      '{"id":"gen-1","model":"x","error":{"code":502,"message":"Provider returned error","metadata":{"provider_name":"y"}},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}',
    ],
    expect: { provider: 'openrouter', error: { code: '502' } },
  },
  {
    name: 'a flat error of Mistral (recorded)',
    url: 'https://api.mistral.ai/v1/chat/completions',
    answer:
      '{"code":"3051","message":"Logprobs are not enabled for this model","object":"error","param":null,"raw_status_code":400,"type":"invalid_request_invalid_args"}',
    expect: {
      provider: 'mistral_ai',
      error: { type: 'invalid_request_invalid_args', code: '3051' },
    },
  },
  {
    name: 'an error of NVIDIA',
    url: 'https://integrate.api.nvidia.com/v1/chat/completions',
    answer: '{"status":429,"title":"Too Many Requests"}',
    expect: { provider: 'nvidia', error: { type: 'Too Many Requests', code: '429' } },
  },
  {
    name: 'an error of xAI (recorded)',
    url: 'https://api.x.ai/v1/responses',
    answer: '{"code":"invalid-argument","error":"Incorrect API key provided."}',
    expect: { provider: 'x_ai', api: 'responses', error: { code: 'invalid-argument' } },
  },
  {
    name: 'a local server without configuration',
    url: 'http://localhost:8080/v1/chat/completions',
    answer:
      '{"model":"qwen","choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":8}}}',
    expect: { provider: 'localhost', input: { total: 10, uncached: 2, cacheRead: 8 } },
  },
]);

describe('hosts and paths', () => {
  test.each([
    ['https://api.deepseek.com/chat/completions', 'deepseek', 'chat.completions', 'ask'],
    ['https://api.deepseek.com/beta/completions', 'deepseek', 'completions', 'ask'],
    ['https://api.deepseek.com/anthropic/v1/messages', 'deepseek', 'messages', undefined],
    ['https://api.x.ai/v1/chat/completions', 'x_ai', 'chat.completions', 'ask'],
    ['https://integrate.api.nvidia.com/v1/chat/completions', 'nvidia', 'chat.completions', 'try'],
    ['https://api.mistral.ai/v1/fim/completions', 'mistral_ai', 'chat.completions', undefined],
    ['https://api.mistral.ai/v1/agents/completions', 'mistral_ai', 'chat.completions', undefined],
    ['https://api.writer.com/v1/chat', 'writer', 'chat.completions', 'try'],
    ['https://openrouter.ai/api/v1/messages', 'openrouter', 'messages', undefined],
    [
      'https://router.huggingface.co/nebius/v1/chat/completions',
      'huggingface',
      'chat.completions',
      undefined,
    ],
    ['https://r.openai.azure.com/openai/v1/responses', 'azure.ai.openai', 'responses', undefined],
    [
      'https://r.openai.azure.com/openai/v1/chat/completions',
      'azure.ai.openai',
      'chat.completions',
      'ask',
    ],
    [
      'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21',
      'azure.ai.openai',
      'chat.completions',
      'ask',
    ],
    [
      'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01',
      'azure.ai.openai',
      'chat.completions',
      'try',
    ],
    [
      'https://r.services.ai.azure.com/models/chat/completions',
      'azure.ai.inference',
      'chat.completions',
      'try',
    ],
    [
      'https://r.services.ai.azure.com/anthropic/v1/messages',
      'azure.ai.inference',
      'messages',
      undefined,
    ],
    ['http://127.0.0.1:1234/v1/responses', '127.0.0.1', 'responses', undefined],
    ['http://127.0.0.1:1234/v1/embeddings', '127.0.0.1', 'embeddings', undefined],
    [
      'https://gateway.example.com/anthropic/v1/messages',
      'gateway.example.com',
      'messages',
      undefined,
    ],
    [
      'https://gateway.example.com/v1beta/models/g:generateContent',
      'gateway.example.com',
      'generateContent',
      undefined,
    ],
  ])('%s', (url, provider, api, streamUsage) => {
    const endpoint = matchUrl(url);
    expect(endpoint).toMatchObject({ provider, api });
    expect(endpoint?.wire).toBeDefined();
    expect(endpoint?.streamUsage).toBe(streamUsage);
  });

  test.each([
    ['https://api.deepseek.com/models', { provider: 'deepseek', api: 'other' }],
    ['https://api.deepseek.com/user/balance', { provider: 'deepseek', api: 'other' }],
    ['https://openrouter.ai/api/v1/generation?id=gen-1', { provider: 'openrouter', api: 'other' }],
    ['https://r.openai.azure.com/openai/files', { provider: 'azure.ai.openai', api: 'other' }],
    ['http://localhost:8080/health', undefined],
    ['https://example.com/', undefined],
    ['https://deepseek.com.example.com/models', undefined],
  ])('%s has nothing to bill', (url, endpoint) => {
    expect(matchUrl(url)).toEqual(endpoint);
  });

  test('an Azure deployment stands for the model', () => {
    const url = 'https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions';
    expect(matchUrl(url)?.model).toBe('my gpt');
  });

  test('no host is in the table twice', () => {
    const hosts = Object.values(presets).flatMap((preset) => preset.hosts);
    expect(new Set(hosts).size).toBe(hosts.length);
  });

  test('the adapter that takes unknown hosts comes last', () => {
    const url = new URL('http://localhost:8080/v1/chat/completions');
    expect(builtInAdapters.map((adapter) => adapter.match(url) !== undefined)).toEqual(
      builtInAdapters.map((_, index) => index === builtInAdapters.length - 1),
    );
  });
});

describe('options', () => {
  const chat = (base: string): URL => new URL(`${base}/chat/completions`);

  test('a preset answers for its own hosts only', () => {
    expect(deepseek().match(chat('https://api.deepseek.com'))?.provider).toBe('deepseek');
    expect(nvidia().match(chat('https://integrate.api.nvidia.com/v1'))?.provider).toBe('nvidia');
    expect(nvidia().match(chat('https://api.deepseek.com'))).toBeUndefined();
    expect(nvidia().match(chat('http://localhost:8000/v1'))).toBeUndefined();
  });

  test('a preset takes further base URLs', () => {
    const adapter = nvidia({ baseURL: ['http://nim.internal:8000/v1', 'http://nim2.internal/v1'] });
    expect(adapter.match(chat('http://nim2.internal/v1'))).toMatchObject({
      provider: 'nvidia',
      streamUsage: 'try',
    });
  });

  test('a provider of your own', () => {
    const adapter = openaiCompatible({
      provider: 'acme',
      baseURL: 'https://llm.acme.dev/v1',
      streamUsage: 'ask',
    });
    expect(adapter.match(chat('https://llm.acme.dev/v1'))).toMatchObject({
      provider: 'acme',
      streamUsage: 'ask',
    });
    expect(adapter.match(new URL('https://llm.acme.dev/v1/models'))).toEqual({
      provider: 'acme',
      api: 'other',
    });
    expect(adapter.match(chat('https://api.deepseek.com'))).toBeUndefined();
  });

  test('streams are left alone where told so', () => {
    const adapter = openaiCompatible({ baseURL: 'http://vllm:8000', streamUsage: 'off' });
    expect(adapter.match(chat('http://vllm:8000'))).not.toHaveProperty('streamUsage');
  });

  test('an unknown preset is refused with the known ones', () => {
    expect(() => openaiCompatible({ preset: 'gorq' })).toThrow(
      /expected one of .*groq.*got "gorq"/,
    );
    expect(() => openaiCompatible({ preset: 'constructor' })).toThrow(RouterError);
  });
});
