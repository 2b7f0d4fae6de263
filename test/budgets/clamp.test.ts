import { describe, expect, test } from 'vitest';
import { builtInAdapters } from '../../adapters/index.ts';
import { canClamp, clampOutput } from '../../src/budgets/clamp.ts';
import { Call } from '../../src/call.ts';
import { createUrlLookup } from '../../src/endpoints.ts';
import { edited } from '../../src/stages/send/edited-call.ts';
import { JsonView } from '../../src/util/json-view.ts';

const OPENAI = 'https://api.openai.com/v1';
const GEMINI =
  'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent';
const lookUp = createUrlLookup(builtInAdapters);

function callOf(url: string, body: string | Uint8Array, headers: string[] = []): Call {
  const start = {
    id: 'x',
    startedAt: 0,
    startedEpochMs: 0,
    input: url,
    init: undefined,
    transport: undefined,
    context: { priority: 'normal' as const },
    headers,
  };
  const parts = { url, method: 'POST', body, redirect: 'follow' as const, signal: undefined };
  const call = new Call(start, { ...parts, headers, consumed: false });
  call.endpoint = lookUp(url).endpoint;
  call.json = typeof body === 'string' ? new JsonView(body) : JsonView.ofBytes(body);
  return call;
}

/** What goes out. */
function clamped(url: string, body: string | Uint8Array): unknown {
  const call = callOf(url, body);
  expect(canClamp(call)).toBe(true);
  clampOutput(call, 100);
  return edited(call).body;
}

describe('the bound', () => {
  test.each([
    [`${OPENAI}/chat/completions`, '{"max_tokens": 500,"n":1}', '{"max_tokens": 100,"n":1}'],
    [
      `${OPENAI}/chat/completions`,
      '{"max_completion_tokens":500}',
      '{"max_completion_tokens":100}',
    ],
    [`${OPENAI}/chat/completions`, '{"n":3,"max_tokens":500}', '{"n":3,"max_tokens":33}'],
    [`${OPENAI}/chat/completions`, '{"a":1 }', '{"a":1 ,"max_completion_tokens":100}'],
    ['https://api.groq.com/openai/v1/chat/completions', '{}', '{"max_tokens":100}'],
    [`${OPENAI}/responses`, '{"max_output_tokens":500}', '{"max_output_tokens":100}'],
    ['https://api.anthropic.com/v1/messages', '{"max_tokens":500}', '{"max_tokens":100}'],
    [GEMINI, '{"contents":[]}', '{"contents":[],"generationConfig":{"maxOutputTokens":100}}'],
    [
      GEMINI,
      '{"generationConfig":{"temperature":0},"contents":[]}',
      '{"generationConfig":{"temperature":0,"maxOutputTokens":100},"contents":[]}',
    ],
    [
      GEMINI,
      '{"generationConfig": {"maxOutputTokens":5000}}',
      '{"generationConfig": {"maxOutputTokens":100}}',
    ],
  ])('of %s %s', (url, body, expected) => {
    expect(clamped(url, body)).toBe(expected);
  });

  test('of a body of bytes, which is text from then on', () => {
    const bytes = new TextEncoder().encode('{"prompt":"für","max_tokens":500}');
    expect(clamped(`${OPENAI}/completions`, bytes)).toBe('{"prompt":"für","max_tokens":100}');
  });

  test('between other edits', () => {
    const body = '{"max_tokens":500,"stream":true}';
    const call = callOf(`${OPENAI}/completions`, body);
    call.edits = [
      { at: 1, remove: 0, insert: '"a":1,' },
      { at: body.length - 1, remove: 0, insert: ',"z":1' },
    ];
    clampOutput(call, 7);
    expect(edited(call).body).toBe('{"a":1,"max_tokens":7,"stream":true,"z":1}');
  });
});

test('nothing is changed that is signed, no object, of another format, or thinks within the bound', () => {
  const can = (url: string, body: string, headers?: string[]): boolean =>
    canClamp(callOf(url, body, headers));
  expect(can(`${OPENAI}/chat/completions`, '{}')).toBe(true);
  expect(can(`${OPENAI}/chat/completions`, '[1]')).toBe(false);
  expect(can(`${OPENAI}/embeddings`, '{}')).toBe(false);
  expect(can(`${OPENAI}/chat/completions`, '{}', ['content-md5', 'x'])).toBe(false);
  expect(can('https://api.anthropic.com/v1/messages', '{"thinking":{"budget_tokens":9}}')).toBe(
    false,
  );
});
