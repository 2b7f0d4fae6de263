import fc from 'fast-check';
import type { PromptApi } from '../../../src/prompt-cache/types.ts';
import type { Api } from '../../../src/types.ts';

/** How a body is written down: nothing of it may change what is read. */
export interface Layout {
  readonly seed: number;
  readonly shuffles: boolean;
  readonly hasSpaces: boolean;
  readonly repeats: boolean;
}

export const layout: fc.Arbitrary<Layout> = fc.record({
  seed: fc.nat(),
  shuffles: fc.boolean(),
  hasSpaces: fc.boolean(),
  repeats: fc.boolean(),
});

export const PLAIN: Layout = { seed: 1, shuffles: false, hasSpaces: false, repeats: false };

/** JSON text of a value in a layout. `repeats`: some keys stand there twice, and the second is meant. */
export function write(value: unknown, { seed, shuffles, hasSpaces, repeats }: Layout): string {
  let state = seed + 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const space = (): string => (hasSpaces ? ['', ' ', '\n  ', '\t'][next(4)]! : '');
  const print = (value: unknown): string => {
    if (Array.isArray(value)) {
      return `[${value.map((item) => space() + print(item) + space()).join(',')}]`;
    }
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    let entries = Object.entries(value).filter(([, member]) => member !== undefined);
    if (shuffles && entries.length > 1) {
      const by = next(entries.length);
      entries = [...entries.slice(by), ...entries.slice(0, by)];
    }
    const printed = entries.map(
      ([key, member]) =>
        `${space()}${JSON.stringify(key)}${space()}:${space()}${print(member)}${space()}`,
    );
    const first = entries[0]?.[0];
    if (repeats && first !== undefined && next(6) === 0) {
      printed.unshift(
        `${JSON.stringify(first)}:${['null', '[]', '{"b":1,"a":2}', '"x"'][next(4)]}`,
      );
    }
    return `{${printed.join(',')}}`;
  };
  return space() + print(value) + space();
}

const text = fc.oneof(
  fc.constantFrom('', 'hi', 'Read the file, please.', 'ä 漢字 😀', '"quoted" \\ and\n{"a":[1]}'),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.integer({ min: 20, max: 400 }).map((length) => 'lorem ipsum '.repeat(length)),
);
const schema = fc.constantFrom(
  {
    type: 'object',
    properties: { z: { type: 'string' }, a: { enum: ['b', 'a'] } },
    required: ['z'],
  },
  { properties: {}, type: 'object', additionalProperties: false },
  { description: 'd', type: 'object' },
);
const mark = fc.option(
  fc.constantFrom(
    { type: 'ephemeral' },
    { type: 'ephemeral', ttl: '1h' },
    { ttl: '5m', type: 'ephemeral' },
  ),
  { nil: undefined, freq: 4 },
);
const name = fc.constantFrom('read', 'write', 'search');

function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

const others = fc.record(
  {
    temperature: fc.constantFrom(0, 0.7),
    max_tokens: fc.constant(1024),
    metadata: fc.constant({ b: 1, a: 2 }),
  },
  { requiredKeys: [] },
);

const chatPart = fc.oneof(
  fc.record({ type: fc.constant('text'), text, cache_control: mark }),
  fc.record({
    type: fc.constant('text'),
    text,
    prompt_cache_breakpoint: optional(fc.constant({ mode: 'explicit' })),
  }),
  fc.record({
    type: fc.constant('image_url'),
    image_url: fc.constant({ url: 'data:image/png;base64,AAAA' }),
  }),
  fc.record({ text, cache_control: mark, type: fc.constant('text') }),
);
const chatContent = fc.oneof(text, fc.array(chatPart, { maxLength: 3 }));
const toolCall = fc.record({
  id: fc.constantFrom('call_1', 'call_2'),
  type: fc.constant('function'),
  function: fc.record({ name, arguments: fc.constant('{"path":"a"}') }),
});
const chatMessage = fc.oneof(
  fc.record({
    role: fc.constantFrom('user', 'system', 'developer', 'assistant'),
    content: chatContent,
  }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.oneof(fc.constant(null), text),
    tool_calls: fc.array(toolCall, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    role: fc.constant('tool'),
    tool_call_id: fc.constant('call_1'),
    content: chatContent,
  }),
  fc.record({ role: fc.constant('user'), content: text, cache_control: mark }),
);
const chatTool = fc.record({
  type: fc.constant('function'),
  function: fc.record({ name, description: text, parameters: schema }),
  cache_control: mark,
});
const chatBody = fc.record({
  model: fc.constant('gpt-4o'),
  others,
  tools: optional(fc.array(chatTool, { maxLength: 4 })),
  messages: fc.array(chatMessage, { maxLength: 12 }),
});

