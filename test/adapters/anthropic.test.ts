import { describe, expect, test } from 'vitest';
import { anthropic } from '../../adapters/anthropic/index.ts';
import { messagesUsage } from '../../adapters/anthropic/usage.ts';
import { messages } from '../../adapters/anthropic/wire.ts';
import type { AnswerFacts } from '../../src/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { testAdapter } from './contract.ts';

const MESSAGES = 'https://api.anthropic.com/v1/messages?beta=true';

const START =
  '{"type":"message_start","message":{"model":"claude-sonnet-4-6","id":"msg_1","usage":{"input_tokens":1128,"cache_creation_input_tokens":300,"cache_read_input_tokens":2000,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens":4,"service_tier":"standard"}}}  ';
const DELTA =
  '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":2411,"cache_creation_input_tokens":null,"cache_read_input_tokens":null,"output_tokens":503,"output_tokens_details":{"thinking_tokens":77}}}';

testAdapter(anthropic(), [
  {
    name: 'an answer with writes of both lifetimes',
    url: MESSAGES,
    answer:
      '{"model":"claude-haiku-4-5-20251001","type":"message","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_creation_input_tokens":1956,"cache_read_input_tokens":9511,"cache_creation":{"ephemeral_5m_input_tokens":956,"ephemeral_1h_input_tokens":1000},"output_tokens":44}}',
    expect: {
      provider: 'anthropic',
      api: 'messages',
      model: 'claude-haiku-4-5-20251001',
      input: { total: 11470, uncached: 3, cacheRead: 9511, cacheWrite: 956, cacheWrite1h: 1000 },
      output: { total: 44 },
      grade: 'exact',
    },
  },
  {
    name: 'a stream whose last usage restates the input after a server tool',
    url: MESSAGES,
    events: [
      { name: 'message_start', data: START },
      { name: 'ping', data: '{"type": "ping"}' },
      {
        name: 'content_block_delta',
        data: '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\"error\\""}}',
      },
      { name: 'message_delta', data: DELTA },
      { name: 'message_stop', data: '{"type":"message_stop"     }' },
    ],
    expect: {
      model: 'claude-sonnet-4-6',
      input: { total: 4711, uncached: 2411, cacheRead: 2000, cacheWrite: 100, cacheWrite1h: 200 },
      output: { total: 503, reasoning: 77 },
      complete: true,
      grade: 'exact',
    },
  },
  {
    name: 'an overload in mid-stream',
    url: MESSAGES,
    events: [
      { name: 'message_start', data: START },
      {
        name: 'error',
        data: '{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_011"}',
      },
    ],
    expect: { error: { type: 'overloaded_error' }, complete: false, output: { total: 4 } },
  },
  {
    name: 'an error answer (recorded)',
    url: MESSAGES,
    answer:
      '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"req_011CeEEt722rfCAcdwH1yUGv"}',
    expect: { error: { type: 'authentication_error' }, grade: 'none' },
  },
]);

test('an error names its request', () => {
  const facts: AnswerFacts = {};
  const body = '{"type":"error","error":{"type":"api_error","message":"x"},"request_id":"req_1"}';
  messages.answer(new JsonView(body), facts);
  expect(facts.requestId).toBe('req_1');
});

describe('usage', () => {
  test('without a split of the writes their lifetime of one hour is unknown', () => {
    const usage = messagesUsage({
      input_tokens: 10,
      cache_creation_input_tokens: 8,
      output_tokens: 1,
    });
    expect(usage.inputTokens).toEqual({
      total: 18,
      uncached: 10,
      cacheRead: undefined,
      cacheWrite: 8,
      cacheWrite1h: undefined,
    });
  });

  test('a split larger than its sum is cut to it', () => {
    const usage = messagesUsage({
      input_tokens: 1,
      cache_creation_input_tokens: 5,
      cache_creation: { ephemeral_1h_input_tokens: 9 },
      output_tokens: 1,
    });
    expect(usage.inputTokens).toMatchObject({ total: 6, cacheWrite: 0, cacheWrite1h: 5 });
    expect(usage.grade).toBe('partial');
  });

  test('is partial where compaction or another model was billed beside it', () => {
    const top = { input_tokens: 682, output_tokens: 10 };
    const message = { type: 'message', ...top };
    const compaction = { type: 'compaction', input_tokens: 60_385, output_tokens: 900 };
    expect(messagesUsage({ ...top, iterations: [message] }).grade).toBe('exact');
    expect(messagesUsage({ ...top, iterations: [compaction, message] }).grade).toBe('partial');
  });
});

describe('which paths are billed', () => {
  const adapter = anthropic();
  test.each(['/v1/messages/count_tokens', '/v1/messages/batches', '/v1/models', '/v1/files'])(
    '%s is not',
    (path) => {
      expect(adapter.match(new URL(path, 'https://api.anthropic.com'))).toEqual({
        provider: 'anthropic',
        api: 'other',
      });
    },
  );

  test('the OpenAI-compatible path is', () => {
    expect(adapter.match(new URL('https://api.anthropic.com/v1/chat/completions'))).toMatchObject({
      provider: 'anthropic',
      api: 'chat.completions',
    });
  });
});

test('output text counts increments and tool inputs', () => {
  const texts = [
    '{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a"}}',
    '{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\\"b\\""}}',
    '{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"zzz"}}',
    '{"content":[{"type":"text","text":"c"},{"type":"tool_use","name":"f","input":{"d":1}}]}',
  ];
  expect(texts.map((text) => messages.outputText(new JsonView(text)))).toEqual([
    'a',
    '{"b"',
    '',
    'cf{"d":1}',
  ]);
});
