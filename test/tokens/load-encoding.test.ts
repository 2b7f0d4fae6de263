import { getEncodingNameForModel, type TiktokenModel } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import { describe, expect, test } from 'vitest';
import {
  createEncodingLoader,
  decodeRanks,
  encodingForModel,
} from '../../src/tokens/load-encoding.ts';
import { RankDecoder, tableBounds } from '../../src/tokens/rank-decoder.ts';
import { RankTable } from '../../src/tokens/rank-table.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function decode(source: string, step: number): RankTable {
  const { maxTokens, maxBytes } = tableBounds(source);
  const table = new RankTable(maxTokens, maxBytes);
  const decoder = new RankDecoder(source, table);
  while (decoder.advance(step));
  return table;
}

describe('RankDecoder', () => {
  test.each([1, 7, 1000])('reads tokens of several lines, %i characters at a time', (step) => {
    const table = decode('! 0 YQ== YmM=\n! 70 ZGVm /w==\n', step);
    const rank = (text: string): number => table.find(bytes(text), 0, text.length);
    expect([rank('a'), rank('bc'), rank('def'), rank('\xff'), rank('b'), rank('abc')]).toEqual([
      0, 1, 70, 71, -1, -1,
    ]);
    expect(table.size).toBe(4);
    expect(table.longest).toBe(3);
  });

  test('finds every token of cl100k_base under its rank', () => {
    const table = decode(cl100k.bpe_ranks, 50_000);
    let rank = Number(cl100k.bpe_ranks.split(' ', 2)[1]);
    let wrong = 0;
    for (const word of cl100k.bpe_ranks.split(' ').slice(2)) {
      const token = Buffer.from(word, 'base64');
      if (table.find(token, 0, token.length) !== rank++) wrong++;
    }
    expect(wrong).toBe(0);
    expect(table.size).toBe(rank);
  });
});

test('decoding yields between slices of at most 32 Ki characters and one word', async () => {
  let turns = 0;
  const counter = await decodeRanks(cl100k, async () => {
    turns++;
  });
  expect(turns).toBeGreaterThanOrEqual(Math.floor(cl100k.bpe_ranks.length / (32 * 1024)));
  expect(counter.count('hello world')).toBe(2);
});

describe('createEncodingLoader', () => {
  test('loads once for concurrent and later callers', async () => {
    const asked: string[] = [];
    const load = createEncodingLoader(async (name) => {
      asked.push(name);
      return cl100k;
    });
    const [first, second] = await Promise.all([load('cl100k_base'), load('cl100k_base')]);
    expect(first).toBe(second);
    expect(await load('cl100k_base')).toBe(first);
    expect(asked).toEqual(['cl100k_base']);
  });

  test('tries again after a failure', async () => {
    let attempts = 0;
    const load = createEncodingLoader(async () => {
      attempts++;
      if (attempts === 1) throw new Error('planned');
      return cl100k;
    });
    await expect(load('cl100k_base')).rejects.toThrow('planned');
    expect((await load('cl100k_base')).count('a')).toBe(1);
  });
});

describe('encodingForModel', () => {
  test.each<TiktokenModel>([
    'gpt-3.5-turbo',
    'gpt-3.5-turbo-0125',
    'gpt-4',
    'gpt-4-0613',
    'gpt-4-32k',
    'gpt-4-turbo',
    'gpt-4-turbo-2024-04-09',
    'gpt-4-vision-preview',
    'text-embedding-ada-002',
    'text-embedding-3-small',
    'gpt-4o',
    'gpt-4o-mini',
    'gpt-4.1',
    'gpt-4.5-preview',
    'chatgpt-4o-latest',
    'o1',
    'o3-mini',
    'o4-mini',
    'gpt-5',
    'gpt-5-mini',
  ])('agrees with js-tiktoken on %s', (model) => {
    expect(encodingForModel(model)).toBe(getEncodingNameForModel(model));
  });

  test.each([
    ['gpt-35-turbo', 'cl100k_base'],
    ['ft:gpt-3.5-turbo-0125:acme::8x', 'cl100k_base'],
    ['openai/gpt-4-turbo', 'cl100k_base'],
    ['openai/gpt-4.1-mini', 'o200k_base'],
    ['ft:gpt-4o-2024-08-06:acme::8x', 'o200k_base'],
    ['claude-sonnet-4-5', 'o200k_base'],
    ['not-gpt-4', 'o200k_base'],
    [undefined, 'o200k_base'],
  ])('%s is %s', (model, encoding) => {
    expect(encodingForModel(model)).toBe(encoding);
  });
});
