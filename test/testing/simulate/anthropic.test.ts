import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../src/testing/index.ts';
import type { SimulatedCall } from '../../../src/testing/index.ts';
import { finish, post, writtenTokens } from './helpers.ts';

/** Keeps prefixes from 1024 tokens on. */
const MODEL = 'claude-opus-4-8';

const answer = {
  text: 'The weather in Paris is what I shall look up now, and in Rome.',
  toolCalls: [
    { name: 'weather', arguments: { city: 'Paris' } },
    { name: 'weather', arguments: '{"city":"Rome"}' },
  ],
  outputTokens: 77,
};

function clientOf(fetch: typeof globalThis.fetch): Anthropic {
  return new Anthropic({ apiKey: 'test', fetch, maxRetries: 0, timeout: 600_000 });
}

const question = {
  model: MODEL,
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'How is the weather?' }],
};

const content = [
  { type: 'text', text: answer.text },
  { type: 'tool_use', id: 'toolu_sim0000000000000000', name: 'weather', input: { city: 'Paris' } },
  { type: 'tool_use', id: 'toolu_sim0000000000000001', name: 'weather', input: { city: 'Rome' } },
];

describe('the Anthropic SDK', () => {
  test('gets a whole message', async () => {
    const provider = simulateProvider({
      provider: 'anthropic',
      answer: () => answer,
      tokensOf: () => 10,
    });
    const { data, request_id } = await clientOf(provider).messages.create(question).withResponse();
    expect(data).toMatchObject({
      id: 'msg_sim00000000',
      type: 'message',
      role: 'assistant',
      model: MODEL,
      content,
      stop_reason: 'tool_use',
      usage: {
        input_tokens: 10,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens: 77,
      },
    });
    expect(request_id).toBe('req_sim00000000');
  });

  test('puts the same message together from a stream', async () => {
    const provider = simulateProvider({ provider: 'anthropic', answer: () => answer });
    const client = clientOf(provider);
    const whole = await client.messages.create(question);
    const stream = client.messages.stream(question);
    const texts: string[] = [];
    stream.on('text', (text) => texts.push(text));
    const { content: parts, usage, stop_reason } = await stream.finalMessage();
    expect(parts.map((part) => (part.type === 'tool_use' ? { ...part, id: '' } : part))).toEqual(
      whole.content.map((part) => (part.type === 'tool_use' ? { ...part, id: '' } : part)),
    );
    expect({ usage, stop_reason }).toEqual({ usage: whole.usage, stop_reason: whole.stop_reason });
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.join('')).toBe(answer.text);
  });

  test('gets no half characters', async () => {
    const text = `a${'🦊'.repeat(100)}`;
    const stream = clientOf(
      simulateProvider({ provider: 'anthropic', answer: text }),
    ).messages.stream(question);
    const texts: string[] = [];
    stream.on('text', (piece) => texts.push(piece));
    expect(await stream.finalText()).toBe(text);
    // Throws on half a character.
    expect(() => texts.map(encodeURIComponent)).not.toThrow();
  });

  test('warms the cache without an answer', async () => {
    const provider = simulateProvider({ provider: 'anthropic', answer: () => answer });
    const message = await clientOf(provider).messages.create({ ...question, max_tokens: 0 });
    expect(message).toMatchObject({
      content: [],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 0 },
    });
  });

  test('throws typed errors, five marks and a wrong order of lifetimes among them', async () => {
    const provider = simulateProvider({ provider: 'anthropic' });
    const client = clientOf(provider);
    const text = (ttl: '5m' | '1h'): Anthropic.TextBlockParam => ({
      type: 'text',
      text: 'a text',
      cache_control: { type: 'ephemeral', ttl },
    });
    const ask = (...parts: Anthropic.TextBlockParam[]): Promise<unknown> =>
      client.messages.create({ ...question, messages: [{ role: 'user', content: parts }] });
    const five = Array.from({ length: 5 }, () => text('5m'));
    await expect(ask(...five)).rejects.toThrow(Anthropic.BadRequestError);
    await expect(ask(text('5m'), text('1h'))).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      requestID: 'req_sim00000001',
    });
    await expect(ask(text('1h'), text('5m'))).resolves.toBeDefined();
    expect(provider.totals()).toMatchObject({ calls: 1, refused: 2 });
  });
});

test.each([
  ['{', 'JSON'],
  [{ model: MODEL }, 'messages: Field required'],
  [{ model: MODEL, messages: [] }, 'at least one message'],
  [{ messages: question.messages }, 'model: Field required'],
])('%j is refused', async (body, message) => {
  const provider = simulateProvider({ provider: 'anthropic' });
  const response = await post(provider, 'https://api.anthropic.com/v1/messages', body);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    type: 'error',
    error: { type: 'invalid_request_error', message: expect.stringContaining(message) },
    request_id: response.headers.get('request-id'),
  });
});

/** Blocks b1 to b`count` of 200 tokens, those of `marked` with a mark. */
function blocks(count: number, ...marked: readonly number[]): unknown[] {
  return Array.from({ length: count }, (_, index) =>
    block(`b${index + 1} #200`, marked.includes(index + 1)),
  );
}

