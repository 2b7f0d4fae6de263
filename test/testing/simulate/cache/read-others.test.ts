import { describe, expect, it } from 'vitest';
import {
  openaiBreakpointCache,
  openaiPrefixCache,
  readDeepSeek,
  readGemini,
  readOpenAI,
} from '../../../../src/testing/simulate/cache/index.ts';
import type { CachePrompt } from '../../../../src/testing/simulate/cache/index.ts';

const MARK = { mode: 'explicit' };
const chat = (...messages: unknown[]): CachePrompt => readOpenAI({ model: 'gpt-6', messages });
const input = (...items: unknown[]): CachePrompt => readOpenAI({ model: 'gpt-6', input: items });
const shape = ({ blocks }: CachePrompt): string[] =>
  blocks.map(({ tier, ending, mark }) => [tier, ending, mark].filter(Boolean).join(' '));
const ids = ({ blocks }: CachePrompt): string[] => blocks.map(({ id }) => id);

describe('readOpenAI', () => {
  it('tells what ends with each part of a chat message', () => {
    const prompt = readOpenAI({
      tools: [{ type: 'function', function: { name: 'a' } }],
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'developer', content: [{ type: 'text', text: 'be brief' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'one', prompt_cache_breakpoint: MARK },
            { type: 'text', text: 'two' },
          ],
        },
        { role: 'assistant', content: 'calling', tool_calls: [{ id: 'c' }, { id: 'd' }] },
        { role: 'tool', tool_call_id: 'c', content: 'seen' },
        { role: 'tool', tool_call_id: 'd', content: 'seen' },
        { role: 'assistant', content: null },
        { role: 'developer', content: 'now stop' },
      ],
    });
    expect(shape(prompt)).toEqual([
      'tools',
      'system',
      'system developer',
      'messages 30m',
      'messages input',
      'messages',
      'messages',
      'messages',
      'messages input',
      'messages',
      'messages',
    ]);
  });

  it('tells what ends with each item of a Responses input', () => {
    const prompt = readOpenAI({
      instructions: 'be kind',
      prompt_cache_options: { mode: 'explicit', ttl: '12h' },
      input: [
        { role: 'developer', content: 'be brief' },
        {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_text', text: 'one', prompt_cache_breakpoint: MARK }],
        },
        { type: 'function_call', call_id: 'c', name: 'a', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'seen' },
        { type: 'function_call_output', call_id: 'd', output: 'seen' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] },
      ],
    });
    expect(shape(prompt)).toEqual([
      'system',
      'system developer',
      'messages input 12h',
      'messages',
      'messages',
      'messages input',
      'messages',
    ]);
    expect([prompt.mode, prompt.ttl]).toEqual(['explicit', '12h']);
    expect(ids(readOpenAI({ input: 'hi' }))).toEqual(
      ids(input({ role: 'user', content: [{ type: 'input_text', text: 'hi' }] })),
    );
  });

  it('takes for equal what is rendered alike, and nothing else', () => {
    const text = (more: object = {}): object => ({ type: 'text', text: 'hi', ...more });
    const user = (content: unknown, more: object = {}): object => ({
      role: 'user',
      content,
      ...more,
    });
    const plain = ids(chat(user('hi')));
    expect(ids(chat(user([text()])))).toEqual(plain);
    expect(ids(chat(user([text({ prompt_cache_breakpoint: MARK })])))).toEqual(plain);
    expect(ids(chat(user('hi', { name: 'Ann' })))).not.toEqual(plain);
    expect(ids(chat({ role: 'assistant', content: 'hi' }))).not.toEqual(plain);
    expect(ids(chat(user([text(), text()])))).not.toEqual(ids(chat(user('hi'), user('hi'))));
    const replayed = { role: 'assistant', content: 'hi', refusal: null, annotations: [] };
    expect(ids(chat(replayed))).toEqual(ids(chat({ role: 'assistant', content: 'hi' })));
    const call = { type: 'function_call', call_id: 'c', name: 'a', arguments: '{}' };
    expect(ids(input({ ...call, id: 'fc_1', status: 'completed' }))).toEqual(ids(input(call)));
  });

  it.each<[string, object, boolean]>([
    ['nothing', {}, false],
    ['one tool at a time', { parallel_tool_calls: false }, true],
    ['a format', { response_format: { type: 'json_object' } }, true],
    ['a format of Responses', { text: { format: { type: 'json_schema' } } }, true],
    ['effort', { reasoning_effort: 'low' }, true],
    ['effort of Responses', { reasoning: { effort: 'low', summary: 'auto' } }, true],
    ['verbosity', { text: { verbosity: 'low' } }, true],
    ['a service tier', { service_tier: 'flex' }, true],
    ['context management', { context_management: [{ type: 'compaction' }] }, true],
    ['the tool choice', { tool_choice: 'none' }, false],
    [
      'what is the default',
      {
        parallel_tool_calls: true,
        response_format: { type: 'text' },
        service_tier: 'auto',
        reasoning_effort: null,
      },
      false,
    ],
  ])('has %s in the salt, or not', (_, body, isSalted) => {
    expect(readOpenAI({ messages: [], ...body }).salts.tools !== '').toBe(isSalted);
  });

  it('reads key, retention and what the provider refuses', () => {
    expect(
      readOpenAI({ messages: [], prompt_cache_key: 'k', prompt_cache_retention: '24h' }),
    ).toMatchObject({ key: 'k', retention: '24h', refusal: undefined });
    const marked = (part: object): string | undefined =>
      chat({ role: 'assistant', content: [{ ...part, prompt_cache_breakpoint: MARK }] }).refusal;
    expect(marked({ type: 'text', text: 'a' })).toBeUndefined();
    expect(marked({ type: 'thinking' })).toMatch(/not supported/);
    expect(readOpenAI({ messages: [], prompt_cache_options: { ttl: '1h' } }).refusal).toMatch(
      /ttl/,
    );
    expect(readOpenAI({ messages: [], prompt_cache_options: { mode: 'on' } }).refusal).toMatch(
      /mode/,
    );
  });

  it('cuts texts in pieces that are equal as long as the texts are', () => {
    const system = (text: string): CachePrompt => chat({ role: 'system', content: text });
    const a = system(`${'x'.repeat(8000)}a`).blocks[0]!;
    const b = system(`${'x'.repeat(8000)}bcd`).blocks[0]!;
    const pieces = a.pieces!;
    expect(pieces.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(a.tokens);
    const differing = pieces.findIndex(({ id }, index) => id !== b.pieces?.[index]?.id);
    expect(differing).toBe(125);
    const once = { messages: [{ role: 'user', content: 'first without' }] };
    expect(readOpenAI(once, undefined, { pieces: false }).blocks[0]?.pieces).toBeUndefined();
    expect(readOpenAI(once).blocks[0]?.pieces?.length).toBe(1);
    // A pair of surrogates is not cut in two.
    const faces = system(`${'x'.repeat(63)}😀😀`).blocks[0]!;
    expect(faces.pieces?.length).toBe(2);
    const other = system(`${'x'.repeat(63)}😀😁`).blocks[0]!;
    const third = system(`${'x'.repeat(63)}😁😀`).blocks[0]!;
    const firsts = [faces, other, third].map(({ pieces: [first] = [] }) => first?.id);
    expect(firsts[0]).toBe(firsts[1]);
    expect(firsts[0]).not.toBe(firsts[2]);
    expect(system('').blocks[0]?.pieces?.length).toBe(1);
  });

  it('is what both generations of the cache read', () => {
    const messages = [
      { role: 'system', content: 'x'.repeat(8000) },
      { role: 'user', content: 'hi' },
    ];
    const second = [...messages.slice(0, 1), { role: 'user', content: 'you' }];
    const prompts = [messages, second].map((list) =>
      readOpenAI({ model: 'gpt-5', messages: list }),
    );
    const read = (cache: ReturnType<typeof openaiPrefixCache>): number[] =>
      prompts.map((prompt, index) => cache.process({ ...prompt, at: index * 10 }).read);
    expect(read(openaiBreakpointCache())).toEqual([0, 2000]);
    expect(read(openaiPrefixCache())).toEqual([0, 1920]);
  });

  it('takes anything', () => {
    for (const body of [null, 1, 'x', [], { tools: 1, messages: [null, 3] }, { input: [4] }]) {
      expect(readOpenAI(body).blocks).toEqual([]);
    }
    expect(chat({}).blocks.length).toBe(1);
  });
});

