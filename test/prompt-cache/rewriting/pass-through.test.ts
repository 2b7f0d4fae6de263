import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createRouter } from '../../../src/index.ts';
import { createRig } from './sent.ts';

/** What is not understood, not ours to change or not to be changed goes out as it came. */

const CHAT = 'https://api.openai.com/v1/chat/completions';
const JSON_BODY = '{ "model":"gpt-4o", "messages":[{"content":"hi","role":"user"}]}';
/** Most of them are long enough for a conversation to be remembered, and come behind a valid one with the same beginning. */
const LONG = 'word '.repeat(2000);
const VALID = `{"messages":[{"role":"user","content":"${LONG}"},{"content":"x","role":"assistant"}],"model":"gpt-4o"}`;

const WRONG: ReadonlyArray<readonly [name: string, body: string]> = [
  ['nothing', ''],
  ['white space', ' \n'],
  ['no JSON', 'hello'],
  ['a string', '"x"'],
  ['an array', `[${VALID}]`],
  ['a number', '1'],
  ['null', 'null'],
  ['two objects', VALID + VALID],
  ['text behind the object', `${VALID} x`],
  ['a cut object', VALID.slice(0, -1)],
  ['a cut string', VALID.slice(0, -10)],
  ['a comma behind the last member', VALID.replace('"gpt-4o"}', '"gpt-4o",}')],
  ['a comma behind the last item', VALID.replace('}],', '},],')],
  ['a comma in front of the first item', VALID.replace('[{', '[,{')],
  ['two commas', VALID.replace('"},{', '"},,{')],
  ['no comma', VALID.replace('},{', '} {')],
  ['no colon', VALID.replace('"content":"x"', '"content" "x"')],
  ['two colons', VALID.replace('"content":"x"', '"content"::"x"')],
  ['no value', VALID.replace('"content":"x"', '"content":')],
  ['a key without quotes', VALID.replace('"content":"x"', 'content:"x"')],
  ['single quotes', VALID.replace('"x"', "'x'")],
  ['a comment', VALID.replace('"x"', '/* */"x"')],
  ['NaN', VALID.replace('"x"', 'NaN')],
  ['Infinity', VALID.replace('"x"', '-Infinity')],
  ['undefined', VALID.replace('"x"', 'undefined')],
  ['True', VALID.replace('"x"', 'True')],
  ['a leading nought', VALID.replace('"x"', '01')],
  ['a leading plus', VALID.replace('"x"', '+1')],
  ['a point without digits', VALID.replace('"x"', '1.')],
  ['digits behind a point alone', VALID.replace('"x"', '.5')],
  ['an exponent without digits', VALID.replace('"x"', '1e')],
  ['a hexadecimal number', VALID.replace('"x"', '0x1')],
  ['letters behind a word', VALID.replace('"x"', 'nulls')],
  ['a closing bracket of the wrong kind', VALID.replace('}],', '}},')],
  ['a brace too many', `${VALID}}`],
  ['a byte order mark', `\ufeff${VALID}`],
  ['a no-break space', VALID.replace('"content":', '"content":\u00a0')],
  ['a line separator', VALID.replace('},{', '},\u2028{')],
  ['a form feed', VALID.replace('},{', '},\f{')],
  ['a NUL', VALID.replace('},{', '},\0{')],
  ['a bad escape in a key', VALID.replace('"content":"x"', '"cont\\qent":"x"')],
  ['a line break in a key', VALID.replace('"content":"x"', '"cont\nent":"x"')],
];

