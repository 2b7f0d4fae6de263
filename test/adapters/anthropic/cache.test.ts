import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropicCaching } from '../../../adapters/anthropic/cache.ts';
import { anthropic } from '../../../adapters/anthropic/index.ts';
import type { CacheOrder, HostMode, Mark, Prompt } from '../../../src/prompt-cache/types.ts';
import { promptOf, rendered } from '../prompt-of.ts';
import { asParts, isLegal, marksIn, messagesBody, withoutMarks } from './messages-body.ts';

const { canMark, edits, hostMode, rules, salts } = anthropicCaching;

const bodyWith = (prompt: Prompt, order: CacheOrder) =>
  JSON.parse(rendered(prompt, edits(prompt, order)));
const marksAt = (...blocks: number[]): CacheOrder => ({
  marks: blocks.map((block) => ({ block, ttl: '5m' })),
});

describe('the rules of a model', () => {
  test.each([
    ['claude-opus-5', 512, 0.1],
    ['claude-opus-5-5', 512, 0.05],
    ['claude-sonnet-5-5-20261001', 512, 0.1],
    ['claude-fable-5-1', 512, 0.025],
    ['claude-mythos-5-1', 512, 0.025],
    ['claude-mythos-preview', 2048, 0.1],
    ['claude-opus-4-8', 1024, 0.1],
    ['claude-opus-4-7', 2048, 0.1],
    ['claude-opus-4-6', 4096, 0.1],
    ['claude-opus-4-5-20251101', 4096, 0.1],
    ['claude-opus-4-5@20251101', 4096, 0.1],
    ['us.anthropic.claude-opus-4-5-20251101-v1:0', 4096, 0.1],
    ['anthropic/claude-opus-4.5', 4096, 0.1],
    ['claude-opus-4-20250514', 1024, 0.1],
    ['claude-opus-4-0', 1024, 0.1],
    ['claude-sonnet-4@20250514', 1024, 0.1],
    ['claude-3-5-haiku-20241022', 2048, 0.1],
    ['claude-3-7-sonnet-latest', 1024, 0.1],
    // In no table: nothing is promised below what the most demanding model keeps.
    ['claude-haiku-5-5', 4096, 0.1],
    ['claude-opus-4-9', 4096, 0.1],
    ['claude-fable-5-2', 1024, 0.1],
    ['claude-opus', 4096, 0.1],
  ])('%s', (model, minTokens, read) => {
    expect(rules(model)).toEqual({
      writes: 'marks',
      minTokens,
      read,
      lifetimes: [
        { ttl: '5m', ms: 300_000, write: 1.25 },
        { ttl: '1h', ms: 3_600_000, write: 2 },
      ],
      maxMarks: 4,
      lookback: 20,
    });
  });

  test.each(['claude-2.1', 'claude-instant-1', 'gpt-4o', 'my-claude-opus', '', undefined])(
    'of %s are not known',
    (model) => {
      expect(rules(model)).toBeUndefined();
    },
  );
});

