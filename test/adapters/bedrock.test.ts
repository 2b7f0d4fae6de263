import { describe, expect, test } from 'vitest';
import { bedrock } from '../../adapters/bedrock/index.ts';
import { converseUsage } from '../../adapters/bedrock/usage.ts';
import { invoke } from '../../adapters/bedrock/wire.ts';
import type { AnswerFacts } from '../../src/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { testAdapter } from './contract.ts';

const HOST = 'https://bedrock-runtime.us-east-1.amazonaws.com';

/** A chunk of invoke-with-response-stream: the model's own event, wrapped. */
function chunk(event: object): { name: string; data: string } {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64');
  return { name: 'chunk', data: JSON.stringify({ bytes, p: 'abcdefgh' }) };
}

testAdapter(bedrock(), [
  {
    name: 'a Converse stream with a written cache (recorded)',
    url: `${HOST}/model/us.anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse-stream`,
    events: [
      { name: 'messageStart', data: '{"p":"abc","role":"assistant"}' },
      {
        name: 'contentBlockDelta',
        data: '{"contentBlockIndex":0,"delta":{"text":"\\"usage\\":"},"p":"abcd"}',
      },
      { name: 'messageStop', data: '{"p":"abc","stopReason":"end_turn"}' },
      {
        name: 'metadata',
        data: '{"metrics":{"latencyMs":7211},"p":"abc","usage":{"cacheReadInputTokenCount":0,"cacheReadInputTokens":0,"cacheWriteInputTokenCount":1028,"cacheWriteInputTokens":1028,"inputTokens":11,"outputTokens":236,"totalTokens":1275}}',
      },
    ],
    expect: {
      provider: 'aws.bedrock',
      api: 'other',
      input: { total: 1039, uncached: 11, cacheRead: 0, cacheWrite: 1028 },
      output: { total: 236 },
      complete: true,
      grade: 'exact',
    },
  },
  {
    name: 'an exception in mid-stream',
    url: `${HOST}/model/m/converse-stream`,
    events: [
      { name: 'messageStart', data: '{"role":"assistant"}' },
      { name: 'throttlingException', data: '{"message":"Too many requests, please wait"}' },
    ],
    expect: { error: { type: 'ThrottlingException' }, complete: false },
  },
  {
    name: 'an error answer, named in a header',
    url: `${HOST}/model/m/converse`,
    headers: {
      'x-amzn-errortype':
        'ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/',
    },
    answer: '{"message":"The provided model identifier is invalid."}',
    expect: { error: { type: 'ValidationException' }, grade: 'none' },
  },
  {
    name: 'a Claude stream through invoke (recorded)',
    url: `${HOST}/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream`,
    events: [
      chunk({
        type: 'message_start',
        message: {
          model: 'claude-haiku-4-5-20251001',
          usage: {
            input_tokens: 16,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
            output_tokens: 5,
          },
        },
      }),
      chunk({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 18 },
      }),
      chunk({
        type: 'message_stop',
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 16, outputTokenCount: 9 },
      }),
    ],
    expect: {
      api: 'messages',
      model: 'claude-haiku-4-5-20251001',
      input: { total: 16, uncached: 16, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0 },
      output: { total: 18 },
      complete: true,
    },
  },
  {
    name: 'a Titan stream whose counts come in different chunks (recorded)',
    url: `${HOST}/model/amazon.titan-text-express-v1/invoke-with-response-stream`,
    events: [
      chunk({ outputText: 'a', totalOutputTextTokenCount: null, inputTextTokenCount: 13 }),
      chunk({
        outputText: 'b',
        totalOutputTextTokenCount: 100,
        completionReason: 'LENGTH',
        inputTextTokenCount: null,
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 13, outputTokenCount: 100 },
      }),
    ],
    expect: { input: { total: 13, uncached: 13 }, output: { total: 100 }, complete: true },
  },
  {
    name: 'a Nova stream through invoke (recorded)',
    url: `${HOST}/model/amazon.nova-micro-v1%3A0/invoke-with-response-stream`,
    events: [
      chunk({ messageStop: { stopReason: 'end_turn' } }),
      chunk({
        metadata: {
          usage: {
            inputTokens: 12,
            outputTokens: 13,
            cacheReadInputTokenCount: 0,
            cacheWriteInputTokenCount: 0,
          },
        },
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 12, outputTokenCount: 13 },
      }),
    ],
    expect: {
      input: { total: 12, uncached: 12, cacheRead: 0, cacheWrite: 0 },
      output: { total: 13 },
    },
  },
  {
    name: 'a Llama answer',
    url: `${HOST}/model/meta.llama3-8b-instruct-v1%3A0/invoke`,
    answer:
      '{"generation":"Hi","prompt_token_count":6,"generation_token_count":18,"stop_reason":"stop"}',
    expect: { input: { total: 6, uncached: 6 }, output: { total: 18 }, grade: 'exact' },
  },
  {
    name: 'a Titan answer',
    url: `${HOST}/model/amazon.titan-text-lite-v1/invoke`,
    answer:
      '{"inputTextTokenCount":7,"results":[{"tokenCount":98,"outputText":"P","completionReason":"FINISH"}]}',
    expect: { input: { total: 7, uncached: 7 }, output: { total: 98 } },
  },
  {
    name: 'an answer that is only counted in headers (recorded)',
    url: `${HOST}/model/mistral.mistral-7b-instruct-v0:2/invoke`,
    headers: {
      'x-amzn-bedrock-input-token-count': '8',
      'x-amzn-bedrock-output-token-count': '129',
    },
    answer: '{"outputs":[{"text":" Paris","stop_reason":"stop"}]}',
    expect: { input: { total: 8, uncached: 8 }, output: { total: 129 }, grade: 'exact' },
  },
]);

