import { describe, expect, it } from 'vitest';
import { readAnthropic } from '../../../../src/testing/simulate/cache/index.ts';
import type { CachePrompt } from '../../../../src/testing/simulate/cache/index.ts';

const MARK = { type: 'ephemeral' };
const user = (content: unknown): unknown => ({ role: 'user', content });
const ids = (body: object): string[] => readAnthropic(body).blocks.map(({ id }) => id);
const only = (content: unknown): string | undefined => ids({ messages: [user(content)] })[0];

describe('readAnthropic', () => {
  it('makes a block of each tool, system block and part of a message, in cache order', () => {
    const { blocks, model, automatic } = readAnthropic({
      model: 'claude-opus-5',
      messages: [
        user('question'),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'x' },
            { type: 'text', text: '' },
            { type: 'tool_use', id: 't', name: 'look', input: {}, cache_control: MARK },
          ],
        },
        user([{ type: 'tool_result', tool_use_id: 't', content: 'seen', cache_control: null }]),
      ],
      system: [
        { type: 'text', text: 'be kind', cache_control: { type: 'ephemeral', ttl: '1h' } },
        { type: 'text', text: 'be brief' },
      ],
      tools: [
        { name: 'look', input_schema: {} },
        { name: 'leap', input_schema: {} },
      ],
      cache_control: { type: 'ephemeral', ttl: '5m' },
    });
    expect(blocks.map(({ tier, cacheable, mark }) => [tier, cacheable, mark])).toEqual([
      ['tools', true, undefined],
      ['tools', true, undefined],
      ['system', true, '1h'],
      ['system', true, undefined],
      ['messages', true, undefined],
      ['messages', false, undefined],
      ['messages', false, undefined],
      ['messages', true, '5m'],
      ['messages', true, undefined],
    ]);
    expect([model, automatic]).toEqual(['claude-opus-5', '5m']);
    expect(new Set(blocks.map(({ id }) => id)).size).toBe(9);
  });

  it('takes a string and a part with the same text for the same block', () => {
    expect(only('hello')).toBe(only([{ type: 'text', text: 'hello' }]));
    expect(only('hello')).toBe(only([{ text: 'hello', type: 'text', cache_control: MARK }]));
    expect(only('hello')).not.toBe(only('hello!'));
    expect(ids({ system: 'hello' })).toEqual(ids({ system: [{ type: 'text', text: 'hello' }] }));
    expect(only('{"type":"image"}')).not.toBe(only([{ type: 'image' }]));
  });

  it('tells blocks apart by role and by the order of keys, not by marks', () => {
    const result = (...parts: object[]): unknown => [
      { type: 'tool_result', tool_use_id: 't', content: parts },
    ];
    expect(only('hello')).not.toBe(ids({ messages: [{ role: 'assistant', content: 'hello' }] })[0]);
    expect(only('hello')).not.toBe(ids({ system: 'hello' })[0]);
    expect(ids({ tools: [{ name: 'a', description: 'b' }] })).not.toEqual(
      ids({ tools: [{ description: 'b', name: 'a' }] }),
    );
    expect(ids({ tools: [{ name: 'a', cache_control: MARK }] })).toEqual(
      ids({ tools: [{ name: 'a' }] }),
    );
    const text = { type: 'text', text: 'seen' };
    expect(only(result({ ...text, cache_control: MARK }))).toBe(only(result(text)));
  });

  it('counts a quarter of the bytes, images 1500, or what it is told', () => {
    const tokens = (content: unknown, tokensOf?: (text: string) => number): number | undefined =>
      readAnthropic({ messages: [user(content)] }, tokensOf).blocks[0]?.tokens;
    const image = { type: 'image', source: { type: 'base64', data: 'A'.repeat(40_000) } };
    expect(tokens('x'.repeat(400))).toBe(100);
    expect(tokens('é'.repeat(400))).toBe(200);
    expect(tokens([image])).toBe(1500);
    expect(tokens([{ type: 'tool_result', tool_use_id: 't', content: [image] }])).toBeLessThan(
      1530,
    );
    expect(tokens([{ type: 'tool_use', id: 't', name: 'n', input: image }])).toBeGreaterThan(
      10_000,
    );
    expect(tokens('x'.repeat(400), ({ length }) => length)).toBe(400);
    expect(tokens('x'.repeat(400))).toBe(100);
  });

  it('counts a text once, as long as the counter is the same', () => {
    let counted = 0;
    const tokensOf = ({ length }: string): number => ((counted += 1), length);
    for (let turn = 0; turn < 3; turn += 1) readAnthropic({ system: 'one', tools: [] }, tokensOf);
    expect(counted).toBe(1);
  });

  it('takes out earlier thinking where the model does not keep it and the user goes on', () => {
    const thinking = (text: string): object => ({ type: 'thinking', thinking: text });
    const messages = [
      user('first'),
      { role: 'assistant', content: [thinking('one'), { type: 'tool_use', id: 't' }] },
      user([{ type: 'tool_result', tool_use_id: 't' }]),
      { role: 'assistant', content: [thinking('two'), { type: 'text', text: 'done' }] },
    ];
    const count = (model: string, ...more: unknown[]): number =>
      ids({ model, messages: [...messages, ...more] }).length;
    expect(count('claude-sonnet-4-5')).toBe(6);
    expect(count('claude-sonnet-4-5', user('second'))).toBe(5);
    expect(count('claude-haiku-4-5', user('second'))).toBe(5);
    expect(count('claude-opus-4-1', user('second'))).toBe(5);
    expect(count('claude-sonnet-4-6', user('second'))).toBe(7);
    expect(count('claude-opus-4-5', user('second'))).toBe(7);
    expect(count('claude-sonnet-4-5', user([{ type: 'tool_result', tool_use_id: 'u' }]))).toBe(7);
  });

  describe('salts', () => {
    const salts = (body: object): CachePrompt['salts'] => readAnthropic(body).salts;
    const EMPTY = { tools: '', system: '', messages: '' };
    const image = { type: 'image', source: {} };

    it.each<[string, object, Array<keyof CachePrompt['salts']>]>([
      ['nothing', {}, []],
      ['a search tool', { tools: [{ type: 'web_search_20250305', name: 's' }] }, ['system']],
      ['a fetch tool', { tools: [{ type: 'web_fetch_20250910', name: 'f' }] }, ['system']],
      [
        'citations',
        { messages: [user([{ type: 'document', citations: { enabled: true } }])] },
        ['system'],
      ],
      ['speed', { speed: 'fast' }, ['system']],
      ['tool choice', { tool_choice: { type: 'any' } }, ['messages']],
      [
        'one tool at a time',
        { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
        ['messages'],
      ],
      ['an image', { messages: [user([image])] }, ['messages']],
      [
        'an image in a result',
        { messages: [user([{ type: 'tool_result', content: [image] }])] },
        ['messages'],
      ],
      ['thinking', { thinking: { type: 'enabled', budget_tokens: 2000 } }, ['messages']],
      ['effort', { output_config: { effort: 'low' } }, ['messages']],
      [
        'what is the default',
        {
          speed: 'standard',
          tool_choice: { type: 'auto' },
          thinking: { type: 'disabled' },
          output_config: { effort: 'high' },
        },
        [],
      ],
      ['the temperature', { temperature: 0.3, max_tokens: 10 }, []],
    ])('%s', (_, body, changed) => {
      const found = salts(body);
      const tiers = (['tools', 'system', 'messages'] as const).filter((tier) => found[tier] !== '');
      expect(tiers).toEqual(changed);
    });

    it('can count thinking from the tools on', () => {
      const body = { thinking: { type: 'adaptive' } };
      expect(readAnthropic(body, undefined, { rendersThinkingAhead: true }).salts.tools).not.toBe(
        '',
      );
      expect(salts({})).toEqual(EMPTY);
    });
  });

  it('tells a mark that the provider refuses', () => {
    const refusal = (mark: unknown): string | undefined =>
      readAnthropic({ system: [{ type: 'text', text: 'a', cache_control: mark }] }).refusal;
    expect([MARK, { ...MARK, ttl: '5m' }, { ...MARK, ttl: '1h' }, null].map(refusal)).toEqual(
      Array(4).fill(undefined),
    );
    expect(refusal({ ...MARK, ttl: '2h' })).toMatch(/ttl/);
    expect(refusal({ type: 'forever' })).toMatch(/ephemeral/);
  });

  it('takes anything', () => {
    for (const body of [null, 1, 'x', [], { tools: 1, system: 2, messages: [null, 3, {}] }]) {
      expect(readAnthropic(body).blocks).toEqual([]);
    }
  });
});
