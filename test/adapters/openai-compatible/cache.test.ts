import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropicCaching } from '../../../adapters/anthropic/cache.ts';
import { openaiLayoutCaching } from '../../../adapters/openai/cache.ts';
import { openaiCompatible } from '../../../adapters/openai-compatible/index.ts';
import { openRouterCaching } from '../../../adapters/openai-compatible/cache.ts';
import type { CacheOrder, PromptApi, PromptCaching } from '../../../src/prompt-cache/types.ts';
import { promptOf, rendered } from '../prompt-of.ts';

const cacheAt = (url: string): PromptCaching | undefined =>
  openaiCompatible().match(new URL(url))?.cache;

const everything: CacheOrder = {
  marks: [{ block: 0, ttl: '5m' }],
  key: 'k',
  onlyMarks: true,
  retention: '24h',
};

const chat = { model: 'm', messages: [{ role: 'user', content: 'a' }] };
const responses = { model: 'm', input: [{ role: 'user', content: 'a' }] };

function bodyWith(
  cache: PromptCaching | undefined,
  api: PromptApi,
  body: object,
  order = everything,
) {
  const prompt = promptOf(api, body);
  return JSON.parse(rendered(prompt, cache?.edits(prompt, order) ?? []));
}

describe('providers that keep whatever was sent', () => {
  test.each([
    ['https://api.deepseek.com/chat/completions', 64, 0.1],
    ['https://api.deepseek.com/anthropic/v1/messages', 64, 0.1],
    ['https://api.groq.com/openai/v1/chat/completions', 1024, 0.5],
    ['https://api.mistral.ai/v1/chat/completions', 1024, 0.1],
    ['https://api.x.ai/v1/chat/completions', 1024, 1],
    ['https://api.moonshot.ai/v1/chat/completions', 1024, 1],
    ['https://openrouter.ai/api/v1/chat/completions', 1024, 1],
  ])('%s', (url, minTokens, read) => {
    expect(cacheAt(url)?.rules('some-model')).toMatchObject({
      writes: 'prefix',
      minTokens,
      read,
      lifetimes: [{ write: 1 }],
      maxMarks: 0,
    });
  });

  test.each([
    'https://api.deepseek.com/chat/completions',
    'https://api.groq.com/openai/v1/chat/completions',
    'https://api.x.ai/v1/chat/completions',
    'https://api.moonshot.ai/v1/chat/completions',
    'https://openrouter.ai/api/v1/chat/completions',
  ])('add nothing to a chat at %s', (url) => {
    const cache = cacheAt(url);
    const prompt = promptOf('chat.completions', chat);
    expect(cache?.edits(prompt, everything)).toEqual([]);
    expect(prompt.blocks.map((block) => cache?.canMark(prompt, block))).toEqual([false]);
    expect(cache?.hostMode(prompt)).toEqual({});
  });

  test('Mistral takes a key in a chat, and xAI in a response', () => {
    const mistral = cacheAt('https://api.mistral.ai/v1/chat/completions');
    const xai = cacheAt('https://api.x.ai/v1/responses');
    expect(bodyWith(mistral, 'chat.completions', chat)).toEqual({ ...chat, prompt_cache_key: 'k' });
    expect(bodyWith(xai, 'responses', responses)).toEqual({ ...responses, prompt_cache_key: 'k' });
    const own = { ...chat, prompt_cache_key: 'own' };
    expect(bodyWith(mistral, 'chat.completions', own)).toEqual(own);
    const agent = { agent_id: 'a', messages: chat.messages };
    expect(bodyWith(mistral, 'chat.completions', agent)).toEqual(agent);
  });

  test('are told apart by the model, DeepSeek by the user as well', () => {
    const deepseek = cacheAt('https://api.deepseek.com/chat/completions');
    const salts = (members: object) =>
      deepseek?.salts(promptOf('chat.completions', { ...chat, ...members }));
    expect(salts({ temperature: 1 })).toEqual(salts({}));
    expect(salts({ model: 'n' })).not.toEqual(salts({}));
    expect(salts({ user_id: 'u' })).not.toEqual(salts({}));
  });
});

test('of other hosts nothing is known', () => {
  for (const url of [
    'https://integrate.api.nvidia.com/v1/chat/completions',
    'http://localhost:8000/v1/chat/completions',
    'http://localhost:8000/v1/messages',
    'https://api.together.xyz/v1/chat/completions',
  ]) {
    expect(cacheAt(url)).toBeUndefined();
  }
});

