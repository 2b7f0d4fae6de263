import { describe, expect, test } from 'vitest';
import { at, compactText, itemsOf, readTree } from './json-tree.ts';
import { breakpoints, isLegalOrder, lifetimes } from './marks.ts';
import { createRig, type Provider } from './sent.ts';

/** Beside the host's own marks, wherever they stand, there are never more than a request may have. */

type Json = Record<string, unknown>;

const MARK = { cache_control: { type: 'ephemeral' } };
const HOUR = { cache_control: { type: 'ephemeral', ttl: '1h' } };
const BREAKPOINT = { prompt_cache_breakpoint: { mode: 'explicit' } };

function words(count: number, of: string): string {
  return Array.from({ length: count }, (_, i) => `${of}${i}`).join(' ');
}

/** A loop of an agent that goes on while the test does: everything in it comes back and is worth keeping. */
function turns(count: number, user: (text: string) => Json): Json[] {
  return Array.from({ length: count + 1 }, (_, i) => [
    user(words(900, `u${i} `)),
    { role: 'assistant', content: 'Yes.' },
  ])
    .flat()
    .slice(0, -1);
}

async function sentBodies(
  { url, provider }: { url: string; provider: Provider },
  bodyOf: (turn: number) => string | Json,
): Promise<string[]> {
  const rig = createRig(provider);
  const bodies: string[] = [];
  for (let turn = 0; turn < 8; turn++) {
    const body = bodyOf(turn);
    const sent = await rig.post(url, typeof body === 'string' ? body : JSON.stringify(body));
    bodies.push(String(sent.body));
    await rig.clock.advance(turn % 3 === 2 ? 400_000 : 5000);
  }
  return bodies;
}

const ANTHROPIC = { url: 'https://api.anthropic.com/v1/messages', provider: 'anthropic' } as const;
const OPENROUTER = {
  url: 'https://openrouter.ai/api/v1/chat/completions',
  provider: 'openai',
} as const;
const RESPONSES = { url: 'https://api.openai.com/v1/responses', provider: 'openai' } as const;
const CHAT = { url: 'https://api.openai.com/v1/chat/completions', provider: 'openai' } as const;

const texts = (mark: Json): Json[] =>
  [1, 2, 3].map((i) => ({ type: 'text', text: `part ${i}`, ...mark }));
const call = {
  role: 'assistant',
  content: [{ type: 'tool_use', id: 't', name: 'f', input: MARK }],
};
const result = (content: unknown): Json => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: 't', content }],
});
const source = { type: 'content', content: texts(MARK) };
const tools = [1, 2, 3].map((i) => ({
  name: `t${i}`,
  input_schema: {},
  description: words(500, `d${i} `),
}));

const HOSTS: ReadonlyArray<readonly [name: string, messages: readonly Json[], rest?: Json]> = [
  ['none', []],
  ['on tools', [], { tools: tools.map((tool) => ({ ...tool, ...MARK })) }],
  ['on tools for an hour', [], { tools: tools.map((tool) => ({ ...tool, ...HOUR })) }],
  ['on the system prompt', [], { system: texts(MARK) }],
  [
    'four on the system prompt',
    [],
    { system: [...texts(MARK), { type: 'text', text: words(2000, 's'), ...MARK }] },
  ],
  ['automatic', [], MARK],
  ['automatic for an hour', [], HOUR],
  ['automatic, and three', [], { ...MARK, system: texts(HOUR) }],
  ['null', [], { system: [{ type: 'text', text: words(3000, 's'), cache_control: null }] }],
  [
    'in a tool result',
    [
      { role: 'user', content: 'a' },
      call,
      result(texts(MARK)),
      { role: 'assistant', content: 'b' },
    ],
  ],
  [
    'in a tool result, for an hour',
    [
      { role: 'user', content: 'a' },
      call,
      result(texts(HOUR)),
      { role: 'assistant', content: 'b' },
    ],
  ],
  [
    'in a document',
    [
      { role: 'user', content: [{ type: 'document', source }] },
      { role: 'assistant', content: 'b' },
    ],
  ],
  [
    'in a document in a tool result',
    [
      { role: 'user', content: 'a' },
      call,
      result([{ type: 'document', source }]),
      { role: 'assistant', content: 'b' },
    ],
  ],
  [
    'in a search result',
    [
      {
        role: 'user',
        content: [{ type: 'search_result', title: 't', source: 's', content: texts(MARK) }],
      },
      { role: 'assistant', content: 'b' },
    ],
  ],
];

