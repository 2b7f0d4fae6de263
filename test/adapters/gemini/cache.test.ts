import { describe, expect, test } from 'vitest';
import { anthropicCaching } from '../../../adapters/anthropic/cache.ts';
import { geminiCaching } from '../../../adapters/gemini/cache.ts';
import { gemini } from '../../../adapters/gemini/index.ts';
import { promptOf } from '../prompt-of.ts';

test.each([
  ['gemini-2.5-flash', 2048],
  ['models/gemini-2.5-pro', 2048],
  ['gemini-3-pro-preview', 4096],
  ['gemini-3.8-flash-lite', 4096],
  ['google/gemini-4-argon', 4096],
  ['gemini-flash-latest', 4096],
])('%s keeps prefixes from %d tokens on, for nothing', (model, minTokens) => {
  expect(geminiCaching.rules(model)).toMatchObject({
    writes: 'prefix',
    minTokens,
    read: 0.1,
    lifetimes: [{ write: 1 }],
    maxMarks: 0,
  });
});

test.each(['gemini-2.0-flash', 'gemini-1.5-pro', 'gemini-embedding-001', 'gemma-4', undefined])(
  'of %s nothing is known',
  (model) => {
    expect(geminiCaching.rules(model)).toBeUndefined();
  },
);

describe('a cached content is the host’s own plan', () => {
  const contents = [{ role: 'user', parts: [{ text: 'a' }] }];
  test.each([
    [{ contents }, {}],
    [{ contents, cachedContent: null }, {}],
    [{ contents, cachedContent: 'cachedContents/1' }, { handsOff: true }],
    [{ contents, cached_content: 'cachedContents/1' }, { handsOff: true }],
    [{ extra_body: { google: { cached_content: 'cachedContents/1' } } }, { handsOff: true }],
  ])('%j', (body, mode) => {
    const prompt = promptOf('generateContent', body);
    expect(geminiCaching.hostMode(prompt)).toEqual(mode);
    expect(geminiCaching.edits(prompt, { marks: [], key: 'k' })).toEqual([]);
  });

  test('and makes another prefix', () => {
    const salts = (cachedContent: string) =>
      geminiCaching.salts(promptOf('generateContent', { contents, cachedContent }));
    expect(salts('a')).not.toEqual(salts('b'));
  });
});

test('Claude on Vertex keeps to Anthropic’s rules', () => {
  const cacheAt = (url: string) => gemini().match(new URL(url))?.cache;
  const vertex = 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers';
  expect(cacheAt(`${vertex}/anthropic/models/claude-opus-5:rawPredict`)).toBe(anthropicCaching);
  expect(cacheAt(`${vertex}/google/models/gemini-4-argon:generateContent`)).toBe(geminiCaching);
  expect(cacheAt(`${vertex}/mistralai/models/mistral-large:rawPredict`)).toBeUndefined();
  const host = 'https://generativelanguage.googleapis.com/v1beta';
  expect(cacheAt(`${host}/models/gemini-4-argon:streamGenerateContent`)).toBe(geminiCaching);
  expect(cacheAt(`${host}/openai/chat/completions`)).toBe(geminiCaching);
  expect(cacheAt(`${host}/models/gemini-embedding-001:embedContent`)).toBeUndefined();
});