test('Azure is read only in OpenAI’s formats, and takes the marks of Anthropic’s', () => {
  const deployment =
    'https://a.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21';
  expect(cacheAt(deployment)).toBe(openaiLayoutCaching);
  expect(cacheAt('https://a.openai.azure.com/openai/v1/responses')).toBe(openaiLayoutCaching);
  expect(cacheAt('https://a.services.ai.azure.com/anthropic/v1/messages')).toBe(anthropicCaching);
  expect(cacheAt('https://a.services.ai.azure.com/models/chat/completions')).toBeUndefined();
});

describe('OpenRouter hands on the marks of Anthropic', () => {
  const model = 'anthropic/claude-opus-4.5';
  const { canMark, edits, hostMode, rules, salts } = openRouterCaching;

  test('with its rules', () => {
    expect(rules(model)).toEqual(anthropicCaching.rules('claude-opus-4-5'));
    expect(rules('openai/gpt-5.6-sol')).toMatchObject({ writes: 'prefix', maxMarks: 0 });
  });

  test('on text parts of a chat, and on nothing else', () => {
    const prompt = promptOf('chat.completions', {
      model,
      tools: [{ type: 'function', function: { name: 'f' } }],
      messages: [
        { role: 'system', content: 'a' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'b' },
            { type: 'image_url', image_url: {} },
          ],
        },
        { role: 'assistant', content: 'c', tool_calls: [{ id: 't', type: 'function' }] },
        { role: 'tool', content: 'd', tool_call_id: 't' },
        { role: 'assistant', content: '' },
      ],
    });
    expect(prompt.blocks.map((block) => canMark(prompt, block))).toEqual([
      false,
      true,
      true,
      false,
      true,
      false,
      false,
      false,
    ]);
    const order: CacheOrder = {
      marks: [
        { block: 1, ttl: '1h' },
        { block: 2, ttl: '5m' },
      ],
      key: 'k',
    };
    expect(JSON.parse(rendered(prompt, edits(prompt, order))).messages.slice(0, 2)).toEqual([
      {
        role: 'system',
        content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'b', cache_control: { type: 'ephemeral' } },
          { type: 'image_url', image_url: {} },
        ],
      },
    ]);
  });

  test('in the Messages format as everywhere', () => {
    const body = { model, tools: [{ name: 'f', input_schema: {} }], messages: chat.messages };
    const prompt = promptOf('messages', body);
    expect(JSON.parse(rendered(prompt, edits(prompt, everything))).tools).toEqual([
      { name: 'f', input_schema: {}, cache_control: { type: 'ephemeral' } },
    ]);
    expect(salts(prompt)).toEqual(anthropicCaching.salts(prompt));
    expect(
      hostMode(promptOf('messages', { ...body, cache_control: { type: 'ephemeral' } })),
    ).toEqual({
      automatic: '5m',
    });
  });

  test('another provider has another cache', () => {
    const salted = (members: object) =>
      salts(promptOf('chat.completions', { ...chat, ...members }));
    expect(salted({ provider: { order: ['azure'] } })).not.toEqual(salted({}));
    expect(salted({ temperature: 1 })).toEqual(salted({}));
  });

  test('200 chats: four marks at most, the same question, and the marks of the host in their places', () => {
    const part = fc.record(
      {
        type: fc.constantFrom('text', 'text', 'image_url'),
        text: fc.string({ maxLength: 8 }),
        cache_control: fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }),
      },
      { requiredKeys: ['type', 'text'] },
    );
    const message = fc.record({
      role: fc.constantFrom('system', 'user', 'assistant', 'tool'),
      content: fc.oneof(fc.string({ maxLength: 8 }), fc.array(part, { maxLength: 3 })),
    });
    const ttl = fc.constantFrom('5m' as const, '1h' as const);
    const marks = fc.array(fc.record({ block: fc.nat(8), ttl }), { maxLength: 6 });
    const asked = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value, (key, member: unknown) => {
          if (key === 'content' && typeof member === 'string')
            return [{ type: 'text', text: member }];
          return key === 'cache_control' ? undefined : member;
        }),
      );
    const ttlsIn = (text: string): string[] =>
      [...text.matchAll(/"cache_control":\{"type":"ephemeral"(,"ttl":"1h")?\}/g)].map((match) =>
        match[1] === undefined ? '5m' : '1h',
      );
    const isOrdered = (ttls: readonly string[]) =>
      ttls.every((ttl, index) => ttl === '5m' || !ttls.slice(0, index).includes('5m'));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), marks, (messages, wanted) => {
        const body = { model, messages };
        const prompt = promptOf('chat.completions', body);
        const text = rendered(prompt, edits(prompt, { marks: wanted }));
        expect(asked(JSON.parse(text))).toEqual(asked(body));
        const before = ttlsIn(JSON.stringify(body));
        const after = ttlsIn(text);
        if (before.length <= 4) expect(after.length).toBeLessThanOrEqual(4);
        else expect(after).toEqual(before);
        if (isOrdered(before)) expect(isOrdered(after)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