describe('what the URL says', () => {
  const adapter = bedrock();

  test('an inference profile is the model', () => {
    const arn = 'arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/mi1';
    const url = `${HOST}/model/${encodeURIComponent(arn)}/converse`;
    expect(adapter.match(new URL(url))).toMatchObject({ model: arn, stream: false });
  });

  test.each([
    'https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses',
    'https://bedrock-mantle.us-east-1.api.aws/v1/responses',
  ])('%s is in the Responses format', (url) => {
    expect(adapter.match(new URL(url))).toMatchObject({
      provider: 'aws.bedrock',
      api: 'responses',
    });
  });

  test.each([
    `${HOST}/model/anthropic.claude-sonnet-4/count-tokens`,
    `${HOST}/guardrail/g/version/1/apply`,
  ])('%s is not billed in tokens', (url) => {
    expect(adapter.match(new URL(url))).toEqual({ provider: 'aws.bedrock', api: 'other' });
  });

  test.each([
    'https://vpce-0a1b-cdef.bedrock-runtime.eu-west-1.vpce.amazonaws.com/model/m/converse',
    'https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/model/m/converse',
  ])('%s is Bedrock', (url) => {
    expect(adapter.match(new URL(url))?.wire?.name).toBe('converse');
  });

  test('other services of AWS are not', () => {
    expect(
      adapter.match(new URL('https://s3.us-east-1.amazonaws.com/model/m/converse')),
    ).toBeUndefined();
    expect(
      adapter.match(new URL('https://bedrock-runtime.us-east-1.amazonaws.com.evil.com/')),
    ).toBeUndefined();
  });
});

test('writes that live one hour are told apart by their details', () => {
  const usage = converseUsage({
    inputTokens: 3,
    outputTokens: 1,
    cacheReadInputTokens: 0,
    cacheWriteInputTokens: 1712,
    cacheDetails: [
      { ttl: '1h', inputTokens: 1000 },
      { ttl: '5m', inputTokens: 712 },
    ],
  });
  expect(usage.inputTokens).toMatchObject({ total: 1715, cacheWrite: 712, cacheWrite1h: 1000 });
});

test('the body goes before the headers', () => {
  const facts: AnswerFacts = {};
  const headers: Record<string, string> = { 'x-amzn-bedrock-input-token-count': '4' };
  invoke.headers?.((name) => headers[name], facts);
  invoke.answer(
    new JsonView('{"usage":{"input_tokens":4,"cache_read_input_tokens":1209,"output_tokens":10}}'),
    facts,
  );
  expect(invoke.usage(facts.usage).inputTokens).toMatchObject({ total: 1213, cacheRead: 1209 });
});

test('output text is read out of the wrapping', () => {
  const { data } = chunk({
    type: 'content_block_delta',
    delta: { type: 'text_delta', text: 'Hi' },
  });
  expect(invoke.outputText(new JsonView(data))).toBe('Hi');
  expect(invoke.outputText(new JsonView('{"generation":"Ho"}'))).toBe('Ho');
});
