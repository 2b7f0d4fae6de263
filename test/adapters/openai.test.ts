import { describe, expect, test } from 'vitest';
import { openai } from '../../adapters/openai/index.ts';
import { chatUsage, embeddingsUsage, responsesUsage } from '../../adapters/openai/usage.ts';
import { chatCompletions, responses } from '../../adapters/openai/wire.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { testAdapter } from './contract.ts';

const CHAT = 'https://api.openai.com/v1/chat/completions';
const RESPONSES = 'https://api.openai.com/v1/responses';

testAdapter(openai(), [
  {
    name: 'a chat answer with written cache tokens inside the prompt (recorded, gpt-5.6)',
    url: CHAT,
    answer:
      '{"id":"chatcmpl-1","model":"gpt-5.6-sol","choices":[{"index":0,"message":{"role":"assistant","content":"{\\"usage\\":{\\"prompt_tokens\\":9}}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":4020,"completion_tokens":4,"total_tokens":4024,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":4012,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default"}',
    expect: {
      provider: 'openai',
      api: 'chat.completions',
      model: 'gpt-5.6-sol',
      input: { total: 4020, uncached: 8, cacheRead: 0, cacheWrite: 4012 },
      output: { total: 4, reasoning: 0 },
      grade: 'exact',
    },
  },
  {
    name: 'a chat stream that was asked for usage',
    url: CHAT,
    events: [
      '{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}',
      '{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"say \\"finish_reason\\":\\"x\\""},"finish_reason":null}],"usage":null}',
      '{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}',
      '{"id":"c","model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":1200,"completion_tokens":2,"total_tokens":1202,"prompt_tokens_details":{"cached_tokens":1152}}}',
      '[DONE]',
    ],
    expect: {
      model: 'gpt-4o-2024-08-06',
      input: { total: 1200, uncached: 48, cacheRead: 1152 },
      output: { total: 2 },
      complete: true,
    },
  },
  {
    name: 'a Responses stream',
    url: RESPONSES,
    events: [
      {
        name: 'response.created',
        data: '{"type":"response.created","response":{"id":"resp_1","model":"gpt-5-2025-08-07","error":null,"usage":null}}',
      },
      {
        name: 'response.output_text.delta',
        data: '{"type":"response.output_text.delta","delta":"Hi"}',
      },
      {
        name: 'response.incomplete',
        data: '{"type":"response.incomplete","response":{"model":"gpt-5-2025-08-07","service_tier":"flex","error":null,"usage":{"input_tokens":45,"input_tokens_details":{"cached_tokens":0},"output_tokens":1719,"output_tokens_details":{"reasoning_tokens":1408},"total_tokens":1764}}}',
      },
    ],
    expect: {
      api: 'responses',
      model: 'gpt-5-2025-08-07',
      input: { total: 45, uncached: 45, cacheRead: 0 },
      output: { total: 1719, reasoning: 1408 },
      complete: true,
    },
  },
  {
    name: 'a Responses stream that failed',
    url: RESPONSES,
    events: [
      {
        name: 'response.failed',
        data: '{"type":"response.failed","response":{"model":"gpt-5","error":{"code":"server_error","message":"x"},"usage":null}}',
      },
    ],
    expect: { error: { code: 'server_error' }, grade: 'none', complete: true },
  },
  {
    name: 'an error event of a Responses stream, which is the error itself',
    url: RESPONSES,
    events: [
      {
        name: 'error',
        data: '{"type":"error","code":"rate_limit_exceeded","message":"Rate limit reached","param":null,"sequence_number":2}',
      },
    ],
    expect: { error: { type: 'error', code: 'rate_limit_exceeded' }, complete: false },
  },
  {
    name: 'an error answer (recorded)',
    url: CHAT,
    answer:
      '{"error":{"code":"decimal_above_max_value","message":"Invalid temperature","param":"temperature","type":"invalid_request_error"}}',
    expect: {
      error: { type: 'invalid_request_error', code: 'decimal_above_max_value' },
      grade: 'none',
    },
  },
  {
    name: 'embeddings (recorded)',
    url: 'https://api.openai.com/v1/embeddings',
    answer:
      '{"object":"list","data":[{"embedding":[0.1]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":4,"total_tokens":4}}',
    expect: { api: 'embeddings', input: { total: 4, uncached: 4 }, output: { total: 0 } },
  },
]);

describe('which paths are billed', () => {
  const adapter = openai();
  test.each([
    ['/v1/chat/completions', 'chat.completions', 'ask'],
    ['/v1/completions', 'completions', 'ask'],
    ['/v1/responses', 'responses', undefined],
    ['/v1/responses/compact', 'responses', undefined],
    ['/v1/embeddings/', 'embeddings', undefined],
    ['/v1/images/generations', 'other', undefined],
    ['/v1/batches/batch_1', 'other', undefined],
    ['/v1/responses/resp_1', 'other', undefined],
  ])('%s', (path, api, streamUsage) => {
    const endpoint = adapter.match(new URL(path, 'https://api.openai.com'));
    expect(endpoint).toMatchObject({ provider: 'openai', api });
    expect(endpoint?.wire).toBeDefined();
    expect(endpoint?.streamUsage).toBe(streamUsage);
  });

  test.each([
    '/v1/models',
    '/v1/files',
    '/v1/responses/resp_1/cancel',
    '/v1/responses/input_tokens',
    '/v1/chat/completions/chatcmpl-1',
    '/v1/organization/usage/embeddings',
    '/v1/moderations',
  ])('%s is not', (path) => {
    expect(adapter.match(new URL(path, 'https://api.openai.com'))).toEqual({
      provider: 'openai',
      api: 'other',
    });
  });

  test('base URLs of your own', () => {
    const proxied = openai({ baseURL: 'https://llm.example.com/openai/' });
    expect(proxied.match(new URL('https://llm.example.com/openai/v1/responses'))?.api).toBe(
      'responses',
    );
    expect(proxied.match(new URL('https://llm.example.com/openai2/v1/responses'))).toBeUndefined();
    expect(() => openai({ baseURL: 'llm.example.com' })).toThrow(/expected an absolute URL/);
  });
});