const anthropicPart = fc.oneof(
  fc.record({ type: fc.constant('text'), text, cache_control: mark }),
  fc.record({
    type: fc.constant('tool_use'),
    id: fc.constant('t1'),
    name,
    input: fc.constant({ z: 1, a: { c: 1, b: 2 } }),
  }),
  fc.record({
    type: fc.constant('tool_result'),
    tool_use_id: fc.constant('t1'),
    content: fc.oneof(
      text,
      fc.array(fc.record({ type: fc.constant('text'), text, cache_control: mark }), {
        maxLength: 2,
      }),
    ),
    cache_control: mark,
  }),
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: fc.constant('s') }),
  fc.record({
    type: fc.constant('image'),
    source: fc.constant({ type: 'base64', media_type: 'image/png', data: 'AA' }),
  }),
);
const systemPart = fc.record({ type: fc.constant('text'), text, cache_control: mark });
const anthropicBody = fc.record({
  model: fc.constant('claude-sonnet-5'),
  others,
  tools: optional(
    fc.array(
      fc.record({
        name,
        description: text,
        input_schema: schema,
        cache_control: mark,
      }),
      { maxLength: 4 },
    ),
  ),
  system: optional(fc.oneof(text, fc.array(systemPart, { maxLength: 3 }))),
  messages: fc.array(
    fc.record({
      role: fc.constantFrom('user', 'assistant'),
      content: fc.oneof(text, fc.array(anthropicPart, { maxLength: 4 })),
    }),
    { maxLength: 12 },
  ),
});

const responsesPart = fc.oneof(
  fc.record({
    type: fc.constant('input_text'),
    text,
    prompt_cache_breakpoint: optional(fc.constant({ mode: 'explicit' })),
  }),
  fc.record({ type: fc.constant('output_text'), text, annotations: fc.constant([]) }),
  fc.record({ type: fc.constant('input_image'), image_url: fc.constant('https://x/y.png') }),
);
const responsesItem = fc.oneof(
  fc.record({
    type: optional(fc.constant('message')),
    role: fc.constantFrom('user', 'developer', 'system', 'assistant'),
    content: fc.oneof(text, fc.array(responsesPart, { maxLength: 3 })),
  }),
  fc.record({
    id: fc.constant('fc_1'),
    type: fc.constant('function_call'),
    call_id: fc.constant('c'),
    name,
    arguments: fc.constant('{}'),
  }),
  fc.record({ type: fc.constant('function_call_output'), call_id: fc.constant('c'), output: text }),
  fc.record({ type: fc.constant('reasoning'), id: fc.constant('rs_1'), summary: fc.constant([]) }),
);
const responsesBody = fc.record({
  model: fc.constant('gpt-5'),
  others,
  tools: optional(
    fc.array(
      fc.record({
        type: fc.constant('function'),
        name,
        parameters: schema,
      }),
      { maxLength: 4 },
    ),
  ),
  instructions: optional(text),
  input: fc.oneof(text, fc.array(responsesItem, { maxLength: 12 })),
});

const geminiPart = fc.oneof(
  fc.record({ text }),
  fc.record({
    inlineData: fc.record({
      mimeType: fc.constantFrom('image/png', 'audio/wav', 'application/pdf'),
      data: fc.constant('AA'),
    }),
  }),
  fc.record({ functionCall: fc.record({ name, args: fc.constant({ z: 1, a: 2 }) }) }),
  fc.record({ functionResponse: fc.record({ name, response: fc.constant({ y: 1, b: 2 }) }) }),
  fc.record({ text, thought: fc.constant(true) }),
);
const geminiBody = fc.record({
  others,
  tools: optional(
    fc.array(
      fc.oneof(
        fc.record({
          functionDeclarations: fc.array(fc.record({ name, parameters: schema }), { maxLength: 3 }),
        }),
        fc.constant({ googleSearch: {} }),
      ),
      { maxLength: 2 },
    ),
  ),
  systemInstruction: optional(
    fc.record({ parts: fc.array(fc.record({ text }), { maxLength: 2 }) }),
  ),
  contents: fc.array(
    fc.record({
      role: fc.constantFrom('user', 'model'),
      parts: fc.array(geminiPart, { maxLength: 3 }),
    }),
    { maxLength: 12 },
  ),
});

export interface Case {
  readonly api: Api & PromptApi;
  readonly body: Record<string, unknown>;
}

/** Where the messages are. */
export const LISTS: Readonly<Record<Api & PromptApi, string>> = {
  'chat.completions': 'messages',
  messages: 'messages',
  responses: 'input',
  generateContent: 'contents',
};

/** A body of each dialect. */
export const anyBody: fc.Arbitrary<Case> = fc.oneof(
  ...(
    [
      ['chat.completions', chatBody],
      ['messages', anthropicBody],
      ['responses', responsesBody],
      ['generateContent', geminiBody],
    ] as const
  ).map(([api, body]: readonly [Api & PromptApi, fc.Arbitrary<{ others: object }>]) =>
    body.map(({ others, ...rest }) => ({ api, body: defined({ ...rest, ...others }) })),
  ),
);

/** Without the members that are not there. */
function defined(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