describe('Anthropic', () => {
  const inResult = [
    { role: 'user', content: 'a' },
    call,
    result(texts(MARK)),
    { role: 'assistant', content: 'b' },
  ];
  const bodyOf = (messages: readonly Json[], rest: Json = {}, turn: number): Json => ({
    model: 'claude-sonnet-4-5',
    max_tokens: 1,
    system: words(3000, 's'),
    ...rest,
    messages: [...messages, ...turns(turn, (content) => ({ role: 'user', content }))],
  });

  test.each(HOSTS.map(([name, ...rest]) => ({ name, rest })))(
    'marks of the host: $name',
    async ({ rest: [messages, rest] }) => {
      for (const [turn, sent] of (
        await sentBodies(ANTHROPIC, (i) => bodyOf(messages, rest, i))
      ).entries()) {
        const tree = readTree(sent)!;
        expect(lifetimes(tree).length).toBeLessThanOrEqual(4);
        expect(isLegalOrder(lifetimes(tree))).toBe(true);
        const given = JSON.stringify(bodyOf(messages, rest, turn)).split('"cache_control"').length;
        expect(sent.split('"cache_control"').length).toBeGreaterThanOrEqual(given);
      }
    },
  );

  test('the marks of a tool result whose key is written with an escape count like others', async () => {
    const escaped = (turn: number): string =>
      JSON.stringify(bodyOf(inResult, {}, turn)).replaceAll(
        /"text":"part (\d)","cache_control"/g,
        '"text":"part $1","cache\\u005fcontrol"',
      );
    expect(escaped(0)).toContain('\\u005f');
    for (const sent of await sentBodies(ANTHROPIC, escaped)) {
      expect(lifetimes(readTree(sent)!).length).toBeLessThanOrEqual(4);
    }
  });

  test('a long tool result in escapes is no obstacle to marks, since no key has any', async () => {
    const text = 'gr\u00f6\u00dfe: "'.repeat(300);
    const body = (turn: number): string =>
      JSON.stringify(
        bodyOf([{ role: 'user', content: 'a' }, call, result([{ type: 'text', text }])], {}, turn),
      )
        .replaceAll('\u00f6', '\\u00f6')
        .replaceAll('\u00df', '\\u00df');
    expect(body(0)).toContain('\\u00f6');
    const bodies = await sentBodies(ANTHROPIC, body);
    expect(bodies.some((sent) => lifetimes(readTree(sent)!).length > 0)).toBe(true);
  });

  test.each(['\u0020', '\\u0020', '\\u00a0\\t', '\\n'])(
    'a long part whose text is `%s` is not marked',
    async (blank) => {
      const citations = JSON.stringify([{ type: 'char_location', cited_text: words(100, 'c') }]);
      const user = JSON.stringify(words(2000, 'u'));
      const body = `{"model":"claude-sonnet-4-5","max_tokens":1,"messages":[{"role":"user","content":${user}},{"role":"assistant","content":[{"type":"text","citations":${citations},"text":"${blank}"}]}]}`;
      for (const sent of await sentBodies(ANTHROPIC, () => body)) {
        const [, answer] = itemsOf(at(readTree(sent), 'messages'));
        expect(compactText(at(answer, 'content')!)).not.toContain('cache_control');
      }
    },
  );

  test('a text without text is not marked, however long its other members are', async () => {
    const citations = [{ type: 'char_location', cited_text: words(100, 'c') }];
    const bodies = await sentBodies(ANTHROPIC, (turn) => ({
      ...bodyOf([], {}, turn),
      messages: [
        { role: 'user', content: words(2000, `${turn}`) },
        { role: 'assistant', content: [{ type: 'text', text: '', citations }] },
      ],
    }));
    for (const sent of bodies) {
      const [, answer] = itemsOf(at(readTree(sent), 'messages'));
      expect(compactText(at(answer, 'content')!)).not.toContain('cache_control');
    }
  });

  test('what the provider reads as another type is not marked as text: of two members the last counts', async () => {
    const text = JSON.stringify(words(3000, 't'));
    const body = `{"model":"claude-sonnet-4-5","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":${text},"type":"container_upload"}]}]}`;
    for (const sent of await sentBodies(ANTHROPIC, () => body))
      expect(sent).not.toContain('cache_control');
  });
});