describe('a body that is no JSON object goes out as it came', () => {
  test.each(WRONG)('%s', async (_name, body) => {
    const rig = createRig('openai');
    // Nothing of a known conversation may leak into it.
    await rig.post(CHAT, VALID);
    expect((await rig.post(CHAT, body)).body).toBe(body);
    const bytes = new TextEncoder().encode(body);
    const sent = await rig.post(CHAT, bytes);
    expect(sent.body).toBe(bytes);
  });

  test.each([257, 50_000])('nested %i deep', async (depth) => {
    const rig = createRig('openai');
    const body = `{ "model":"gpt-4o","messages":[${'['.repeat(depth)}${']'.repeat(depth)}]}`;
    expect((await rig.post(CHAT, body)).body).toBe(body);
    const objects = `{ "model":"gpt-4o","messages":[${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}]}`;
    expect((await rig.post(CHAT, objects)).body).toBe(objects);
    const unclosed = '[{"messages":'.repeat(depth);
    expect((await rig.post(CHAT, unclosed)).body).toBe(unclosed);
  });

  test('nested 200 deep it is read', async () => {
    const rig = createRig('openai');
    const deep = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`;
    const sent = await rig.post(CHAT, `{ "model":"gpt-4o","messages":[],"x":${deep}}`);
    expect(sent.body).toBe(`{"model":"gpt-4o","messages":[],"x":${deep}}`);
  });
});

describe('bytes', () => {
  test.each([
    ['gzip', new Uint8Array(gzipSync(VALID))],
    ['not UTF-8', new Uint8Array(Buffer.from(JSON_BODY.replace('hi', 'h\xe9'), 'latin1'))],
    [
      'not UTF-8, streamed',
      new Uint8Array(
        Buffer.from(
          '{"model":"gpt-4o","messages":[{"role":"user","content":"\xe9"}],"stream":true}',
          'latin1',
        ),
      ),
    ],
    ['UTF-16', new Uint8Array(Buffer.from(JSON_BODY, 'utf16le'))],
    ['none', new Uint8Array(0)],
  ])('%s go out as they came', async (name, bytes) => {
    const rig = createRig('openai');
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (name === 'gzip') headers['content-encoding'] = 'gzip';
    const sent = await rig.post(CHAT, bytes, headers);
    expect(sent.body).toBe(bytes);
    expect(sent.headers.get('content-encoding')).toBe(name === 'gzip' ? 'gzip' : null);
  });

  test('of JSON are read like text', async () => {
    const rig = createRig('openai');
    const sent = await rig.post(
      CHAT,
      new TextEncoder().encode(JSON_BODY.replace('hi', 'größe 🙂')),
    );
    expect(sent.body).toBe('{"model":"gpt-4o","messages":[{"role":"user","content":"größe 🙂"}]}');
  });

  test.each([
    ['a Blob', () => new Blob([JSON_BODY])],
    ['an ArrayBuffer', () => new TextEncoder().encode(JSON_BODY).buffer],
    ['a stream', () => new Blob([JSON_BODY]).stream()],
    [
      'FormData',
      () => {
        const form = new FormData();
        form.set('messages', '[]');
        return form;
      },
    ],
    ['URLSearchParams', () => new URLSearchParams({ a: JSON_BODY })],
  ])('%s goes out as it came', async (_name, make) => {
    const rig = createRig('openai');
    const body = make();
    expect((await rig.post(CHAT, body)).body).toBe(body);
  });
});

describe('other requests', () => {
  const responses = '{ "model":"m", "input":[{"content":"hi","role":"user"}]}';
  test.each([
    ['a server of unknown make, chat', 'https://llm.corp.internal/v1/chat/completions', JSON_BODY],
    ['a server of unknown make, responses', 'https://llm.corp.internal/v1/responses', responses],
    ['a server of unknown make, messages', 'https://llm.corp.internal/v1/messages', JSON_BODY],
    [
      'a server of unknown make, generateContent',
      'https://llm.corp.internal/v1beta/models/x:generateContent',
      '{ "contents":[{"parts":[],"role":"user"}]}',
    ],
    ['a local server, responses', 'http://localhost:1234/v1/responses', responses],
    ['NVIDIA', 'https://integrate.api.nvidia.com/v1/chat/completions', JSON_BODY],
    ['Together', 'https://api.together.xyz/v1/chat/completions', JSON_BODY],
    ['Fireworks', 'https://api.fireworks.ai/inference/v1/chat/completions', JSON_BODY],
    ['Perplexity', 'https://api.perplexity.ai/chat/completions', JSON_BODY],
    [
      'a model on Bedrock that is not Claude',
      'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions',
      JSON_BODY,
    ],
    ['no known path', 'https://llm.corp.internal/v2/x', JSON_BODY],
    ['embeddings', 'https://api.openai.com/v1/embeddings', '{ "model":"m", "input":["b"]}'],
    ['batches', 'https://api.anthropic.com/v1/messages/batches', JSON_BODY],
    ['token counts', 'https://api.anthropic.com/v1/messages/count_tokens', JSON_BODY],
    ['token counts of Responses', 'https://api.openai.com/v1/responses/input_tokens', responses],
  ])('%s', async (_name, url, body) => {
    const rig = createRig('openai');
    expect((await rig.post(url, body)).body).toBe(body);
  });

  const invoke =
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/invoke';
  test.each([
    ['Signature Version 4', invoke, JSON_BODY, 'AWS4-HMAC-SHA256 Credential=x'],
    ['Signature Version 4A', invoke, JSON_BODY, 'AWS4-ECDSA-P256-SHA256 Credential=x'],
    [
      'Signature Version 4 in the URL',
      `${invoke}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=a`,
      JSON_BODY,
      '',
    ],
    [
      'Signature Version 4, a stream in the format of OpenAI',
      'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions',
      '{"model":"openai.gpt-oss-20b","messages":[],"stream":true}',
      'AWS4-HMAC-SHA256 Credential=x',
    ],
  ])('signed with %s', async (_name, url, body, authorization) => {
    const sent: unknown[] = [];
    const router = createRouter({
      fetch: async (_input, init) => {
        sent.push(init?.body);
        return new Response('{}');
      },
    });
    await router.fetch(url, {
      method: 'POST',
      headers: authorization === '' ? {} : { authorization },
      body,
    });
    expect(sent).toEqual([body]);
  });

  test.each(['Content-MD5', 'content-digest', 'Repr-Digest', 'digest'])(
    'with a digest of the body in the header %s',
    async (name) => {
      const rig = createRig('openai');
      const body = JSON_BODY.replace('{ ', '{ "stream":true, ');
      expect((await rig.post(CHAT, body)).body).not.toBe(body);
      expect((await rig.post(CHAT, body, { [name]: 'x' })).body).toBe(body);
    },
  );

  test.each([
    ['OpenAI, chat', CHAT, JSON_BODY],
    ['OpenAI, responses', 'https://api.openai.com/v1/responses', responses],
    [
      'Azure',
      'https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01',
      JSON_BODY,
    ],
    ['Azure, v1', 'https://x.openai.azure.com/openai/v1/responses', responses],
    ['Anthropic', 'https://api.anthropic.com/v1/messages', JSON_BODY],
    [
      'Gemini',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
      '{ "contents":[{"parts":[],"role":"user"}]}',
    ],
    [
      'Gemini in the format of OpenAI',
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
      JSON_BODY,
    ],
    [
      'Gemini on Vertex',
      'https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent',
      '{ "contents":[{"parts":[],"role":"user"}]}',
    ],
    [
      'Claude on Vertex',
      'https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4-5:rawPredict',
      JSON_BODY,
    ],
    ['DeepSeek', 'https://api.deepseek.com/chat/completions', JSON_BODY],
    ['Groq', 'https://api.groq.com/openai/v1/chat/completions', JSON_BODY],
    ['Mistral', 'https://api.mistral.ai/v1/chat/completions', JSON_BODY],
    ['xAI', 'https://api.x.ai/v1/chat/completions', JSON_BODY],
    ['Moonshot', 'https://api.moonshot.ai/v1/chat/completions', JSON_BODY],
    ['OpenRouter', 'https://openrouter.ai/api/v1/chat/completions', JSON_BODY],
    ['Claude on Bedrock', invoke, JSON_BODY],
  ])(
    'where the rules of the cache are known they are brought in one form: %s',
    async (_name, url, body) => {
      const { body: sent } = await createRig('openai').post(url, body);
      expect(sent).not.toBe(body);
      expect(JSON.parse(String(sent))).toEqual(JSON.parse(body));
    },
  );

  test.each(['GET', 'DELETE', 'HEAD'])('%s has no body and gets none', async (method) => {
    let seen: RequestInit | undefined;
    const router = createRouter({
      fetch: async (_input, init) => {
        seen = init;
        return new Response(null);
      },
    });
    const init = { method };
    await router.fetch('https://api.openai.com/v1/responses/resp_1', init);
    expect(seen).toBe(init);
  });
});

describe('modes that change nothing', () => {
  const url = 'https://api.anthropic.com/v1/messages';
  const body = ` {"model":"claude-sonnet-4-5", "max_tokens":1,"system":"${LONG}${LONG}","tools":[{"name":"b","input_schema":{}},{"name":"a","input_schema":{}}],"messages":[{"content":"${LONG}","role":"user"}]}`;

  test.each(['observe', 'off'] as const)('%s, of the router and of one call', async (mode) => {
    const rig = createRig('anthropic', { promptCache: mode });
    const auto = createRig('anthropic');
    const turned = body.replace('"b"', '"c"').replace('"a"', '"b"').replace('"c"', '"a"');
    for (let i = 0; i < 5; i++) {
      for (const text of [body, turned]) {
        expect((await rig.post(url, text)).body).toBe(text);
        const headers = { 'content-type': 'application/json', 'x-tokenrouter-prompt-cache': mode };
        expect((await auto.post(url, text, headers)).body).toBe(text);
        await rig.clock.advance(1000);
      }
    }
    expect((await auto.post(url, body)).body).not.toBe(body);
  });

  test('what is canonical and not marked is passed on with the host’s own arguments', async () => {
    let seen: RequestInit | undefined;
    const router = createRouter({
      fetch: async (_input, init) => {
        seen = init;
        return new Response('{}');
      },
    });
    const init = {
      method: 'POST',
      body: '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}',
    };
    await router.fetch(CHAT, init);
    expect(seen).toBe(init);
    await router.fetch(CHAT, init);
    expect(seen).toBe(init);
  });
});
