import { describe, expect, test } from 'vitest';
import { differences } from './differences.ts';
import { compactText, readTree, sortedText } from './json-tree.ts';
import { createRig } from './sent.ts';

/** Characters that stay, and a form that is its own canonical form. */

const CHAT = 'https://api.openai.com/v1/chat/completions';
const MESSAGES = 'https://api.anthropic.com/v1/messages';

const ODD: ReadonlyArray<readonly [name: string, value: string]> = [
  ['big integers', '[12345678901234567890123, -9007199254740993, 0]'],
  ['floats', '[1e400, -1e-400, 1.0, 1.10, -0, -0.0, 1E+2, 1e+02, 0.1e-7]'],
  ['escapes', '["\\u0061\\/\\"\\\\", "\\ud83d\\ude42", "\\u00e9é", "\\b\\f\\n\\r\\t", "\\u0000"]'],
  ['lone surrogates', '["\\ud800", "\\udc00x"]'],
  ['equal keys', '{ "b":1, "a":2, "b":3, "a":4, "\\u0062":5 }'],
  [
    'odd keys',
    '{ "__proto__":{"x":1}, "constructor":2, "":3, "\\"":4, "10":5, "2":6, "é":7, "🙂":8, "\\ud800":9 }',
  ],
  ['empty things', '[ { }, [ ], "", {"a":[ {} ]} ]'],
];

describe('characters', () => {
  test.each(ODD)('%s', async (_name, value) => {
    const rig = createRig('openai');
    const body = `{ "x":${value}, "model":"gpt-4o", "messages":[{"role":"user","content":"hi","y":${value}}], "metadata":${value} }`;
    for (let i = 0; i < 3; i++) {
      const sent = String((await rig.post(CHAT, body)).body);
      expect(sent).not.toBe(body);
      expect(sortedText(readTree(sent)!)).toBe(sortedText(readTree(body)!));
      expect(compactText(readTree(sent)!)).toBe(sent);
    }
  });

  test('members that come twice at the root, of which the last counts', async () => {
    const rig = createRig('openai');
    const long = 'word '.repeat(1000);
    const twice = `{"messages":[{"role":"user","content":"first"}],"tools":[{"type":"b"},{"type":"a"}],"model":"gpt-4o","messages":[{"content":"${long}","role":"user"}],"tools":[{"type":"d"},{"type":"c"}],"model":"gpt-4.1"}`;
    const more = twice.replace(
      '"role":"user"}],"tools":[{"type":"d"',
      '"role":"user"},{"role":"assistant","content":"x"}],"tools":[{"type":"d"',
    );
    expect(more).not.toBe(twice);
    for (const body of [twice, more, twice, more]) {
      const sent = String((await rig.post(CHAT, body)).body);
      const { faults, members } = differences(readTree(body)!, readTree(sent)!);
      expect(faults).toEqual([]);
      expect(members).toEqual(['prompt_cache_key']);
    }
  });
});

describe('what was sent, sent again, is the very same string', () => {
  test('where nothing is added', async () => {
    const url = 'https://api.groq.com/openai/v1/chat/completions';
    const body = `{ "tools":[{"function":{"parameters":{"properties":{"b":{},"a":{}},"type":"object"},"name":"f"},"type":"function"}], "messages":[{"content":[{"text":"hi","type":"text"}],"role":"user"}], "model":"m" }`;
    const sent = String((await createRig('openai').post(url, body)).body);
    expect(sent).not.toBe(body);
    const rig = createRig('openai');
    for (let i = 0; i < 3; i++) {
      expect((await rig.post(url, sent)).body).toBe(sent);
    }
  });

  const ADDED = [
    ['a key and a question for usage', CHAT, 'gpt-4o', 'openai'],
    ['breakpoints', CHAT, 'gpt-5.6-sol', 'openai'],
    ['marks', MESSAGES, 'claude-sonnet-4-5', 'anthropic'],
  ] as const;

  async function resent(
    url: string,
    model: string,
    provider: 'openai' | 'anthropic',
  ): Promise<readonly [string, string, string]> {
    const rig = createRig(provider);
    const long = 'word '.repeat(5000);
    const body = JSON.stringify({
      tools: [
        {
          name: 'f',
          input_schema: { type: 'object' },
          type: provider === 'openai' ? 'function' : undefined,
        },
      ],
      model,
      max_tokens: 1,
      stream: true,
      messages: [
        { role: 'user', content: long },
        { role: 'assistant', content: 'yes' },
        { role: 'user', content: [{ type: 'text', text: long }] },
      ],
    });
    let sent = '';
    for (let i = 0; i < 3; i++) sent = String((await rig.post(url, body)).body);
    expect(differences(readTree(body)!, readTree(sent)!).faults).toEqual([]);
    const again = String((await rig.post(url, sent)).body);
    return [sent, again, String((await rig.post(url, again)).body)];
  }

  test.each(ADDED)(
    'where there were %s: it means the same, and from then on nothing changes',
    async (_name, url, model, provider) => {
      const [sent, again, thrice] = await resent(url, model, provider);
      expect(sortedText(readTree(again)!)).toBe(sortedText(readTree(sent)!));
      expect(thrice).toBe(again);
    },
  );
});