describe('readDeepSeek', () => {
  it('reads an answer as it stands in the next request', () => {
    const answer = { role: 'assistant', content: 'fine' };
    const first = readDeepSeek({ messages: [{ role: 'user', content: 'how?' }] });
    const output = readDeepSeek({ messages: [answer] });
    const second = readDeepSeek({ messages: [{ role: 'user', content: 'how?' }, answer] });
    expect([...ids(first), ...ids(output)]).toEqual(ids(second));
  });

  it('keeps users apart', () => {
    const salt = (user_id?: string): string => readDeepSeek({ messages: [], user_id }).salts.tools;
    expect(new Set([salt(), salt('a'), salt('b')]).size).toBe(3);
    expect(salt()).toBe('');
  });
});

describe('readGemini', () => {
  it('makes a block of each tool and part', () => {
    const prompt = readGemini({
      tools: [{ functionDeclarations: [{ name: 'a' }] }, { googleSearch: {} }],
      systemInstruction: { parts: [{ text: 'be kind' }] },
      contents: [
        { role: 'user', parts: [{ text: 'one' }, { inlineData: { data: 'A'.repeat(9000) } }] },
        { role: 'model', parts: [{ functionCall: { name: 'a', args: {} } }] },
      ],
      cachedContent: 'cachedContents/1',
    });
    expect(shape(prompt)).toEqual(['tools', 'tools', 'system', 'messages', 'messages', 'messages']);
    expect(prompt.blocks[4]).toMatchObject({ tokens: 1500, cacheable: false });
    expect(prompt.cachedContent).toBe('cachedContents/1');
    expect(new Set(ids(prompt)).size).toBe(6);
  });

  it('takes both spellings, and a system instruction of text alone', () => {
    const system = ids(readGemini({ systemInstruction: { parts: [{ text: 'a' }] } }));
    expect(ids(readGemini({ system_instruction: { parts: [{ text: 'a' }] } }))).toEqual(system);
    expect(ids(readGemini({ systemInstruction: 'a' }))).toEqual(system);
  });
});
