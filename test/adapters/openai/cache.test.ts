import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openaiCaching, openaiLayoutCaching } from '../../../adapters/openai/cache.ts';
import { generationOf } from '../../../adapters/openai/cache-rules.ts';
import { openai } from '../../../adapters/openai/index.ts';
import type { CacheOrder, HostMode, Prompt, PromptApi } from '../../../src/prompt-cache/types.ts';
import { promptOf, rendered } from '../prompt-of.ts';

const { canMark, edits, hostMode, rules, salts } = openaiCaching;

const bodyWith = (prompt: Prompt, order: CacheOrder) =>
  JSON.parse(rendered(prompt, edits(prompt, order)));
const marksAt = (...blocks: number[]): CacheOrder => ({
  marks: blocks.map((block) => ({ block, ttl: '30m' })),
});
const explicit = { mode: 'explicit' };

describe('the rules of a model', () => {
  test.each([
    ['gpt-5.6-sol', 0.1],
    ['gpt-5-6-sol', 0.1],
    ['gpt-5.6', 0.1],
    ['gpt-5.10-pro', 0.1],
    ['gpt-6-astra', 0.1],
    ['gpt-6.1-sol', 0.05],
    ['gpt-6-1-sol-2026-10-01', 0.05],
    ['gpt-6.1-terra', 0.1],
  ])('%s keeps endings and marks, for a fee', (model, read) => {
    expect(rules(model)).toEqual({
      writes: 'endings',
      minTokens: 1024,
      read,
      lifetimes: [{ ttl: '30m', ms: 1_800_000, write: 1.25 }],
      maxMarks: 3,
      lookback: 21,
    });
  });

  test.each([
    ['gpt-4o', 0.5, 1024, false],
    ['gpt-4o-mini-2024-07-18', 0.5, 1024, false],
    ['chatgpt-4o-latest', 0.5, 1024, false],
    ['ft:gpt-4o-2024-08-06:org:name:id', 0.5, 1024, false],
    ['gpt-4.1', 0.25, 1024, true],
    ['gpt-4.1-mini', 0.25, 1024, false],
    ['o1', 0.5, 1024, false],
    ['o3-2025-04-16', 0.25, 1024, false],
    ['o3-mini', 0.5, 1024, false],
    ['o4-mini', 0.25, 1024, false],
    ['gpt-5', 0.1, 1024, true],
    ['gpt-5-2025-08-07', 0.1, 1024, true],
    ['gpt-5-codex', 0.1, 1024, true],
    ['gpt-5-mini', 0.1, 1024, false],
    ['gpt-5.1-codex-max', 0.1, 1024, true],
    ['gpt-5.3', 0.1, 1024, false],
    ['gpt-5.5', 0.1, 2048, true],
  ])('%s keeps prefixes for nothing', (model, read, minTokens, takesRetention) => {
    expect(rules(model)).toMatchObject({ writes: 'prefix', read, minTokens, maxMarks: 0 });
    expect(rules(model)?.lifetimes).toMatchObject([
      { ttl: takesRetention ? '30m' : '5m', write: 1 },
    ]);
    expect(generationOf(model)).toMatchObject({ takesBreakpoints: false, takesRetention });
  });

  test.each([
    'gpt-4-turbo',
    'gpt-4-0613',
    'gpt-3.5-turbo',
    'gpt-4o-audio-preview',
    'gpt-6-realtime',
    'gpt-5o',
    'gpt-5-pro',
    'o1-pro',
    'ft:gpt-5.6-luna:org::id',
    'claude-opus-5',
    '',
    undefined,
  ])('of %s are not known', (model) => {
    expect(rules(model)).toBeUndefined();
  });
});

