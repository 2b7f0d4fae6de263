import { describe, expect, test } from 'vitest';
import { gemini } from '../../adapters/gemini/index.ts';
import { generateContentUsage } from '../../adapters/gemini/usage.ts';
import { generateContent } from '../../adapters/gemini/wire.ts';
import type { AnswerFacts } from '../../src/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { testAdapter } from './contract.ts';

const MODELS = 'https://generativelanguage.googleapis.com/v1beta/models';
const VERTEX =
  'https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers';

const FIRST_CHUNK =
  '{"candidates":[{"content":{"parts":[{"text":"\\"finishReason\\": \\"STOP\\""}],"role":"model"}}],"usageMetadata":{"promptTokenCount":500,"cachedContentTokenCount":183,"totalTokenCount":500},"modelVersion":"gemini-3-flash","responseId":"za9"}';
const LAST_CHUNK =
  '{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":500,"candidatesTokenCount":47,"thoughtsTokenCount":60,"toolUsePromptTokenCount":20,"totalTokenCount":627},"modelVersion":"gemini-3-flash"}';

const STREAMED = {
  provider: 'gcp.gemini',
  api: 'generateContent',
  model: 'gemini-3-flash',
  input: { total: 520, uncached: 337, cacheRead: 183 },
  output: { total: 107, reasoning: 60 },
  grade: 'exact',
  complete: true,
} as const;

testAdapter(gemini(), [
  {
    name: 'a stream whose last chunk leaves out what an earlier one said',
    url: `${MODELS}/gemini-3-flash:streamGenerateContent?alt=sse`,
    events: [FIRST_CHUNK, LAST_CHUNK],
    expect: STREAMED,
  },
  {
    name: 'the same stream as one array, without alt=sse',
    url: `${MODELS}/gemini-3-flash:streamGenerateContent`,
    answer: `[${FIRST_CHUNK}\n,\r\n${LAST_CHUNK}]`,
    expect: STREAMED,
  },
  {
    name: 'a blocked prompt',
    url: `${MODELS}/gemini-3-flash:streamGenerateContent?alt=sse`,
    events: [
      '{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12}}',
    ],
    expect: { input: { total: 12, uncached: 12 }, output: { total: 0 }, complete: true },
  },
  {
    name: 'an error answer wrapped in an array',
    url: `${MODELS}/gemini-3-flash:generateContent`,
    answer: '[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]',
    expect: { error: { type: 'RESOURCE_EXHAUSTED', code: '429' }, grade: 'none' },
  },
  {
    name: 'an error of the OpenAI-compatible path wrapped in an array',
    url: 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    answer: '[{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}]',
    expect: { error: { type: 'UNAVAILABLE', code: '503' }, grade: 'none' },
  },
  {
    name: 'Vertex embeddings, counted text by text',
    url: `${VERTEX}/google/models/text-embedding-004:predict`,
    answer:
      '{"predictions":[{"embeddings":{"statistics":{"token_count":2,"truncated":false},"values":[0.1]}},{"embeddings":{"statistics":{"token_count":3},"values":[0.2]}}]}',
    expect: {
      provider: 'gcp.vertex_ai',
      api: 'embeddings',
      input: { total: 5, uncached: 5 },
      output: { total: 0 },
    },
  },
  {
    name: 'an interaction (recorded)',
    url: 'https://generativelanguage.googleapis.com/v1beta/interactions?alt=sse',
    events: [
      {
        name: 'interaction.created',
        data: '{"interaction":{"id":"v1_C","status":"in_progress","model":"gemini-2.5-flash"},"event_type":"interaction.created","metadata":{"usage":{"total_tokens":79,"total_input_tokens":11,"total_cached_tokens":0,"total_output_tokens":0,"total_tool_use_tokens":0,"total_thought_tokens":68}}}',
      },
      {
        name: 'interaction.completed',
        data: '{"interaction":{"id":"v1_C","status":"completed","usage":{"total_tokens":179,"total_input_tokens":11,"total_cached_tokens":0,"total_output_tokens":42,"total_tool_use_tokens":0,"total_thought_tokens":126},"service_tier":"standard","model":"gemini-2.5-flash"},"event_type":"interaction.completed"}',
      },
      { name: 'done', data: '[DONE]' },
    ],
    expect: {
      api: 'other',
      model: 'gemini-2.5-flash',
      input: { total: 11, uncached: 11, cacheRead: 0 },
      output: { total: 168, reasoning: 126 },
      complete: true,
      grade: 'exact',
    },
  },
  {
    name: 'the OpenAI-compatible path, whose thinking only shows in the total (recorded)',
    url: 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    answer:
      '{"choices":[{"finish_reason":"stop"}],"model":"gemini-2.5-flash","usage":{"completion_tokens":12,"prompt_tokens":35,"total_tokens":109}}',
    expect: { api: 'chat.completions', input: { total: 35, uncached: 35 }, output: { total: 74 } },
  },
]);

