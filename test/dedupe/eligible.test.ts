import { describe, expect, test } from 'vitest';
import { isEligible } from '../../src/dedupe/eligible.ts';
import type { DedupeMode } from '../../src/dedupe/settings.ts';
import type { CallContext } from '../../src/types.ts';
import { callOf } from './calls.ts';
import { CHAT_URL, JSON_HEADERS } from './provider.ts';

const RESPONSES = 'https://api.openai.com/v1/responses';
const MESSAGES = 'https://api.anthropic.com/v1/messages';
const GEMINI =
  'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent';
const CONVERSE =
  'https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/converse';
const EMBEDDINGS = 'https://api.openai.com/v1/embeddings';

interface Options {
  readonly mode?: DedupeMode;
  readonly dedupe?: CallContext['dedupe'];
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly promptCache?: 'auto' | 'off';
}

async function eligible(url: string, body: unknown, options: Options = {}): Promise<boolean> {
  const { mode = 'deterministic', dedupe, headers, method = 'POST', promptCache = 'off' } = options;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const init = { method, body: text, headers: { ...JSON_HEADERS, ...headers } };
  return isEligible(await callOf({ url, init, context: { dedupe }, promptCache }), mode);
}

const MESSAGE = [{ role: 'user', content: 'Hello "temperature": 0, "seed": 1' }];
const chat = (more: object = {}): object => ({ model: 'gpt-4o', messages: MESSAGE, ...more });
const gemini = (generationConfig: object): object => ({ contents: [], generationConfig });

describe.each(['off', 'auto'] as const)('deterministic, prompt cache %s', (promptCache) => {
  test.each<[string, string, unknown]>([
    ['temperature 0', CHAT_URL, chat({ temperature: 0 })],
    ['temperature 0.0', CHAT_URL, '{"model":"gpt-4o","messages":[],"temperature": 0.0 }'],
    ['a seed', CHAT_URL, chat({ seed: 7, temperature: 1 })],
    ['several choices', CHAT_URL, chat({ temperature: 0, n: 4 })],
    ['the Messages format', MESSAGES, chat({ temperature: 0, max_tokens: 9 })],
    ['the Responses format', RESPONSES, { model: 'gpt-4o', input: 'Hi', temperature: 0 }],
    ['a stored response', RESPONSES, { input: 'Hi', temperature: 0, store: true }],
    ['the next turn of one', RESPONSES, { input: 'Hi', temperature: 0, previous_response_id: 'r' }],
    ['no background', RESPONSES, { input: 'Hi', temperature: 0, background: false }],
    ['no conversation', RESPONSES, { input: 'Hi', temperature: 0, conversation: null }],
    ['a function', CHAT_URL, chat({ temperature: 0, tools: [{ type: 'function' }] })],
    ['Gemini', GEMINI, gemini({ temperature: 0 })],
    ['Gemini with a seed', GEMINI, gemini({ temperature: 1, seed: 3 })],
    ['Converse', CONVERSE, { messages: [], inferenceConfig: { maxTokens: 9, temperature: 0 } }],
    ['embeddings', EMBEDDINGS, { model: 'text-embedding-3-small', input: 'Hi' }],
  ])('%s', async (_name, url, body) => {
    expect(await eligible(url, body, { promptCache })).toBe(true);
    expect(await eligible(url, body, { promptCache, mode: 'off' })).toBe(false);
    expect(await eligible(url, body, { promptCache, dedupe: 'off' })).toBe(false);
    expect(await eligible(url, body, { promptCache, mode: 'off', dedupe: 'force' })).toBe(true);
  });

  test.each<[string, string, unknown]>([
    ['no temperature', CHAT_URL, chat()],
    ['temperature 1', CHAT_URL, chat({ temperature: 1 })],
    ['temperature 0.01', CHAT_URL, chat({ temperature: 0.01 })],
    ['temperature null', CHAT_URL, chat({ temperature: null, seed: null })],
    ['temperature "0"', CHAT_URL, chat({ temperature: '0' })],
    ['temperature in a tool', CHAT_URL, chat({ tools: [{ temperature: 0, seed: 1 }] })],
    ['Gemini without a config', GEMINI, { contents: [], temperature: 0 }],
    [
      'a temperature in the schema of Gemini’s answer',
      GEMINI,
      gemini({ responseSchema: { example: { temperature: 0, seed: 1 } } }),
    ],
    ['Converse', CONVERSE, { messages: [], inferenceConfig: { temperature: 0.5 }, temperature: 0 }],
  ])('not: %s', async (_name, url, body) => {
    expect(await eligible(url, body, { promptCache })).toBe(false);
    expect(await eligible(url, body, { promptCache, mode: 'all' })).toBe(true);
    expect(await eligible(url, body, { promptCache, dedupe: 'force' })).toBe(true);
    expect(await eligible(url, body, { promptCache, mode: 'all', dedupe: 'off' })).toBe(false);
  });

  test.each<[string, string, unknown]>([
    ['a job', RESPONSES, { input: 'Hi', temperature: 0, background: true }],
    [
      'a turn of a stored conversation',
      RESPONSES,
      { input: '', temperature: 0, conversation: 'c' },
    ],
    ['code in a lasting container', MESSAGES, chat({ temperature: 0, container: 'c' })],
    ['servers to act on', MESSAGES, chat({ temperature: 0, mcp_servers: [{ url: 'u' }] })],
    ['a tool on a server', RESPONSES, { input: '', temperature: 0, tools: [{ type: 'mcp' }] }],
  ])('what does more than answer: %s', async (_name, url, body) => {
    expect(await eligible(url, body, { promptCache })).toBe(false);
    expect(await eligible(url, body, { promptCache, mode: 'all' })).toBe(false);
    expect(await eligible(url, body, { promptCache, dedupe: 'force' })).toBe(true);
    const headers = { 'Idempotency-Key': 'k' };
    expect(await eligible(url, body, { promptCache, headers })).toBe(true);
  });
});

test('an idempotency key makes any call one of a kind', async () => {
  expect(await eligible(CHAT_URL, chat(), { headers: { 'Idempotency-Key': 'k' } })).toBe(true);
  expect(await eligible(CHAT_URL, chat(), { headers: { 'x-idempotency': 'k' } })).toBe(false);
});

test.each<[string, string, string]>([
  ['a list of models', 'https://api.openai.com/v1/models', 'POST'],
  ['an unknown host', 'https://example.com/v1/unknown', 'POST'],
  ['another method', CHAT_URL, 'PUT'],
])('never, not even by force: %s', async (_name, url, method) => {
  expect(await eligible(url, chat({ temperature: 0 }), { method, dedupe: 'force' })).toBe(false);
});

test('a body that is bytes is read as well', async () => {
  const body = new TextEncoder().encode(JSON.stringify(chat({ temperature: 0 })));
  const call = await callOf({ init: { method: 'POST', body, headers: JSON_HEADERS } });
  expect(isEligible(call, 'deterministic')).toBe(true);
});
