import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/types.ts';
import type { BytePairCounter } from '../../src/tokens/bpe.ts';
import { loadEncoding, type EncodingName } from '../../src/tokens/load-encoding.ts';
import { ratioEstimate } from '../../src/tokens/ratio-estimate.ts';
import { MAX_SEGMENT_CHARS } from '../../src/tokens/segments.ts';
import {
  createTokenCounter,
  MAX_COUNTED_CHARS,
  MAX_PENDING_CHARS,
} from '../../src/tokens/token-counter.ts';
import { MAX_STEPS_PER_TURN } from '../../src/tokens/turn-budget.ts';
import { CORPUS, HOSTILE } from './corpus.ts';

const clock: Clock = {
  now: () => 0,
  wallNow: () => 0,
  setTimeout: () => undefined,
  clearTimeout: () => undefined,
};

/** Counts four characters as one token, and keeps the lengths of what it was given. */
function createStub(): {
  names: EncodingName[];
  lengths: number[];
  load: (name: EncodingName) => Promise<{ count: (text: string) => number }>;
} {
  const names: EncodingName[] = [];
  const lengths: number[] = [];
  const encoding = {
    count(text: string): number {
      lengths.push(text.length);
      return text.length / 4;
    },
  };
  return {
    names,
    lengths,
    async load(name) {
      names.push(name);
      return encoding;
    },
  };
}

describe('count', () => {
  let exact: BytePairCounter;
  beforeAll(async () => {
    exact = await loadEncoding('o200k_base');
  });

  test.each(Object.keys(CORPUS))('is exact for %s', async (kind) => {
    const counter = createTokenCounter({ clock });
    expect(await counter.count(CORPUS[kind]!)).toBe(exact.count(CORPUS[kind]!));
  });

  test('is exact over many segments of ordinary text', async () => {
    const text = Object.values(CORPUS).join('\n').repeat(20);
    expect(text.length).toBeGreaterThan(5 * MAX_SEGMENT_CHARS);
    expect(await createTokenCounter({ clock }).count(text)).toBe(exact.count(text));
  });

  test('uses the encoding of the model', async () => {
    const stub = createStub();
    const counter = createTokenCounter({ clock, loadEncoding: stub.load });
    await counter.count('text', 'gpt-4-turbo');
    await counter.count('text', 'gpt-4o');
    await counter.count('text');
    expect(stub.names).toEqual(['cl100k_base', 'o200k_base']);
  });

  test.each(Object.keys(HOSTILE))(
    'counts %s segment by segment and gives up its turn after 8 of them',
    async (kind) => {
      const stub = createStub();
      const counter = createTokenCounter({ clock, loadEncoding: stub.load });
      const counting = counter.count(HOSTILE[kind]!(1024 * 1024)).then(() => 'counted');
      let turns = 0;
      while ((await Promise.race([counting, nextTurn('turn')])) === 'turn') turns++;
      expect(Math.max(...stub.lengths)).toBeLessThanOrEqual(MAX_SEGMENT_CHARS);
      expect(stub.lengths.length).toBeGreaterThanOrEqual(MAX_COUNTED_CHARS / MAX_SEGMENT_CHARS);
      // The digest is a step too. The first batch comes before the first turn, the last ends together with the count.
      const batches = Math.ceil((stub.lengths.length + 1) / MAX_STEPS_PER_TURN);
      expect(turns).toBeGreaterThanOrEqual(batches - 2);
    },
  );

  test('counts no more than 512 Ki characters and extrapolates the rest', async () => {
    const stub = createStub();
    const counter = createTokenCounter({ clock, loadEncoding: stub.load });
    const text = 'word '.repeat(400 * 1024);
    const tokens = await counter.count(text);
    expect(stub.lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(
      MAX_COUNTED_CHARS,
    );
    expect(Math.abs(tokens / (text.length / 4) - 1)).toBeLessThan(0.01);
  });

  test('remembers whole texts', async () => {
    const stub = createStub();
    const counter = createTokenCounter({ clock, loadEncoding: stub.load });
    expect(await counter.count('a text of some length')).toBe(
      await counter.count('a text of some length'),
    );
    expect(stub.lengths).toHaveLength(1);
    await counter.count('a text of some lengtH');
    expect(stub.lengths).toHaveLength(2);
    await counter.count('a text of some length', 'gpt-4');
    expect(stub.lengths).toHaveLength(3);
  });

  test('forgets the oldest beyond maxMemoBytes', async () => {
    const stub = createStub();
    const counter = createTokenCounter({ clock, loadEncoding: stub.load, maxMemoBytes: 512 });
    for (const text of ['one', 'two', 'three', 'one']) await counter.count(text);
    expect(stub.lengths).toHaveLength(4);
    await counter.count('three');
    expect(stub.lengths).toHaveLength(4);
  });

  test('falls back to the estimate when the encoding cannot be loaded', async () => {
    const counter = createTokenCounter({
      clock,
      loadEncoding: () => Promise.reject(new Error('planned')),
    });
    expect(await counter.count(CORPUS['english']!)).toBe(ratioEstimate(CORPUS['english']!));
  });

  test('estimates what comes while too much is waiting', async () => {
    const stub = createStub();
    const counter = createTokenCounter({ clock, loadEncoding: stub.load });
    const waiting = Array.from({ length: 4 }, (_, i) =>
      counter.count(`${i}`.repeat(MAX_PENDING_CHARS / 4)),
    );
    expect(await counter.count('late words')).toBe(ratioEstimate('late words'));
    expect(stub.lengths).toHaveLength(0);
    await Promise.all(waiting);
    await counter.count('late words');
    expect(stub.lengths.at(-1)).toBe('late words'.length);
  });

  test('is 0 for no text', async () => {
    expect(await createTokenCounter({ clock }).count('')).toBe(0);
  });
});

test('estimate is the ratio estimate', () => {
  expect(createTokenCounter({ clock }).estimate(CORPUS['code']!)).toBe(
    ratioEstimate(CORPUS['code']!),
  );
});
