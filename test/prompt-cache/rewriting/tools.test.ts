import { describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../../src/testing/index.ts';
import { at, compactText, itemsOf, readTree, sortedText } from './json-tree.ts';
import { createRig, type Provider, type Rig } from './sent.ts';

/** The same tools, on every call in another order and with the keys of their schemas in another order. */

type Json = Record<string, unknown>;

const random = createSeededRandom(11);

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => [random(), item] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item);
}

/** Every object's members in another order, at every depth. */
function withShuffledKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withShuffledKeys) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = shuffled(Object.entries(value)).map(([key, inner]) => [
    key,
    withShuffledKeys(inner),
  ]);
  return Object.fromEntries(entries) as T;
}

const NAMES = ['search', 'read_file', 'write_file', 'run', 'ask', 'stop'];

function schema(name: string): Json {
  return {
    type: 'object',
    properties: {
      zeta: { type: 'string', description: `of ${name}`, enum: ['b', 'a'] },
      alpha: { type: 'object', properties: { y: { type: 'integer', default: 1 }, b: {} } },
      mid: { anyOf: [{ type: 'null' }, { type: 'string' }], default: { z: 1, a: 2 } },
    },
    required: ['zeta', 'alpha'],
    $defs: { Z: { type: 'string' }, A: { type: 'null' } },
  };
}

const description = 'What it does, at some length. '.repeat(60);

interface Format {
  readonly name: string;
  readonly url: string;
  readonly provider: Provider;
  readonly tools: readonly Json[];
  readonly body: (tools: readonly unknown[], turn: number) => Json;
  readonly schemaOf: (tool: ReturnType<typeof readTree>) => ReturnType<typeof readTree>;
}

const FORMATS: readonly Format[] = [
  {
    name: 'chat completions',
    url: 'https://api.openai.com/v1/chat/completions',
    provider: 'openai',
    tools: NAMES.map((name) => ({
      type: 'function',
      function: { name, description, parameters: schema(name) },
    })),
    body: (tools, turn) => ({
      model: 'gpt-5.6-sol',
      tools,
      messages: [{ role: 'user', content: `${turn}` }],
    }),
    schemaOf: (tool) => at(at(tool, 'function'), 'parameters'),
  },
  {
    name: 'responses',
    url: 'https://api.openai.com/v1/responses',
    provider: 'openai',
    tools: [
      ...NAMES.map((name) => ({
        type: 'function',
        name,
        description,
        parameters: schema(name),
        strict: true,
      })),
      { type: 'web_search' },
      { type: 'mcp', server_label: 'x', server_url: 'https://x.example' },
    ],
    body: (tools, turn) => ({ model: 'gpt-5.4', tools, input: `${turn}` }),
    schemaOf: (tool) => at(tool, 'parameters'),
  },
  {
    name: 'messages',
    url: 'https://api.anthropic.com/v1/messages',
    provider: 'anthropic',
    tools: NAMES.map((name) => ({ name, description, input_schema: schema(name) })),
    body: (tools, turn) => ({
      model: 'claude-sonnet-4-5',
      max_tokens: 1,
      tools,
      messages: [{ role: 'user', content: `${turn}` }],
    }),
    schemaOf: (tool) => at(tool, 'input_schema'),
  },
];

/** Without the marks that are added at the end of a block. */
function unmarked(text: string): string {
  return text.replaceAll(/,"cache_control":\{"type":"ephemeral"(?:,"ttl":"1h")?\}/g, '');
}

/** The sent tools without marks. */
async function sentTools(
  rig: Rig,
  format: Format,
  tools: readonly unknown[],
  turn: number,
): Promise<string> {
  const sent = await rig.post(format.url, JSON.stringify(format.body(tools, turn)));
  await rig.clock.advance(4000);
  return unmarked(compactText(at(readTree(String(sent.body)), 'tools')!));
}

