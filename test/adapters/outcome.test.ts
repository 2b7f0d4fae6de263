import { describe, expect, test } from 'vitest';
import { anthropicErrorOutcomes } from '../../adapters/anthropic/errors.ts';
import { bedrockErrorOutcomes } from '../../adapters/bedrock/errors.ts';
import { geminiErrorOutcomes } from '../../adapters/gemini/errors.ts';
import { openaiErrorOutcomes } from '../../adapters/openai/errors.ts';
import { requestIdOf } from '../../src/util/request-id.ts';
import { outcomeOf } from '../../src/util/outcome-of.ts';

describe('the outcome by status alone', () => {
  test.each([
    [200, 'ok'],
    [400, 'client_error'],
    [401, 'client_error'],
    [408, 'timeout'],
    [429, 'rate_limited'],
    [500, 'server_error'],
    [502, 'server_error'],
    [503, 'overloaded'],
    [504, 'server_error'],
    [529, 'overloaded'],
  ])('%i is %s', (status, outcome) => {
    expect(outcomeOf(status)).toBe(outcome);
  });
});

describe('the outcome by the name of the error', () => {
  test.each([
    [
      'Anthropic in mid-stream',
      200,
      { type: 'overloaded_error' },
      anthropicErrorOutcomes,
      'overloaded',
    ],
    [
      'Anthropic under another status',
      500,
      { type: 'overloaded_error' },
      anthropicErrorOutcomes,
      'overloaded',
    ],
    ['OpenAI', 503, { code: 'server_is_overloaded' }, openaiErrorOutcomes, 'overloaded'],
    [
      'OpenAI in mid-stream',
      200,
      { type: 'error', code: 'rate_limit_exceeded' },
      openaiErrorOutcomes,
      'rate_limited',
    ],
    [
      'Groq in mid-stream',
      200,
      { type: 'invalid_request_error', code: 'tool_use_failed' },
      openaiErrorOutcomes,
      'client_error',
    ],
    ['OpenRouter in mid-stream', 200, { code: '502' }, openaiErrorOutcomes, 'server_error'],
    [
      'OpenRouter, limited in mid-stream',
      200,
      { code: '429' },
      openaiErrorOutcomes,
      'rate_limited',
    ],
    [
      'Google with a status of its own',
      400,
      { type: 'RESOURCE_EXHAUSTED', code: '400' },
      geminiErrorOutcomes,
      'rate_limited',
    ],
    [
      'Google in mid-stream',
      200,
      { type: 'UNAVAILABLE', code: '503' },
      geminiErrorOutcomes,
      'overloaded',
    ],
    [
      'Bedrock in mid-stream',
      200,
      { type: 'ThrottlingException' },
      bedrockErrorOutcomes,
      'rate_limited',
    ],
    [
      'a name that the status outweighs',
      500,
      { type: 'invalid_request_error' },
      openaiErrorOutcomes,
      'server_error',
    ],
    ['an unknown error in mid-stream', 200, {}, openaiErrorOutcomes, 'server_error'],
  ] as const)('%s', (_, status, error, table, outcome) => {
    expect(outcomeOf(status, error, table)).toBe(outcome);
  });
});

describe('the request id in the headers', () => {
  test.each([
    [{ 'request-id': 'req_1' }, 'req_1'],
    [{ 'x-request-id': 'b', 'apim-request-id': 'a' }, 'a'],
    [{ 'x-amzn-requestid': 'c' }, 'c'],
    [{ 'x-generation-id': '' }, undefined],
    [{}, undefined],
  ])('%o', (headers: Record<string, string>, id) => {
    expect(requestIdOf((name) => headers[name])).toBe(id);
  });
});
