import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import o200k from 'js-tiktoken/ranks/o200k_base';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadEncoding } from '../../src/tokens/load-encoding.ts';
import type { BytePairCounter } from '../../src/tokens/bpe.ts';
import { countMerged } from '../../src/tokens/merge.ts';
import { CORPUS, HOSTILE } from './corpus.ts';

describe.each([
  { name: 'o200k_base', ranks: o200k },
  { name: 'cl100k_base', ranks: cl100k },
] as const)('BytePairCounter with $name', ({ name, ranks }) => {
  let counter: BytePairCounter;
  let reference: Tiktoken;

  beforeAll(async () => {
    counter = await loadEncoding(name);
    reference = new Tiktoken(ranks);
  });

  function expectEqual(text: string): void {
    // No special tokens allowed and none forbidden: they are ordinary text.
    expect(counter.count(text)).toBe(reference.encode(text, [], []).length);
  }

  test.each(Object.keys(CORPUS))('counts %s like js-tiktoken', (kind) => {
    expectEqual(CORPUS[kind]!);
  });

  test.each(Object.keys(HOSTILE))('counts %s like js-tiktoken', (kind) => {
    for (const length of [4, 16, 32, 64, 100, 400]) expectEqual(HOSTILE[kind]!(length));
  });

  test('counts any text like js-tiktoken', () => {
    // `binary` units are arbitrary UTF-16 code units, lone surrogates included.
    const anyUnit = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((u) => String.fromCharCode(u)),
    });
    const anyText = fc.string({ unit: 'binary', maxLength: 60 });
    const pieces = fc.array(
      fc.constantFrom(..."aZé中ก😀\ud800\udc00 \n\r\t'sdm1½/.-_", "'ll", "n't", '  ', '\u0301'),
    );
    const text = fc.oneof(
      anyUnit,
      anyText,
      pieces.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (value) => expectEqual(value)),
      { numRuns: 2000 },
    );
  });

  test('takes nothing for no text', () => {
    expect(counter.count('')).toBe(0);
  });
});

describe('countMerged', () => {
  /** Every pair of equal bytes is a token, and every pair of such pairs: merges cascade over the whole text. */
  function doublingRanks(): {
    find: (bytes: Uint8Array, start: number, end: number) => number;
    lookups: number;
  } {
    return {
      lookups: 0,
      find(_bytes, start, end) {
        this.lookups++;
        const length = end - start;
        return Number.isInteger(Math.log2(length)) ? Math.log2(length) : -1;
      },
    };
  }

  test.each([2, 3, 64, 1023, 12_288, 12_289, 100_000])(
    'looks up fewer than three pairs per byte (%i bytes)',
    (length) => {
      const ranks = doublingRanks();
      const parts = countMerged(new Uint8Array(length), length, ranks);
      expect(ranks.lookups).toBeLessThan(3 * length);
      // What is left are the powers of two that make up the length.
      expect(parts).toBe(length.toString(2).replaceAll('0', '').length);
    },
  );

  test('counts single bytes without a look-up', () => {
    const ranks = doublingRanks();
    expect(countMerged(new Uint8Array(1), 1, ranks)).toBe(1);
    expect(ranks.lookups).toBe(0);
  });
});
