import { describe, expect, test } from 'vitest';
import type { Random } from '../../../src/types.ts';
import { createSeededRandom } from '../../../src/testing/index.ts';
import { createRig, type Provider } from './sent.ts';

/** Truncation through the whole router: no call without its result and no result without its call, and few steps. */

type Json = Record<string, unknown>;

interface Format {
  readonly name: string;
  readonly url: string;
  readonly provider: Provider;
  readonly key: string;
  readonly rest: Json;
  readonly leading: readonly Json[];
  readonly user: (text: string, random: Random) => Json[];
  readonly calls: (ids: readonly string[], random: Random) => Json[];
  readonly results: (ids: readonly string[], text: string, random: Random) => Json[];
  readonly answer: (text: string) => Json[];
}

const FORMATS: readonly Format[] = [
  {
    name: 'chat completions',
    url: 'https://api.openai.com/v1/chat/completions',
    provider: 'openai',
    key: 'messages',
    rest: { model: 'gpt-5.6-sol' },
    leading: [{ role: 'system', content: 'Be brief.' }],
    user: (text) => [{ role: 'user', content: text }],
    calls: (ids) => [
      {
        role: 'assistant',
        content: null,
        tool_calls: ids.map((id) => ({
          id,
          type: 'function',
          function: { name: 'f', arguments: '{}' },
        })),
      },
    ],
    results: (ids, text) => ids.map((id) => ({ role: 'tool', tool_call_id: id, content: text })),
    answer: (text) => [{ role: 'assistant', content: text }],
  },
  {
    name: 'responses',
    url: 'https://api.openai.com/v1/responses',
    provider: 'openai',
    key: 'input',
    rest: { model: 'gpt-5.6-sol', instructions: 'Be brief.' },
    leading: [{ role: 'developer', content: 'Be very brief.' }],
    user: (text, random) => [
      random() < 0.5
        ? { role: 'user', content: text }
        : { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    ],
    calls: (ids) => [
      { type: 'reasoning', id: `rs_${ids[0]}`, summary: [] },
      ...ids.map((id, i) => ({
        type: i === 0 ? 'function_call' : 'custom_tool_call',
        id: `fc_${id}`,
        call_id: id,
        name: 'f',
        arguments: '{}',
      })),
    ],
    results: (ids, text) =>
      ids.map((id, i) => ({
        type: i === 0 ? 'function_call_output' : 'custom_tool_call_output',
        call_id: id,
        output: text,
      })),
    answer: (text) => [
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text, annotations: [] }],
      },
    ],
  },
  {
    name: 'messages',
    url: 'https://api.anthropic.com/v1/messages',
    provider: 'anthropic',
    key: 'messages',
    rest: { model: 'claude-sonnet-4-5', max_tokens: 10, system: 'Be brief.' },
    leading: [],
    user: (text, random) => [
      { role: 'user', content: random() < 0.5 ? text : [{ type: 'text', text }] },
    ],
    calls: (ids, random) => [
      {
        role: 'assistant',
        content: [
          ...(random() < 0.5 ? [{ type: 'thinking', thinking: 'hm', signature: 's' }] : []),
          ...ids.map((id) => ({ type: 'tool_use', id, name: 'f', input: { z: 1, a: 2 } })),
        ],
      },
    ],
    results: (ids, text, random) => [
      {
        role: 'user',
        content: [
          ...ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: text })),
          ...(random() < 0.3 ? [{ type: 'text', text: 'and?' }] : []),
        ],
      },
    ],
    answer: (text) => [{ role: 'assistant', content: text }],
  },
  {
    name: 'generateContent',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    provider: 'gemini',
    key: 'contents',
    rest: { systemInstruction: { parts: [{ text: 'Be brief.' }] } },
    leading: [],
    user: (text) => [{ role: 'user', parts: [{ text }] }],
    calls: (ids) => [
      {
        role: 'model',
        parts: ids.map((id, i) => ({
          functionCall: { ...(i % 2 === 0 ? { id } : {}), name: `f${id}`, args: {} },
        })),
      },
    ],
    results: (ids, text, random) => [
      {
        role: random() < 0.5 ? 'user' : 'function',
        parts: ids.map((id, i) => ({
          functionResponse: { ...(i % 2 === 0 ? { id } : {}), name: `f${id}`, response: { text } },
        })),
      },
    ],
    answer: (text) => [{ role: 'model', parts: [{ text }] }],
  },
];