describe.each(FORMATS)('$name', (format) => {
  test('shuffled tools with shuffled schema keys are sent as the same text on every call', async () => {
    const rig = createRig(format.provider);
    const first = shuffled(format.tools).map(withShuffledKeys);
    const text = await sentTools(rig, format, first, 0);
    for (let turn = 1; turn < 20; turn++) {
      const tools = shuffled(format.tools).map(withShuffledKeys);
      expect(await sentTools(rig, format, tools, turn)).toBe(text);
    }
    // Every schema's `properties` stand in the order in which they came first.
    const given = readTree(JSON.stringify(first));
    for (const [i, tool] of itemsOf(readTree(text)).entries()) {
      const own = itemsOf(given)[i];
      expect(sortedText(tool)).toBe(sortedText(own!));
      const properties = at(format.schemaOf(tool), 'properties');
      const wanted = at(format.schemaOf(own), 'properties');
      if (properties?.kind !== 'object' || wanted?.kind !== 'object') continue;
      expect(properties.members.map(({ key }) => key)).toEqual(
        wanted.members.map(({ key }) => key),
      );
    }
  });

  test('`keep` sends them in the order given, `properties` too', async () => {
    const rig = createRig(format.provider, { promptCache: { tools: 'keep' } });
    for (let turn = 0; turn < 8; turn++) {
      const tools = shuffled(format.tools).map(withShuffledKeys);
      const sent = itemsOf(readTree(await sentTools(rig, format, tools, turn)));
      const given = itemsOf(readTree(JSON.stringify(tools)));
      expect(sent.map(sortedText)).toEqual(given.map(sortedText));
      for (const [i, tool] of sent.entries()) {
        const properties = at(format.schemaOf(tool), 'properties');
        const wanted = at(format.schemaOf(given[i]), 'properties');
        if (properties?.kind !== 'object' || wanted?.kind !== 'object') continue;
        expect(properties.members.map(({ key }) => key)).toEqual(
          wanted.members.map(({ key }) => key),
        );
      }
    }
  });

  test('another account is not sent the order of the first', async () => {
    const rig = createRig(format.provider);
    const post = async (account: string, tools: readonly Json[]): Promise<string> => {
      const body = JSON.stringify(format.body(tools, 1));
      const headers = {
        'content-type': 'application/json',
        authorization: account,
        'x-api-key': account,
      };
      const sent = await rig.post(format.url, body, headers);
      return itemsOf(at(readTree(unmarked(String(sent.body))), 'tools'))
        .map(sortedText)
        .join();
    };
    const texts = (tools: readonly Json[]): string =>
      itemsOf(readTree(JSON.stringify(tools)))
        .map(sortedText)
        .join();
    const turned = format.tools.toReversed();
    expect(await post('one', format.tools)).toBe(texts(format.tools));
    expect(await post('two', turned)).toBe(texts(turned));
    expect(await post('one', turned)).toBe(texts(format.tools));
  });
});

test('a function changes neither its text nor its number when two tools are alike but for the order of an array', async () => {
  const rig = createRig('anthropic');
  const [format] = FORMATS.slice(2);
  const one = { name: 'a', input_schema: { type: 'object', required: ['x', 'y'] } };
  const two = { name: 'a', input_schema: { type: 'object', required: ['y', 'x'] } };
  await sentTools(rig, format!, [one, two], 0);
  const text = await sentTools(rig, format!, [two, one, one], 1);
  const sent = itemsOf(readTree(text)).map(sortedText).sort();
  expect(sent).toEqual(
    [one, one, two].map((tool) => sortedText(readTree(JSON.stringify(tool))!)).sort(),
  );
});

test('one Gemini tool with its declarations shuffled is sent as the same text on every call', async () => {
  const rig = createRig('gemini');
  const url =
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent';
  const declarations = NAMES.map((name) => ({ name, description, parameters: schema(name) }));
  const texts = new Set<string>();
  for (let turn = 0; turn < 8; turn++) {
    const body = {
      tools: [{ functionDeclarations: shuffled(declarations) }],
      contents: [{ role: 'user', parts: [{ text: `${turn}` }] }],
    };
    const sent = await rig.post(url, JSON.stringify(body));
    texts.add(compactText(at(readTree(String(sent.body)), 'tools')!));
  }
  expect(texts.size).toBe(1);
});