describe('marks are written', () => {
  test('on tools, on a system text and on parts of messages', () => {
    const body = {
      tools: [{ name: 'a', input_schema: {} }],
      system: 'Be "kind".\n',
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'a', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'ok' }] },
      ],
    };
    const prompt = promptOf('messages', body);
    const order: CacheOrder = {
      marks: [
        { block: 0, ttl: '1h' },
        { block: 1, ttl: '1h' },
        { block: 3, ttl: '5m' },
        { block: 4, ttl: '5m' },
      ],
    };
    const hour = { type: 'ephemeral', ttl: '1h' };
    const cache_control = { type: 'ephemeral' };
    expect(bodyWith(prompt, order)).toEqual({
      tools: [{ ...body.tools[0], cache_control: hour }],
      system: [{ type: 'text', text: 'Be "kind".\n', cache_control: hour }],
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ ...toolUse(), cache_control }] },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 't', content: 'ok', cache_control }],
        },
      ],
    });
  });

  test('in the order of their value, as many as are left beside those of the host', () => {
    const prompt = promptOf('messages', {
      system: [text('a', '5m'), text('b')],
      messages: [{ role: 'user', content: [nested('5m'), text('c'), text('d'), text('e')] }],
    });
    const paths = marksIn(bodyWith(prompt, marksAt(5, 3, 4))).map(({ path }) => path);
    expect(paths).toEqual([
      'system/0',
      'messages/0/content/0/content/0',
      'messages/0/content/1',
      'messages/0/content/3',
    ]);
    const full = promptOf('messages', {
      cache_control: { type: 'ephemeral' },
      system: [text('a', '5m'), text('b', '5m'), text('c', '5m'), text('d')],
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(edits(full, marksAt(3))).toEqual([]);
  });

  test('never so that an hour comes behind five minutes', () => {
    const body = { messages: [{ role: 'user', content: [text('a'), text('b', '1h'), text('c')] }] };
    const prompt = promptOf('messages', body);
    expect(edits(prompt, marksAt(0))).toEqual([]);
    expect(edits(prompt, marksAt(2))).toHaveLength(1);
    const own: Mark[] = [
      { block: 0, ttl: '5m' },
      { block: 2, ttl: '1h' },
    ];
    const plain = promptOf('messages', {
      messages: [{ role: 'user', content: [text('a'), text('b'), text('c')] }],
    });
    expect(marksIn(bodyWith(plain, { marks: own }))).toMatchObject([{ ttl: '5m' }]);
    expect(marksIn(bodyWith(plain, { marks: own.toReversed() }))).toMatchObject([{ ttl: '1h' }]);
  });

  test('not in the message where the automatic mark lands', () => {
    const body = {
      cache_control: { type: 'ephemeral', ttl: '1h' },
      system: 'rules',
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: [text('c'), text('d')] },
      ],
    };
    const prompt = promptOf('messages', body);
    const hour = (...blocks: number[]): CacheOrder => ({
      marks: blocks.map((block) => ({ block, ttl: '1h' })),
    });
    expect(marksIn(bodyWith(prompt, hour(3, 4, 1))).map(({ path }) => path)).toEqual([
      'messages/0/content/0',
    ]);
    expect(edits(prompt, marksAt(0))).toEqual([]);
  });

  test('and a mark on a tool result counts once, one of a lifetime that is not sold not at all', () => {
    const marked = { ...nested('5m'), cache_control: { type: 'ephemeral' } };
    const content = [{ ...marked, content: 'x' }, marked, text('a')];
    const prompt = promptOf('messages', { messages: [{ role: 'user', content }] });
    const plain = promptOf('messages', { messages: [{ role: 'user', content: 'a' }] });
    expect(edits(plain, { marks: [{ block: 0, ttl: '30m' }] })).toEqual([]);
    expect(marksIn(bodyWith(prompt, marksAt(2)))).toHaveLength(4);
  });

  test('and marks within blocks count in every turn, but only where they are', () => {
    const four = [nested('5m'), nested('5m'), nested('5m'), nested('5m')];
    const turn = (...more: object[]) =>
      promptOf('messages', { messages: [{ role: 'user', content: [...four, ...more] }] });
    const [first, next] = [turn(text('a')), turn(text('a'), text('b'))];
    expect(edits(first, marksAt(4))).toEqual([]);
    const blocks = [...first.blocks, ...next.blocks.slice(5)];
    expect(edits({ ...next, blocks }, marksAt(5))).toEqual([]);
    // Another history of the same length before a block that was seen.
    const other = promptOf('messages', first.text.replaceAll('cache_control', 'other_control'));
    const shared = [...other.blocks.slice(0, 4), ...first.blocks.slice(4)];
    expect(edits({ ...other, blocks: shared }, marksAt(4))).toHaveLength(1);
  });

  test('not where a block has the member already or the text is something else', () => {
    const content = [{ ...text('a'), cache_control: null }];
    expect(
      edits(promptOf('messages', { messages: [{ role: 'user', content }] }), marksAt(0)),
    ).toEqual([]);
    // A string among the parts is for the provider to refuse.
    const odd = promptOf('messages', { messages: [{ role: 'user', content: ['a', text('b')] }] });
    expect(edits(odd, marksAt(0))).toEqual([]);
    const prompt = promptOf('messages', { messages: [{ role: 'user', content: [text('a')] }] });
    const shifted = { ...prompt, offsets: { ...prompt.offsets, messages: 3 } };
    expect(edits(shifted, marksAt(0))).toEqual([]);
    expect(edits(prompt, marksAt(7, -1))).toEqual([]);
    const tools = promptOf('messages', { tools: [{}, { name: 'a' }], messages: [] });
    expect(edits(tools, marksAt(0))).toEqual([]);
    const offsets = { ...tools.offsets, tools: tools.offsets.tools + 1 };
    expect(edits({ ...tools, offsets }, marksAt(1))).toEqual([]);
  });

  test('500 bodies: the same question, legal where it was, and every mark of the host in its place', () => {
    const order = fc.array(
      fc.record({
        block: fc.nat(16),
        ttl: fc.constantFrom('5m', '1h', '30m') as fc.Arbitrary<Mark['ttl']>,
      }),
      { maxLength: 6 },
    );
    let added = 0;
    fc.assert(
      fc.property(messagesBody, order, fc.constantFrom(undefined, 2), (body, marks, indent) => {
        const prompt = promptOf('messages', body, indent);
        const sent = bodyWith(prompt, { marks });
        expect(withoutMarks(sent)).toEqual(withoutMarks(body));
        const before = marksIn(body).map(({ path, ttl }) => `${path} ${ttl}`);
        const after = marksIn(sent).map(({ path, ttl }) => `${path} ${ttl}`);
        expect(after).toEqual(expect.arrayContaining(before));
        expect(asParts(sent)['cache_control']).toEqual(body['cache_control']);
        added += after.length - before.length;
        if (isLegal(body)) expect(isLegal(sent)).toBe(true);
        else if (before.length >= 4) expect(after).toEqual(before);
      }),
      { numRuns: 500 },
    );
    expect(added).toBeGreaterThan(0);
  });
});

