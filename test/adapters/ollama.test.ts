import { expect, test } from 'vitest';
import { ollama } from '../../adapters/ollama/index.ts';
import { testAdapter } from './contract.ts';

testAdapter(ollama(), [
  {
    name: 'a stream in JSON lines (recorded)',
    url: 'http://localhost:11434/api/chat',
    events: [
      '{"model":"qwen3:4b","created_at":"2026-08-17T08:22:53Z","message":{"role":"assistant","content":"pong"},"done":false}',
      '{"model":"qwen3:4b","created_at":"2026-08-17T08:22:53Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","prompt_eval_count":18,"eval_count":64}',
    ],
    expect: {
      provider: 'ollama',
      api: 'other',
      model: 'qwen3:4b',
      input: { total: 18, uncached: 18 },
      output: { total: 64 },
      complete: true,
      grade: 'exact',
    },
  },
  {
    name: 'an answer to a wholly cached prompt, whose input is unknown (recorded)',
    url: 'http://127.0.0.1:11434/api/generate',
    answer: '{"model":"llama3","response":"!","done":true,"done_reason":"stop","eval_count":58}',
    expect: { input: {}, output: { total: 58 }, grade: 'partial' },
  },
  {
    name: 'an error answer',
    url: 'https://ollama.com/api/chat',
    answer: '{"error":"model \\"x\\" not found"}',
    expect: { error: {}, grade: 'none' },
  },
]);

test.each([
  ['http://localhost:11434/v1/chat/completions', 'chat.completions', 'try'],
  ['http://localhost:11434/v1/messages', 'messages', undefined],
  ['http://localhost:11434/api/embed', 'embeddings', undefined],
  ['http://localhost:11434/api/tags', 'other', undefined],
])('%s', (url, api, streamUsage) => {
  const endpoint = ollama().match(new URL(url));
  expect(endpoint).toMatchObject({ provider: 'ollama', api });
  expect(endpoint?.streamUsage).toBe(streamUsage);
});

test('its paths at other ports are left to others, unless told', () => {
  const url = new URL('https://my.app/api/chat');
  expect(ollama().match(url)).toBeUndefined();
  expect(ollama({ baseURL: 'https://my.app' }).match(url)?.provider).toBe('ollama');
});
