import { expect, test } from 'vitest';
import { cohere } from '../../adapters/cohere/index.ts';
import { testAdapter } from './contract.ts';

testAdapter(cohere(), [
  {
    name: 'a stream of version 2 (recorded)',
    url: 'https://api.cohere.com/v2/chat',
    events: [
      {
        name: 'message-start',
        data: '{"id":"2e5f","type":"message-start","delta":{"message":{"role":"assistant","content":[]}}}',
      },
      {
        name: 'message-end',
        data: '{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":2},"tokens":{"input_tokens":500,"output_tokens":4},"cached_tokens":448}}}',
      },
      '[DONE]',
    ],
    expect: {
      provider: 'cohere',
      api: 'other',
      input: { total: 500, uncached: 52, cacheRead: 448 },
      output: { total: 4 },
      complete: true,
      grade: 'exact',
    },
  },
  {
    name: 'a stream of version 1, in JSON lines',
    url: 'https://api.cohere.ai/v1/chat',
    events: [
      '{"is_finished":false,"event_type":"text-generation","text":"Hi"}',
      '{"is_finished":true,"event_type":"stream-end","finish_reason":"COMPLETE","response":{"text":"Hi","meta":{"billed_units":{"input_tokens":7,"output_tokens":7},"tokens":{"input_tokens":73,"output_tokens":8}}}}',
    ],
    expect: { input: { total: 73, uncached: 73 }, output: { total: 8 }, complete: true },
  },
  {
    name: 'embeddings, which only count billed units (recorded)',
    url: 'https://api.cohere.com/v2/embed',
    answer:
      '{"id":"f5","embeddings":{"float":[[0.1]]},"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":10}},"response_type":"embeddings_by_type"}',
    expect: { api: 'embeddings', input: { total: 10, uncached: 10 }, output: { total: 0 } },
  },
  {
    name: 'an error answer, which is a message alone',
    url: 'https://api.cohere.com/v2/chat',
    answer: '{"id":"1","message":"invalid api token"}',
    expect: { error: {}, grade: 'none' },
  },
]);

test.each(['/v1/tokenize', '/v2/rerank', '/v1/models'])('%s is not billed in tokens', (path) => {
  expect(cohere().match(new URL(path, 'https://api.cohere.com'))).toEqual({
    provider: 'cohere',
    api: 'other',
  });
});
