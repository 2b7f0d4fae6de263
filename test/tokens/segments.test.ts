import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BytePairCounter } from '../../src/tokens/bpe.ts';
import { loadEncoding, type EncodingName } from '../../src/tokens/load-encoding.ts';
import {
  isSafeCut,
  MAX_LOOK_BACK_CHARS,
  MAX_SEGMENT_CHARS,
  segmentEnd,
} from '../../src/tokens/segments.ts';
import { CORPUS, HOSTILE } from './corpus.ts';

function cut(text: string, maxChars?: number): string[] {
  const segments: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = segmentEnd(text, start, maxChars);
    segments.push(text.slice(start, end));
    start = end;
  }
  return segments;
}

/** Any string, and strings built from the characters on which the pieces of an encoding depend. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc
    .array(
      fc.constantFrom(..."aZé中かกǅʰ😀𝐀\ud800\udc00 \n\r\t'’sdm12½/.-_", "'ll", '\u0301', '  '),
    )
    .map((parts) => parts.join('')),
);

test('segments are bounded, make up the text and split no code point', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 20 }), (value, maxChars) => {
      const segments = cut(value, maxChars);
      expect(segments.join('')).toBe(value);
      for (const segment of segments) {
        expect(segment.length).toBeGreaterThan(0);
        expect(segment.length).toBeLessThanOrEqual(maxChars);
      }
      expect(segments.flatMap((segment) => [...segment])).toEqual([...value]);
    }),
    { numRuns: 2000 },
  );
});

test('looks back no further than its bound, however long the segment', () => {
  const limit = 512 * 1024;
  const withSafeCutAt = (at: number): string => `${'中'.repeat(at)} ${'中'.repeat(limit)}`;
  expect(segmentEnd(withSafeCutAt(limit - 10), 0, limit)).toBe(limit - 10);
  expect(segmentEnd(withSafeCutAt(limit - MAX_LOOK_BACK_CHARS - 1), 0, limit)).toBe(limit);
});

describe.each<EncodingName>(['o200k_base', 'cl100k_base'])('%s', (name) => {
  let encoding: BytePairCounter;
  beforeAll(async () => {
    encoding = await loadEncoding(name);
  });

  test('tokens on both sides of a safe cut add up', () => {
    let cuts = 0;
    fc.assert(
      fc.property(text, (value) => {
        for (let at = 0; at <= value.length; at++) {
          if (!isSafeCut(value, at)) continue;
          cuts++;
          const sides = encoding.count(value.slice(0, at)) + encoding.count(value.slice(at));
          expect(sides).toBe(encoding.count(value));
        }
      }),
      { numRuns: 1500 },
    );
    expect(cuts).toBeGreaterThan(3000);
  });

  test.each(['english', 'code', 'chinese', 'thai', 'json', 'mixed'])(
    'cuts long %s without a loss',
    (kind) => {
      const long = `${CORPUS[kind]!}\n`.repeat(40);
      expect(cut(long, 500).length).toBeGreaterThan(5);
      const tokens = cut(long, 500).reduce((sum, segment) => sum + encoding.count(segment), 0);
      expect(tokens).toBe(encoding.count(long));
    },
  );

  test.each(Object.keys(HOSTILE))('is off by at most 3 tokens per cut for %s', (kind) => {
    const hostile = HOSTILE[kind]!(8 * MAX_SEGMENT_CHARS);
    const segments = cut(hostile);
    const tokens = segments.reduce((sum, segment) => sum + encoding.count(segment), 0);
    const cuts = segments.length - 1;
    expect(Math.abs(tokens - encoding.count(hostile))).toBeLessThanOrEqual(3 * cuts);
  });
});