describe('breakpoints are written', () => {
  test('into parts of a chat, and a string becomes one', () => {
    const body = {
      model: 'gpt-5.6-sol',
      messages: [
        { role: 'developer', content: 'Be kind.' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      ],
    };
    expect(bodyWith(promptOf('chat.completions', body), marksAt(1, 0))).toEqual({
      model: 'gpt-5.6-sol',
      messages: [
        {
          role: 'developer',
          content: [{ type: 'text', text: 'Be kind.', prompt_cache_breakpoint: explicit }],
        },
        {
          role: 'user',
          content: [{ type: 'text', text: 'Hi', prompt_cache_breakpoint: explicit }],
        },
      ],
    });
  });

  test('into parts of a Responses input', () => {
    const body = { model: 'gpt-6-sol', input: [{ role: 'user', content: 'Hi' }] };
    expect(bodyWith(promptOf('responses', body), marksAt(0)).input).toEqual([
      {
        role: 'user',
        content: [{ type: 'input_text', text: 'Hi', prompt_cache_breakpoint: explicit }],
      },
    ]);
  });

  test('three at most, four when nothing else is to be kept, the first ones of the order', () => {
    const content = [0, 1, 2, 3, 4, 5].map((n) => ({ type: 'text', text: `${n}` }));
    const prompt = promptOf('chat.completions', {
      model: 'gpt-5.6',
      messages: [{ role: 'user', content }],
    });
    const marked = (order: CacheOrder): number[] =>
      bodyWith(prompt, order).messages[0].content.flatMap((part: object, index: number) =>
        'prompt_cache_breakpoint' in part ? [index] : [],
      );
    expect(marked(marksAt(4, 4, 1, 0, 2, 3))).toEqual([0, 1, 4]);
    expect(marked({ ...marksAt(4, 1, 0, 2, 3), onlyMarks: true })).toEqual([0, 1, 2, 4]);
  });

  test('never for models that refuse them', () => {
    for (const model of ['gpt-5.5', 'gpt-4o', 'unknown']) {
      const prompt = promptOf('chat.completions', {
        model,
        messages: [{ role: 'user', content: 'a' }],
      });
      expect(edits(prompt, { ...marksAt(0), onlyMarks: true })).toEqual([]);
    }
  });

  test.each<[string, PromptApi, object, boolean]>([
    ['instructions', 'responses', { instructions: 'a' }, false],
    ['an input of one string', 'responses', { input: 'a' }, false],
    [
      'a text of an answer',
      'responses',
      { input: [{ role: 'assistant', content: [{ type: 'output_text', text: 'a' }] }] },
      false,
    ],
    ['a tool', 'responses', { tools: [{ type: 'function', name: 'f' }] }, false],
    [
      'a tool result',
      'responses',
      { input: [{ type: 'function_call_output', output: 'a' }] },
      false,
    ],
    [
      'an image',
      'responses',
      { input: [{ role: 'user', content: [{ type: 'input_image' }] }] },
      true,
    ],
    [
      'an image',
      'chat.completions',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      true,
    ],
    ['an answer', 'chat.completions', { messages: [{ role: 'assistant', content: 'a' }] }, false],
    [
      'an answer of a tool',
      'chat.completions',
      { messages: [{ role: 'tool', content: 'a' }] },
      false,
    ],
    ['no text', 'chat.completions', { messages: [{ role: 'user', content: '' }] }, false],
    [
      'a part of another format',
      'chat.completions',
      { messages: [{ role: 'user', content: [{ type: 'input_text', text: 'a' }] }] },
      false,
    ],
  ])('on %s in %s: %j %s', (_name, api, members, takes) => {
    const prompt = promptOf(api, { model: 'gpt-5.6', ...members });
    expect(prompt.blocks.map((block) => canMark(prompt, block))).toEqual([takes]);
  });
});

describe('the rest of the order', () => {
  const chat = (members: object) =>
    promptOf('chat.completions', { messages: [{ role: 'user', content: 'a' }], ...members });
  const added = (members: object, order: Partial<CacheOrder>) => {
    const { messages: _messages, ...rest } = bodyWith(chat(members), { marks: [], ...order });
    return rest;
  };

  test('the key, unless the host has one', () => {
    expect(added({ model: 'gpt-4o' }, { key: 'k' })).toEqual({
      model: 'gpt-4o',
      prompt_cache_key: 'k',
    });
    expect(added({ model: 'gpt-5.6', prompt_cache_key: null }, { key: '"' })).toMatchObject({
      prompt_cache_key: '"',
    });
    expect(added({ model: 'gpt-4o', prompt_cache_key: 'own' }, { key: 'k' })).toMatchObject({
      prompt_cache_key: 'own',
    });
    expect(added({ model: 'gpt-4o' }, { key: 'k'.repeat(65) })).toEqual({ model: 'gpt-4o' });
    expect(added({ model: 'gpt-4-turbo' }, { key: 'k' })).toEqual({ model: 'gpt-4-turbo' });
  });

  test('the retention, where it was asked for, is free and the model takes it', () => {
    const retention = '24h';
    expect(added({ model: 'gpt-5.1' }, { retention, key: 'k' })).toEqual({
      model: 'gpt-5.1',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
    });
    expect(added({ model: 'gpt-5.1', prompt_cache_retention: 'in_memory' }, { retention })).toEqual(
      {
        model: 'gpt-5.1',
        prompt_cache_retention: 'in_memory',
      },
    );
    for (const model of ['gpt-4o', 'gpt-5.6'])
      expect(added({ model }, { retention })).toEqual({ model });
  });

  test('the end of the request is left out, also in options of the host that leave the mode open', () => {
    const onlyMarks = true;
    const options = (members: object, order: Partial<CacheOrder> = {}) =>
      bodyWith(chat({ model: 'gpt-5.6', ...members }), { marks: [], onlyMarks, ...order })
        .prompt_cache_options;
    expect(options({})).toEqual(explicit);
    expect(options({ prompt_cache_options: null })).toEqual(explicit);
    expect(options({ prompt_cache_options: {} })).toEqual(explicit);
    expect(options({ prompt_cache_options: { ttl: '12h' } })).toEqual({
      ttl: '12h',
      mode: 'explicit',
    });
    // Nothing at all would be kept when the one mark that was ordered cannot be written.
    expect(options({}, marksAt(5))).toBeUndefined();
    expect(options({}, marksAt(0))).toEqual(explicit);
  });
});

describe('the mode of the host', () => {
  const own = { type: 'text', text: 'a', prompt_cache_breakpoint: explicit };
  test.each<[object, HostMode]>([
    [{ model: 'gpt-5.6' }, {}],
    [{ model: 'gpt-5.6', prompt_cache_key: 'own' }, {}],
    [{ model: 'gpt-5.6', prompt_cache_options: { ttl: '30m' } }, {}],
    [{ model: 'gpt-5.6', prompt_cache_options: { mode: 'implicit' } }, { handsOff: true }],
    [{ model: 'gpt-5.6', prompt_cache_options: 'explicit' }, { handsOff: true }],
    [{ model: 'gpt-5.6', prompt_cache_retention: '24h' }, { handsOff: true }],
    [{ model: 'gpt-5.6', messages: [{ role: 'user', content: [own] }] }, { handsOff: true }],
    [{ model: 'gpt-5.1', prompt_cache_retention: '24h' }, {}],
  ])('%j', (members, mode) => {
    const prompt = promptOf('chat.completions', {
      messages: [{ role: 'user', content: 'a' }],
      ...members,
    });
    expect(hostMode(prompt)).toEqual(mode);
    const order: CacheOrder = { ...marksAt(0), key: 'k', onlyMarks: true };
    if (mode.handsOff === true) expect(edits(prompt, order)).toEqual([]);
  });
});

describe('what a prefix depends on beside its blocks', () => {
  const changedBy = (model: string, members: object): string[] => {
    const base = { model, input: [{ role: 'user', content: 'a' }] };
    const before = salts(promptOf('responses', base));
    const after = salts(promptOf('responses', { ...base, ...members }));
    return (['tools', 'system', 'messages'] as const).filter(
      (tier) => before[tier] !== after[tier],
    );
  };

  test.each([
    [{ model: 'gpt-6-sol' }, ['tools']],
    [{ prompt_cache_key: 'k' }, ['tools']],
    [{ parallel_tool_calls: false }, ['tools']],
    [{ text: { format: { type: 'json_object' } } }, ['tools']],
    [{ text: { verbosity: 'low' } }, ['tools']],
    [{ reasoning: { effort: 'low' } }, ['tools']],
    [{ response_format: { type: 'json_object' } }, ['tools']],
    [{ reasoning_effort: 'low' }, ['tools']],
    [{ verbosity: 'low' }, ['tools']],
    [{ service_tier: 'flex' }, ['tools']],
    [{ context_management: [{ type: 'compaction' }] }, ['tools']],
    [{ prompt: { id: 'p' } }, ['system']],
    [{ previous_response_id: 'r' }, ['messages']],
    [{ tool_choice: 'none', temperature: 1, reasoning: { summary: 'auto' } }, []],
  ])('from GPT-5.6 %j changes %j', (members, tiers) => {
    expect(changedBy('gpt-5.6-sol', members)).toEqual(tiers);
  });

  test('before GPT-5.6 the model and the key', () => {
    expect(changedBy('gpt-5.5', { model: 'gpt-5.4' })).toEqual(['tools']);
    expect(changedBy('gpt-5.5', { prompt_cache_key: 'k' })).toEqual(['tools']);
    expect(changedBy('gpt-5.5', { service_tier: 'flex', reasoning: { effort: 'low' } })).toEqual(
      [],
    );
  });
});

describe('a body of either format', () => {
  const words = fc.oneof(
    fc.constantFrom('', '"prompt_cache_breakpoint"'),
    fc.string({ maxLength: 12 }),
  );
  const parts = (types: readonly string[]) =>
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.record({ type: fc.constantFrom(...types), text: words }) },
        {
          weight: 1,
          arbitrary: fc.constant({ type: types[0], text: 'a', prompt_cache_breakpoint: explicit }),
        },
      ),
      { maxLength: 3 },
    );
  const message = (types: readonly string[]) =>
    fc.record({
      role: fc.constantFrom('user', 'user', 'system', 'developer', 'assistant', 'tool'),
      content: fc.oneof(words, parts(types)),
    });
  const members = {
    model: fc.constantFrom('gpt-5.6-sol', 'gpt-6-sol', 'gpt-5.6', 'gpt-5.1', 'gpt-4o', 'other'),
    prompt_cache_options: fc.constantFrom(null, {}, { ttl: '30m' }, { ttl: '12h' }, explicit),
    prompt_cache_key: fc.constantFrom(null, 'own'),
    prompt_cache_retention: fc.constantFrom(null, null, null, null, '24h', 'in_memory'),
  };
  const chat = fc.record(
    {
      ...members,
      messages: fc.array(message(['text', 'image_url', 'refusal', 'later']), {
        minLength: 1,
        maxLength: 4,
      }),
    },
    { requiredKeys: ['model', 'messages'] },
  );
  const responses = fc.record(
    {
      ...members,
      instructions: words,
      input: fc.oneof(
        words,
        fc.array(message(['input_text', 'input_image', 'output_text']), {
          minLength: 1,
          maxLength: 4,
        }),
      ),
    },
    { requiredKeys: ['model', 'input'] },
  );
  const order = fc.record({
    marks: fc.array(fc.record({ block: fc.nat(4), ttl: fc.constant('30m' as const) }), {
      maxLength: 6,
    }),
    key: fc.constantFrom(undefined, 'k'),
    onlyMarks: fc.boolean(),
    retention: fc.constantFrom(undefined, '24h' as const),
  });

  /** Without what is ours to add, and with strings as parts. */
  const asked = (value: unknown, type: string): unknown =>
    JSON.parse(
      JSON.stringify(value, (key, member: unknown) => {
        if (key === 'content' && typeof member === 'string') return [{ type, text: member }];
        return key.startsWith('prompt_cache_') ? undefined : member;
      }),
    );
  const breakpointsIn = (text: string): number =>
    text.split('"prompt_cache_breakpoint":').length - 1;

  test.each([
    ['chat.completions', chat, 'text'],
    ['responses', responses, 'input_text'],
  ] as const)('of 300 in %s keeps its question, and what the host set', (api, bodies, type) => {
    let added = 0;
    fc.assert(
      fc.property(
        bodies as fc.Arbitrary<Record<string, unknown>>,
        order,
        fc.boolean(),
        (body, wanted, isWide) => {
          const prompt = promptOf(api, body, isWide ? 2 : undefined);
          const text = rendered(prompt, edits(prompt, wanted));
          const sent = JSON.parse(text);
          expect(asked(sent, type)).toEqual(asked(body, type));
          const isNew = rules(String(body['model']))?.writes === 'endings';
          const before = breakpointsIn(JSON.stringify(body));
          const after = breakpointsIn(JSON.stringify(sent));
          added += after - before;
          if (before > 0 || !isNew) expect(after).toBe(before);
          else expect(after).toBeLessThanOrEqual(4);
          if (body['prompt_cache_key'] === 'own') expect(sent.prompt_cache_key).toBe('own');
          if (!isNew) expect(sent.prompt_cache_options).toEqual(body['prompt_cache_options']);
          else expect(sent.prompt_cache_retention).toEqual(body['prompt_cache_retention']);
          for (const [key, value] of Object.entries(body['prompt_cache_options'] ?? {})) {
            expect(sent.prompt_cache_options[key]).toEqual(value);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(added).toBeGreaterThan(0);
  });
});

describe('where it is used', () => {
  const cacheAt = (url: string) => openai().match(new URL(url))?.cache;

  test("OpenAI's own hosts in both formats; Codex and compaction are read only", () => {
    expect(cacheAt('https://api.openai.com/v1/chat/completions')).toBe(openaiCaching);
    expect(cacheAt('https://eu.api.openai.com/v1/responses')).toBe(openaiCaching);
    expect(cacheAt('https://chatgpt.com/backend-api/codex/responses')).toBe(openaiLayoutCaching);
    expect(cacheAt('https://api.openai.com/v1/responses/compact')).toBe(openaiLayoutCaching);
    expect(cacheAt('https://api.openai.com/v1/models')).toBeUndefined();
  });

  test('read only adds nothing', () => {
    const body = { model: 'gpt-5.6', messages: [{ role: 'user', content: 'a' }] };
    const prompt = promptOf('chat.completions', body);
    const order: CacheOrder = { ...marksAt(0), key: 'k', onlyMarks: true, retention: '24h' };
    expect(openaiLayoutCaching.edits(prompt, order)).toEqual([]);
    expect(openaiLayoutCaching.rules('gpt-5.6')).toMatchObject({ writes: 'endings', maxMarks: 0 });
    expect(openaiLayoutCaching.hostMode(prompt)).toEqual({ handsOff: true });
    expect(openaiLayoutCaching.salts(prompt)).toEqual(salts(prompt));
  });
});