describe('chat usage', () => {
  test('reasoning beside the completion is seen by the total (recorded, xAI)', () => {
    const usage = chatUsage({
      prompt_tokens: 401,
      completion_tokens: 44,
      total_tokens: 630,
      prompt_tokens_details: { text_tokens: 401, cached_tokens: 305 },
      completion_tokens_details: { reasoning_tokens: 185 },
    });
    expect(usage.outputTokens).toEqual({ total: 229, reasoning: 185 });
    expect(usage.inputTokens).toMatchObject({ total: 401, uncached: 96, cacheRead: 305 });
    expect(usage.grade).toBe('exact');
  });

  test('reasoning inside the completion stays inside', () => {
    const usage = chatUsage({
      prompt_tokens: 687,
      completion_tokens: 240,
      total_tokens: 927,
      completion_tokens_details: { reasoning_tokens: 165 },
    });
    expect(usage.outputTokens).toEqual({ total: 240, reasoning: 165 });
  });

  test('audio beside the prompt is seen by the total (recorded, Mistral)', () => {
    const usage = chatUsage({
      prompt_tokens: 9,
      completion_tokens: 201,
      total_tokens: 585,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 375 },
    });
    expect(usage.inputTokens).toMatchObject({ total: 384, uncached: 384 });
    expect(usage.grade).toBe('exact');
  });

  test('hidden thinking is the rest of the total, where the provider hides it (recorded, Google)', () => {
    const raw = { prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 };
    expect(chatUsage(raw, { hiddenOutput: true }).outputTokens.total).toBe(74);
    expect(chatUsage(raw)).toMatchObject({ outputTokens: { total: 12 }, grade: 'partial' });
  });

  test.each([
    ['DeepSeek', { prompt_cache_hit_tokens: 7, prompt_cache_miss_tokens: 3 }],
    ['Mistral', { num_cached_tokens: 7 }],
    ['Moonshot and Together', { cached_tokens: 7 }],
    ['Databricks and Venice', { cache_read_input_tokens: 7 }],
    ['Writer', { prompt_token_details: { cached_tokens: 7 } }],
  ])('cached tokens as %s names them', (_, cached) => {
    const usage = chatUsage({
      prompt_tokens: 10,
      completion_tokens: 1,
      total_tokens: 11,
      ...cached,
    });
    expect(usage.inputTokens).toMatchObject({ total: 10, uncached: 3, cacheRead: 7 });
  });

  test('overlapping counts are cut to the prompt (recorded, OpenRouter in front of Gemini)', () => {
    const usage = chatUsage({
      prompt_tokens: 2168,
      completion_tokens: 100,
      total_tokens: 2268,
      prompt_tokens_details: { cached_tokens: 2161, cache_write_tokens: 2161 },
    });
    expect(usage.inputTokens).toMatchObject({
      total: 2168,
      uncached: 0,
      cacheRead: 2161,
      cacheWrite: 7,
    });
    expect(usage.grade).toBe('partial');
  });

  test('what is not reported stays unknown', () => {
    const usage = chatUsage({ prompt_tokens: 5, completion_tokens: 0 });
    expect(usage.inputTokens.cacheRead).toBeUndefined();
    expect(usage.outputTokens).toEqual({ total: 0, reasoning: undefined });
    expect(chatUsage({}).grade).toBe('none');
  });
});

test('Responses usage that does not add up is partial', () => {
  const raw = { input_tokens: 5, output_tokens: 6, total_tokens: 12 };
  expect(responsesUsage(raw).grade).toBe('partial');
  expect(responsesUsage({ ...raw, total_tokens: 11 }).grade).toBe('exact');
});

test('embeddings with only a total (recorded, Voyage)', () => {
  expect(embeddingsUsage({ total_tokens: 6 })).toMatchObject({
    inputTokens: { total: 6 },
    outputTokens: { total: 0 },
    grade: 'exact',
  });
});

describe('output text', () => {
  test('of chat events and answers, tool arguments included', () => {
    const event =
      '{"choices":[{"delta":{"content":"a","reasoning_content":"b","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}';
    expect(chatCompletions.outputText(new JsonView(event))).toBe('abf{}');
    expect(chatCompletions.outputText(new JsonView('{"choices":[{"text":"c"}]}'))).toBe('c');
  });

  test('of Responses: increments once, and the whole answer once', () => {
    const delta = '{"type":"response.output_text.delta","delta":"Hi"}';
    const done = '{"type":"response.output_text.done","text":"Hi"}';
    const answer = '{"output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]}';
    const texts = [delta, done, answer].map((text) => responses.outputText(new JsonView(text)));
    expect(texts).toEqual(['Hi', '', 'Hi']);
  });
});