function block(text: string, isMarked = false, ttl?: string): unknown {
  const mark = { type: 'ephemeral', ...(ttl !== undefined && { ttl }) };
  return { type: 'text', text, ...(isMarked && { cache_control: mark }) };
}

interface Step {
  /** Seconds. */
  at: number;
  content?: unknown[];
  body?: object;
}

/** Plays requests at their times over HTTP and tells what was read, written and paid in full. */
async function played(
  steps: readonly Step[],
  options: { cache?: { minTokens: number }; firstByteMs?: number; durationMs?: number } = {},
): Promise<string[]> {
  const clock = createVirtualClock();
  const seen: SimulatedCall[] = [];
  const provider = simulateProvider({
    provider: 'anthropic',
    clock,
    tokensOf: writtenTokens,
    ...options,
    onCall: (call) => seen.push(call),
  });
  const client = clientOf(provider);
  const answers: Array<Promise<Anthropic.Message>> = [];
  for (const { at, content: parts, body } of steps) {
    await clock.advance(at * 1000 - clock.now());
    const messages = [{ role: 'user', content: parts }];
    answers.push(
      client.messages.create({
        ...question,
        messages,
        ...body,
      } as Anthropic.MessageCreateParamsNonStreaming),
    );
    // The request goes out some turns of the event loop after the call.
    while (seen.length < answers.length) await clock.advance(0);
  }
  const results = await finish(clock, Promise.all(answers));
  expect(seen.map(({ at }) => at)).toEqual(steps.map(({ at }) => at * 1000));
  return results.map(({ usage }) => {
    const { cache_read_input_tokens, cache_creation_input_tokens, input_tokens } = usage;
    return `r${cache_read_input_tokens} w${cache_creation_input_tokens} u${input_tokens}`;
  });
}

/** The example of the prompt caching guide (2026-10) and its like. */
describe('the prompt cache through the SDK', () => {
  test('looks back twenty blocks and no further', async () => {
    const steps = [
      { at: 0, content: blocks(10, 10) },
      { at: 60, content: blocks(15, 15) },
    ];
    const result = await played([...steps, { at: 120, content: blocks(35, 35) }]);
    expect(result).toEqual(['r0 w2000 u0', 'r2000 w1000 u0', 'r0 w7000 u0']);
    const marked = await played([...steps, { at: 120, content: blocks(35, 15, 35) }]);
    expect(marked.at(-1)).toBe('r3000 w4000 u0');
    const twentieth = await played([
      { at: 0, content: blocks(15, 15) },
      { at: 60, content: blocks(34, 34) },
    ]);
    expect(twentieth.at(-1)).toBe('r3000 w3800 u0');
  });

  test('never reads behind a block that changes', async () => {
    const turn = (at: number): Step => ({
      at,
      content: [...blocks(5), block(`now ${at} #300`, true)],
    });
    expect(await played([turn(0), turn(60)])).toEqual(['r0 w1300 u0', 'r0 w1300 u0']);
  });

  test('follows a conversation by itself', async () => {
    const user = (text: string): object => ({ role: 'user', content: `${text} #100` });
    const assistant = (text: string): object => ({ role: 'assistant', content: `${text} #100` });
    const body = { system: 'S #1000', cache_control: { type: 'ephemeral' } };
    const first = [user('u1'), assistant('a1'), user('u2')];
    const result = await played(
      [
        { at: 0, body: { ...body, messages: first } },
        { at: 60, body: { ...body, messages: [...first, assistant('a2'), user('u3')] } },
      ],
      { cache: { minTokens: 0 } },
    );
    expect(result).toEqual(['r0 w1300 u0', 'r1300 w200 u0']);
  });

  test('counts a lifetime from the start of the request, and renews it', async () => {
    const at = [0, 299, 598, 899];
    const content600 = [block('long #600', true)];
    const result = await played(
      at.map((time) => ({ at: time, content: content600 })),
      { cache: { minTokens: 0 } },
    );
    expect(result.map((line) => line.split(' ')[0])).toEqual(['r0', 'r600', 'r600', 'r0']);
  });

  test('tells writes by their lifetime', async () => {
    const provider = simulateProvider({ provider: 'anthropic', tokensOf: writtenTokens });
    const { usage } = await clientOf(provider).messages.create({
      ...question,
      system: [block('instructions #1500', true, '1h')],
      messages: [{ role: 'user', content: [block('history #400', true), block('question #50')] }],
    } as Anthropic.MessageCreateParamsNonStreaming);
    expect(usage).toMatchObject({
      input_tokens: 50,
      cache_creation_input_tokens: 1900,
      cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 1500 },
    });
  });

  test('is readable once the first answer has begun', async () => {
    const content600 = [block('long #600', true)];
    const result = await played(
      [0, 1, 4].map((time) => ({ at: time, content: content600 })),
      { cache: { minTokens: 0 }, firstByteMs: 2000, durationMs: 3000 },
    );
    expect(result).toEqual(['r0 w600 u0', 'r0 w600 u0', 'r600 w0 u0']);
    const doubled = await played(
      [0, 1, 2.5].map((time) => ({ at: time, content: content600 })),
      { cache: { minTokens: 0 }, firstByteMs: 2000, durationMs: 3000 },
    );
    expect(doubled.at(-1)).toBe('r600 w0 u0');
  });
});