describe('what the URL says', () => {
  const adapter = gemini();
  test.each([
    [`${MODELS}/gemini-2.5-pro:generateContent`, 'generateContent', 'gemini-2.5-pro', false],
    [`${MODELS}/gemini-2.5-pro:streamGenerateContent`, 'generateContent', 'gemini-2.5-pro', true],
    [
      `${MODELS}/gemini-embedding-001:batchEmbedContents`,
      'embeddings',
      'gemini-embedding-001',
      false,
    ],
    [
      `${VERTEX}/anthropic/models/claude-3-7-sonnet@20250219:streamRawPredict`,
      'messages',
      'claude-3-7-sonnet@20250219',
      true,
    ],
    [
      `${VERTEX}/mistralai/models/mistral-large:rawPredict`,
      'chat.completions',
      'mistral-large',
      false,
    ],
  ])('%s', (url, api, model, stream) => {
    expect(adapter.match(new URL(url))).toMatchObject({ api, model, stream });
  });

  test.each([
    `${MODELS}/gemini-2.5-pro:countTokens`,
    `${MODELS}/veo-3:predictLongRunning`,
    `${VERTEX}/anthropic/models/count-tokens:rawPredict`,
    'https://generativelanguage.googleapis.com/v1beta/cachedContents/abc',
    'https://generativelanguage.googleapis.com/v1beta/models',
  ])('%s is not billed', (url) => {
    expect(adapter.match(new URL(url))?.wire).toBeUndefined();
    expect(adapter.match(new URL(url))?.api).toBe('other');
  });
});

describe('usage', () => {
  test('a missing count is the zero that protocol buffers leave out (recorded)', () => {
    const usage = generateContentUsage({ promptTokenCount: 171, totalTokenCount: 171 });
    expect(usage).toMatchObject({ inputTokens: { total: 171 }, outputTokens: { total: 0 } });
    expect(usage.grade).toBe('exact');
  });

  test.each([
    [
      'a total that is not the sum',
      { promptTokenCount: 17, candidatesTokenCount: 492, totalTokenCount: 61 },
    ],
    ['an answer to no prompt', { candidatesTokenCount: 18, thoughtsTokenCount: 58 }],
  ])('%s is partial', (_, raw) => {
    expect(generateContentUsage(raw).grade).toBe('partial');
  });
});

test('data that is no JSON object is not half read', () => {
  const facts: AnswerFacts = {};
  const data = `${FIRST_CHUNK}\ndata: ${LAST_CHUNK}`;
  generateContent.event({ name: '', data, json: new JsonView(data) }, facts);
  expect(facts).toEqual({});
});

test('output text counts text and function calls of every chunk', () => {
  const call =
    '{"candidates":[{"content":{"parts":[{"text":"a"},{"functionCall":{"name":"f","args":{"b":1}}}]}}]}';
  expect(generateContent.outputText(new JsonView(`[${call},${call}]`))).toBe('af{"b":1}af{"b":1}');
});
