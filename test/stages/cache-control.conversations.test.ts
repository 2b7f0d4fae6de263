/** The stage in full calls: what a provider reads and is paid for. */
import { describe, expect, test } from 'vitest';
import type { SimulateOptions } from '../../src/testing/index.ts';
import { bodyOf, marksIn, MINUTE, readOf, setUp, type Block, type Body } from './cached-router.ts';

describe('a conversation', () => {
  test('every turn reads the one before, as was expected', async () => {
    const { ask, clock, records } = setUp();
    for (let turn = 1; turn <= 8; turn++) {
      await ask(bodyOf('a', turn));
      await clock.advance(5000);
    }
    for (const [i, { cache, usage }] of records.entries()) {
      const before = records[i - 1]?.usage.inputTokens.total ?? 0;
      const { cacheRead = 0 } = usage.inputTokens;
      if (i > 0) expect(cacheRead).toBeGreaterThan(0.98 * before);
      expect(cache?.marks).toBeGreaterThan(0);
      // From the second on, sizes are calibrated.
      expect(Math.abs((cache?.expectedRead ?? 0) - cacheRead)).toBeLessThanOrEqual(
        0.02 * cacheRead,
      );
      expect(cache?.miss).toBeUndefined();
    }
  });

  test('what goes out means the same, without the marks', async () => {
    const { ask, sent } = setUp();
    const body = bodyOf('a', 4);
    await ask(body, { 'content-length': '1' });
    const [{ text, headers }] = sent as [{ text: string; headers: Headers }];
    expect(marksIn(text).length).toBeGreaterThan(0);
    expect(marksIn(text).length).toBeLessThanOrEqual(4);
    expect(headers.get('content-length')).toBeNull();
    const parsed: Body = JSON.parse(text.replace(/,"cache_control":\{[^}]*\}/g, ''));
    const asBlocks = (content: string | Block[]): Block[] =>
      typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    expect(asBlocks(parsed.system)).toEqual(asBlocks(body.system));
    expect(parsed.messages.map(({ content }) => asBlocks(content))).toEqual(
      body.messages.map(({ content }) => asBlocks(content)),
    );
  });

  test.each([1, 14])('with %i tools at a time it survives pauses of 15 minutes', async (tools) => {
    const { ask, clock, records } = setUp();
    for (let turn = 1; turn <= 30; turn++) {
      await ask(bodyOf('a', turn, tools));
      await clock.advance(turn % 5 === 0 ? 15 * MINUTE : 8000);
    }
    const afterPauses = records
      .filter((_, i) => i >= 15 && i % 5 === 0)
      .map((record) => readOf(record) / (record.usage.inputTokens.total ?? 0));
    expect(Math.min(...afterPauses)).toBeGreaterThan(0.8);
    // What was read was expected, and the hour was paid for a few tokens only.
    for (const { cache, usage } of records) {
      const { cacheRead = 0 } = usage.inputTokens;
      expect(Math.abs((cache?.expectedRead ?? 0) - cacheRead)).toBeLessThanOrEqual(
        0.02 * cacheRead,
      );
    }
    const late = records.slice(10).map(({ usage }) => usage.inputTokens);
    const long = late.reduce((sum, { cacheWrite1h = 0 }) => sum + cacheWrite1h, 0);
    const short = late.reduce((sum, { cacheWrite = 0 }) => sum + cacheWrite, 0);
    expect(long).toBeGreaterThan(0);
    expect(long / short).toBeLessThan(0.2);
  });

  test('tokens that are larger than was thought are measured', async () => {
    const { ask, clock } = setUp({ tokensOf: (text) => Math.ceil(text.length / 2) });
    await ask(bodyOf('a', 2));
    await clock.advance(5000);
    await ask(bodyOf('a', 3));
    await clock.advance(5000);
    const { cache, ...record } = await ask(bodyOf('a', 4));
    const read = readOf(record);
    expect(read).toBeGreaterThan(8000);
    expect(Math.abs((cache?.expectedRead ?? 0) - read)).toBeLessThan(0.05 * read);
  });
});

describe('a provider that forgets everything', () => {
  /** Every request finds an empty cache. */
  const forgetful = (): Partial<SimulateOptions> => {
    let number = 0;
    let works = false;
    return {
      scope: () => (works ? 'kept' : `${number++}`),
      onCall: ({ at }) => {
        works = at > 8 * MINUTE;
      },
    };
  };

  test('is not paid after three surprises, and tried again later', async () => {
    const { ask, clock, sent, records } = setUp(forgetful());
    const marked: number[] = [];
    for (let turn = 1; turn <= 60; turn++) {
      await ask(bodyOf('a', turn));
      if (marksIn(sent.at(-1)!.text).length > 0) marked.push(turn);
      await clock.advance(18_000);
    }
    // The first writes, three are surprised.
    expect(marked.slice(0, 5)).not.toContain(5);
    const pause = marked.findIndex((turn, i) => turn - (marked[i - 1] ?? turn) > 20);
    expect(pause).toBeGreaterThan(0);
    expect(pause).toBeLessThanOrEqual(6);
    // Ten minutes are thirty requests.
    expect(marked[pause]! - marked[pause - 1]!).toBeLessThan(33);
    expect(readOf(records.at(-1)!)).toBeGreaterThan(10_000);
  });

  test('nothing is expected while it is not used, so nothing can surprise', async () => {
    const { ask, clock, sent } = setUp(forgetful());
    const expected: unknown[] = [];
    // Many conversations, so that each has entries that are believed in.
    for (let turn = 1; turn <= 6; turn++) {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) {
        const { cache } = await ask(bodyOf(name, turn));
        if (marksIn(sent.at(-1)!.text).length === 0) expected.push(cache?.expectedRead);
        await clock.advance(1000);
      }
    }
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.filter((read) => read !== 0)).toEqual([]);
  });
});
