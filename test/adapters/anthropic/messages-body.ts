import fc from 'fast-check';

type Json = Record<string, unknown>;

const mark = fc.constantFrom(
  { type: 'ephemeral' },
  { type: 'ephemeral', ttl: '5m' },
  { type: 'ephemeral', ttl: '1h' },
);

/** A block that now and then carries a mark of the host; `null` is as good as none. */
const marked = (block: fc.Arbitrary<Json>, weight = 6): fc.Arbitrary<Json> =>
  fc.oneof(
    { weight, arbitrary: block },
    fc.tuple(block, mark).map(([part, cache_control]) => ({ ...part, cache_control })),
    { weight: 1, arbitrary: block.map((part) => ({ cache_control: null, ...part })) },
  );

/** Texts that look like the syntax around them. */
const words = fc.oneof(
  fc.constantFrom('', ' ', '"cache_control"', '{"cache_control":{"type":"ephemeral"}}', '\\"]},'),
  fc.string({ maxLength: 20 }),
);

const text = words.map((value) => ({ type: 'text', text: value }));
const image = fc.constant({ type: 'image', source: { type: 'base64', data: 'AAAA' } });
const inner = fc.array(marked(fc.oneof(text, image), 4), { maxLength: 3 });

const part = marked(
  fc.oneof(
    text,
    image,
    inner.map((content) => ({ type: 'document', source: { type: 'content', content } })),
    fc.record({
      type: fc.constant('tool_result'),
      tool_use_id: fc.constant('t1'),
      content: fc.oneof(words, inner),
    }),
    words.map((value) => ({
      type: 'tool_use',
      id: 't1',
      name: 'f',
      input: { cache_control: value },
    })),
  ),
);
const thinking = fc.constantFrom<Json>(
  { type: 'thinking', thinking: 'hm', signature: 's' },
  { type: 'redacted_thinking', data: 'x' },
  { type: 'compaction', content: 'x' },
);
const content = fc.oneof(
  words,
  fc.array(fc.oneof({ weight: 5, arbitrary: part }, thinking), { minLength: 1, maxLength: 4 }),
);

const tool = marked(
  fc.record(
    {
      name: fc.constantFrom('a', 'b'),
      input_schema: fc.constant({ type: 'object', properties: { cache_control: {} } }),
      defer_loading: fc.boolean(),
    },
    { requiredKeys: ['name', 'input_schema'] },
  ),
);

/** Bodies of the Messages format with marks of the host, legal and not. */
export const messagesBody: fc.Arbitrary<Json> = fc.record(
  {
    model: fc.constantFrom('claude-opus-5', 'claude-sonnet-4-5'),
    max_tokens: fc.constant(10),
    tools: fc.array(tool, { maxLength: 3 }),
    system: fc.oneof(words, fc.array(marked(text), { minLength: 1, maxLength: 3 })),
    messages: fc.array(
      fc.record({ role: fc.constantFrom('user', 'assistant', 'system'), content }),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    cache_control: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, mark),
  },
  { requiredKeys: ['model', 'max_tokens', 'messages'] },
);

/** A mark in a parsed body: where, of which lifetime, on what. */
export interface FoundMark {
  readonly path: string;
  readonly ttl: string;
  readonly on: Json;
}

/** All marks on blocks and within them, in the order in which the provider meets them. */
export function marksIn(body: Json): FoundMark[] {
  const found: FoundMark[] = [];
  const look = (path: string, value: unknown): void => {
    if (Array.isArray(value)) {
      for (const [index, element] of value.entries()) look(`${path}/${index}`, element);
      return;
    }
    if (!isJson(value)) return;
    if (value['type'] !== 'tool_use') look(`${path}/content`, value['content']);
    if (isJson(value['source'])) look(`${path}/source`, value['source']);
    const own = value['cache_control'];
    if (isJson(own)) found.push({ path, ttl: String(own['ttl'] ?? '5m'), on: value });
  };
  for (const key of ['tools', 'system', 'messages']) look(key, asParts(body)[key]);
  return found;
}

/** What the provider does not answer 400 to. */
export function isLegal(body: Json): boolean {
  const marks = marksIn(body);
  const ttls = marks.map(({ ttl }) => ttl);
  const automatic = body['cache_control'];
  if (isJson(automatic)) {
    const ttl = String(automatic['ttl'] ?? '5m');
    ttls.push(ttl);
    // It lands on the last block that takes one, which must not have one of another lifetime.
    const last = blocksIn(body).findLast(takesMark);
    if (marks.some((mark) => mark.on === last && mark.ttl !== ttl)) return false;
  }
  return (
    ttls.length <= 4 &&
    ttls.every((ttl, index) => ttl === '5m' || !ttls.slice(0, index).includes('5m')) &&
    marks.every(({ on }) => takesMark(on))
  );
}

function blocksIn(body: Json): Json[] {
  const { tools, system, messages } = asParts(body);
  const content = (message: unknown) => (isJson(message) ? message['content'] : []);
  const inMessages = Array.isArray(messages) ? messages.flatMap(content) : [];
  return [tools ?? [], system ?? [], inMessages].flat().filter(isJson);
}

function takesMark(block: Json): boolean {
  const type = String(block['type'] ?? 'tool');
  if (type === 'text') return block['text'] !== '';
  return (
    /^(?:tool|image|document|tool_use|tool_result)$/.test(type) && block['defer_loading'] !== true
  );
}

/** Strings as the parts that say the same. */
export function asParts(body: Json): Json {
  const parts = (value: unknown): unknown =>
    typeof value === 'string' ? [{ type: 'text', text: value }] : value;
  const messages = Array.isArray(body['messages']) ? body['messages'] : [];
  return {
    ...body,
    ...('system' in body ? { system: parts(body['system']) } : {}),
    messages: messages.map((message: unknown) =>
      isJson(message) ? { ...message, content: parts(message['content']) } : message,
    ),
  };
}

/** Without marks, wherever they are: what the model is asked. */
export function withoutMarks(body: Json): unknown {
  return JSON.parse(
    JSON.stringify(asParts(body), (key, value: unknown) =>
      key === 'cache_control' && (value === null || isJson(value)) && isMark(value)
        ? undefined
        : value,
    ),
  );
}

function isMark(value: unknown): boolean {
  return value === null || (isJson(value) && value['type'] === 'ephemeral');
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