/** Ids in the texts of calls and of results, found by their names in the JSON and by nothing of the router. */
function idsIn(messages: readonly unknown[], isCall: boolean): string[] {
  const ids: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const it = value as Json;
    const type = String(it['type'] ?? '');
    if (isCall) {
      if (type === 'function' || type === 'tool_use') ids.push(String(it['id']));
      if (type === 'function_call' || type === 'custom_tool_call') ids.push(String(it['call_id']));
      if (it['functionCall'] !== undefined) ids.push(String((it['functionCall'] as Json)['name']));
    } else {
      if (it['role'] === 'tool') ids.push(String(it['tool_call_id']));
      if (type === 'tool_result') ids.push(String(it['tool_use_id']));
      if (type.endsWith('_call_output')) ids.push(String(it['call_id']));
      if (it['functionResponse'] !== undefined)
        ids.push(String((it['functionResponse'] as Json)['name']));
    }
    for (const inner of Object.values(it)) walk(inner);
  };
  walk(messages);
  return ids.sort();
}

/** As the provider reads it: without marks, and a text that is alone as a string. */
function plain(message: unknown): string {
  return JSON.stringify(message, (key, value: unknown) => {
    if (key === 'cache_control' || key === 'prompt_cache_breakpoint') return undefined;
    if (key !== 'content' || !Array.isArray(value) || value.length !== 1) return value;
    const [part] = value as Json[];
    return typeof part?.['text'] === 'string' && /^(input_)?text$/.test(String(part['type']))
      ? part['text']
      : value;
  });
}

describe.each(FORMATS)('$name', (format) => {
  test.each([1, 2, 3])(
    'a long conversation keeps its pairs and its prefix, seed %i',
    async (seed) => {
      const random = createSeededRandom(seed);
      const count = (max: number): number => 1 + Math.floor(random() * max);
      const rig = createRig(format.provider, { history: { maxInputTokens: 6000 } });
      const history: Json[] = [...format.leading];
      let before: string[] = [];
      let steps = 0;
      let turns = 0;
      let dropped = 0;
      const text = (): string => `${turns} ${'words and words '.repeat(count(60))}`;
      for (turns = 0; turns < 60; turns++) {
        history.push(...format.user(text(), random));
        if (random() < 0.7) {
          // Ids come again in later turns, as with servers that count from nought.
          const ids = Array.from({ length: count(3) }, (_, i) =>
            seed === 2 ? `${i}` : `${turns}_${i}`,
          );
          await send();
          history.push(...format.calls(ids, random));
          // A user who does not wait for the results: only lists of single items allow it.
          if (format.name === 'responses' && random() < 0.5)
            history.push(...format.user(text(), random));
          history.push(...format.results(ids, text(), random));
        }
        await send();
        history.push(...format.answer(text()));
      }
      expect(dropped).toBeGreaterThan(20);
      // Each step drops about half of the room, so they are few.
      expect(steps).toBeGreaterThan(2);
      expect(steps).toBeLessThan(turns / 4);

      async function send(): Promise<void> {
        const body = JSON.stringify({ ...format.rest, [format.key]: history });
        const sent = await rig.post(format.url, body);
        await rig.clock.advance(3000);
        const messages = (JSON.parse(String(sent.body)) as Record<string, Json[]>)[format.key]!;
        const { leading } = format;
        const kept = messages.map(plain);
        // The end of what was given, behind the leading messages.
        const given = JSON.parse(body) as Record<string, Json[]>;
        const all = given[format.key]!.map(plain).map((message) =>
          JSON.stringify(sortKeys(JSON.parse(message))),
        );
        const ours = kept.map((message) => JSON.stringify(sortKeys(JSON.parse(message))));
        expect(ours.slice(0, leading.length)).toEqual(all.slice(0, leading.length));
        const rest = ours.slice(leading.length);
        expect(all.slice(all.length - rest.length)).toEqual(rest);
        dropped = Math.max(dropped, all.length - ours.length);
        expect(idsIn(messages, false)).toEqual(idsIn(messages, true));
        expect(messages[leading.length]!['role']).toBe('user');
        expect(idsIn([messages[leading.length]], false)).toEqual([]);
        const isPrefix = before.every((message, i) => message === ours[i]);
        if (!isPrefix) steps++;
        before = ours;
      }
    },
  );
});

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

test('without the option nothing is dropped, and in observe mode neither', async () => {
  const history = Array.from({ length: 400 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: `${i} ${'word '.repeat(100)}`,
  }));
  const body = JSON.stringify({ messages: history, model: 'gpt-4o' });
  const url = 'https://api.openai.com/v1/chat/completions';
  const plainRig = createRig('openai');
  const sent = await plainRig.post(url, body);
  expect((JSON.parse(String(sent.body)) as { messages: unknown[] }).messages).toHaveLength(400);
  const observing = createRig('openai', {
    promptCache: 'observe',
    history: { maxInputTokens: 1000 },
  });
  expect((await observing.post(url, body)).body).toBe(body);
});