describe('Claude at OpenRouter', () => {
  const bodyOf = (mark: (tool: Json) => Json, turn: number): Json => ({
    model: 'anthropic/claude-sonnet-4.5',
    tools: tools.map(({ name, description }) => mark({ name, description, parameters: {} })),
    messages: [
      { role: 'system', content: words(3000, 's') },
      ...turns(turn, (content) => ({ role: 'user', content })),
    ],
  });

  test.each<readonly [string, (tool: Json) => Json]>([
    ['on tools', (tool) => ({ type: 'function', function: tool, ...MARK })],
    ['on their functions', (tool) => ({ type: 'function', function: { ...tool, ...MARK } })],
  ])('marks of the host %s', async (_name, mark) => {
    for (const sent of await sentBodies(OPENROUTER, (turn) => bodyOf(mark, turn))) {
      expect(lifetimes(readTree(sent)!).length).toBeLessThanOrEqual(4);
    }
  });
});

test('Claude at OpenRouter: marks of the host on messages without content', async () => {
  const empty = { role: 'user', content: '', ...MARK };
  const bodies = await sentBodies(OPENROUTER, (turn) => ({
    model: 'anthropic/claude-sonnet-4.5',
    messages: [
      { role: 'system', content: words(3000, 's') },
      empty,
      { ...empty, content: [] },
      empty,
      ...turns(turn, (content) => ({ role: 'user', content })),
    ],
  }));
  const counts = bodies.map((sent) => lifetimes(readTree(sent)!).length);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(3);
  expect(Math.max(...counts)).toBe(4);
});

describe('OpenAI since GPT-5.6: a host that sets breakpoints has a plan of its own, and nothing is added', () => {
  const part = { type: 'input_text', text: words(1500, 'o'), ...BREAKPOINT };
  const responses = (message: Json, turn: number): Json => ({
    model: 'gpt-5.6-sol',
    instructions: words(3000, 's'),
    input: [
      { role: 'user', content: 'a' },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      message,
      ...turns(turn, (content) => ({ role: 'user', content })),
    ],
  });

  test.each<readonly [string, Json]>([
    ['on a part of a message', { role: 'user', content: [part] }],
    ['on a part of a result', { type: 'function_call_output', call_id: 'c', output: [part] }],
    [
      'on three parts of a result',
      { type: 'function_call_output', call_id: 'c', output: [part, part, part] },
    ],
  ])('%s, Responses', async (_name, message) => {
    const bodies = await sentBodies(RESPONSES, (turn) => responses(message, turn));
    for (const [turn, sent] of bodies.entries()) {
      const given = breakpoints(readTree(JSON.stringify(responses(message, turn)))!);
      expect(breakpoints(readTree(sent)!)).toBe(given);
    }
  });

  test.each(['user', 'tool'])('on a part of a message of the role %s, chat', async (role) => {
    const bodies = await sentBodies(CHAT, (turn) => ({
      model: 'gpt-5.6-sol',
      messages: [
        { role: 'system', content: words(3000, 's') },
        { role, tool_call_id: 'c', content: [{ ...part, type: 'text' }] },
        ...turns(turn, (content) => ({ role: 'user', content })),
      ],
    }));
    for (const sent of bodies) expect(breakpoints(readTree(sent)!)).toBe(1);
  });
});

test('without marks of the host there are some', async () => {
  const claude = await sentBodies(ANTHROPIC, (turn) => ({
    model: 'claude-sonnet-4-5',
    max_tokens: 1,
    system: words(3000, 's'),
    messages: turns(turn, (content) => ({ role: 'user', content })),
  }));
  expect(claude.some((sent) => lifetimes(readTree(sent)!).length > 1)).toBe(true);
});