describe('a block takes a mark', () => {
  test.each([
    ['a text', text('a'), true],
    ['a text without anything in it', text(''), false],
    ['a text of white space', text(' \n'), false],
    ['an image', { type: 'image', source: {} }, true],
    ['a tool result without text', { type: 'tool_result', tool_use_id: 't' }, true],
    ['thinking', { type: 'thinking', thinking: 'x', signature: 's' }, false],
    ['what is not known', { type: 'later_block', data: 1 }, false],
    ['a text that has one', text('a', '1h'), false],
  ])('%s: %j %s', (_name, block, takes) => {
    const prompt = promptOf('messages', { messages: [{ role: 'user', content: [block] }] });
    expect(prompt.blocks.map((part) => canMark(prompt, part))).toEqual([takes]);
  });

  test('a tool, unless it is loaded on demand', () => {
    const schema = { type: 'object', properties: { defer_loading: { const: true } } };
    const prompt = promptOf('messages', {
      tools: [
        { name: 'a', input_schema: schema },
        { name: 'b', input_schema: schema, defer_loading: true },
        { name: 'c', input_schema: schema, defer_loading: false },
      ],
      messages: [],
    });
    expect(prompt.blocks.map((tool) => canMark(prompt, tool))).toEqual([true, false, true]);
  });

  test('not a system message amid the others', () => {
    const prompt = promptOf('messages', { messages: [{ role: 'system', content: 'now' }] });
    expect(prompt.blocks.map((block) => canMark(prompt, block))).toEqual([false]);
  });
});

describe('the mode of the host', () => {
  test.each<[object, HostMode]>([
    [{}, {}],
    [{ cache_control: null }, {}],
    [{ cache_control: { type: 'ephemeral' } }, { automatic: '5m' }],
    [{ cache_control: { type: 'ephemeral', ttl: '1h' } }, { automatic: '1h' }],
    [{ cache_control: { type: 'ephemeral', ttl: '1d' } }, { handsOff: true }],
    [{ cache_control: 'ephemeral' }, { handsOff: true }],
  ])('%j', (members, mode) => {
    const prompt = promptOf('messages', { ...members, messages: [{ role: 'user', content: 'a' }] });
    expect(hostMode(prompt)).toEqual(mode);
    if (mode.handsOff === true) expect(edits(prompt, marksAt(0))).toEqual([]);
  });
});

describe('what a prefix depends on beside its blocks', () => {
  const base = { model: 'claude-opus-5', messages: [{ role: 'user', content: 'a' }] };
  const changedBy = (members: object): string[] => {
    const before = salts(promptOf('messages', base));
    const after = salts(promptOf('messages', { ...base, ...members }));
    return (['tools', 'system', 'messages'] as const).filter(
      (tier) => before[tier] !== after[tier],
    );
  };

  test.each([
    [{ model: 'claude-opus-5-5' }, ['tools']],
    [{ mcp_servers: [{ url: 'https://a' }] }, ['tools']],
    [{ speed: 'fast' }, ['system']],
    [{ output_config: { format: { type: 'json_schema' } } }, ['system']],
    [{ output_config: { effort: 'low' } }, ['messages']],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, ['messages']],
    [{ tool_choice: { type: 'any' } }, ['messages']],
    [{ tool_choice: { type: 'auto', disable_parallel_tool_use: true } }, ['messages']],
    [{ messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }, ['messages']],
    [
      {
        messages: [{ role: 'user', content: [{ type: 'document', citations: { enabled: true } }] }],
      },
      ['system'],
    ],
    // The defaults, and what the provider does not render.
    [{ messages: [{ role: 'user', content: [{ type: 'document', citations: null }] }] }, []],
    [{ tool_choice: { type: 'auto' } }, []],
    [{ thinking: null, temperature: 0, max_tokens: 5, stream: true, metadata: {} }, []],
    [{ messages: [{ role: 'user', content: 'other' }] }, []],
  ])('%j changes %j', (members, tiers) => {
    expect(changedBy(members)).toEqual(tiers);
  });
});

test('only the Messages format of Anthropic has it', () => {
  const cacheAt = (path: string) =>
    anthropic().match(new URL(path, 'https://api.anthropic.com'))?.cache;
  expect(cacheAt('/v1/messages')).toBe(anthropicCaching);
  expect(cacheAt('/v1/chat/completions')).toBeUndefined();
  expect(cacheAt('/v1/messages/count_tokens')).toBeUndefined();
});

function text(value: string, ttl?: '5m' | '1h') {
  const part = { type: 'text', text: value };
  return ttl === undefined ? part : { ...part, cache_control: { type: 'ephemeral', ttl } };
}

function nested(ttl: '5m' | '1h') {
  return { type: 'tool_result', tool_use_id: 't', content: [text('inner', ttl)] };
}

function toolUse() {
  return { type: 'tool_use', id: 't', name: 'a', input: {} };
}
