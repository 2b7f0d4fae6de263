import { describe, expect, test } from 'vitest';
import { loadEncoding } from '../../src/tokens/load-encoding.ts';
import { ratioEstimate } from '../../src/tokens/ratio-estimate.ts';
import { CORPUS } from './corpus.ts';

describe('ratioEstimate', () => {
  // The weights of other scripts rest on few texts, so they are held to an order of size only.
  test.each([
    ['english', 0.15],
    ['code', 0.15],
    ['json', 0.15],
    ['base64', 0.15],
    ['chinese', 0.4],
    ['thai', 0.4],
    ['mixed', 0.4],
  ])('for %s is off by less than %d of the count', async (kind, tolerance) => {
    const exact = (await loadEncoding('o200k_base')).count(CORPUS[kind]!);
    expect(Math.abs(ratioEstimate(CORPUS[kind]!) / exact - 1)).toBeLessThan(tolerance);
  });

  test('is 0 for no text and at least 1 for any', () => {
    expect(ratioEstimate('')).toBe(0);
    expect(ratioEstimate(' ')).toBe(1);
    expect(ratioEstimate('a')).toBe(1);
  });

  test('samples a long text evenly', () => {
    const text = CORPUS['english']!.repeat(2000);
    const perPart = ratioEstimate(CORPUS['english']!);
    expect(Math.abs(ratioEstimate(text) / (2000 * perPart) - 1)).toBeLessThan(0.05);
    // Half English, half Chinese: a sample of the head alone would miss this.
    const chinese = CORPUS['chinese']!.repeat(3000);
    const english = CORPUS['english']!.repeat(
      Math.round(chinese.length / CORPUS['english']!.length),
    );
    const parts = ratioEstimate(chinese) + ratioEstimate(english);
    expect(Math.abs(ratioEstimate(english + chinese) / parts - 1)).toBeLessThan(0.08);
  });

  test('looks at no more than 16 Ki characters of a long text', () => {
    const plain = 'a '.repeat(512 * 1024);
    const windowsSeen = new Set<number>();
    // One Chinese character changes the weight of whatever window it falls into.
    const span = 1024;
    for (let at = 0; at < plain.length; at += span) {
      const marked = plain.slice(0, at) + '中'.repeat(span) + plain.slice(at + span);
      if (ratioEstimate(marked) !== ratioEstimate(plain)) windowsSeen.add(at);
    }
    // A window of 1 Ki characters touches at most two of the spans that are marked in turn.
    expect(windowsSeen.size).toBeGreaterThanOrEqual(16);
    expect(windowsSeen.size).toBeLessThanOrEqual(32);
  });
});
