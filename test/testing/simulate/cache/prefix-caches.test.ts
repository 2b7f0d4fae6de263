import { describe, expect, it } from 'vitest';
import {
  deepseekCache,
  geminiCache,
  openaiPrefixCache,
} from '../../../../src/testing/simulate/cache/index.ts';
import type { CacheRequest, CacheSimulator } from '../../../../src/testing/simulate/cache/index.ts';
import { block, brief, request, run } from './prompts.ts';

const reads = (cache: CacheSimulator, requests: readonly CacheRequest[]): number[] =>
  run(cache, requests).map(({ read }) => read);
const same = (tokens: number, ...times: number[]): CacheRequest[] =>
  times.map((at) => request(at, [block('a', tokens)]));

describe('openaiPrefixCache', () => {
  it('P1 reads multiples of 128, from 1024 on', () => {
    expect(reads(openaiPrefixCache(), same(2087, 0, 10))).toEqual([0, 2048]);
    expect(reads(openaiPrefixCache(), same(1023, 0, 10))).toEqual([0, 0]);
    expect(reads(openaiPrefixCache(), same(1024, 0, 10))).toEqual([0, 1024]);
  });

  it('P2 overflows to one machine more for every 15 requests a minute', () => {
    const requests = same(2048, ...Array.from({ length: 32 }, (_, index) => index * 1.5));
    const misses = (cache: CacheSimulator): number =>
      reads(cache, requests).filter((read) => read === 0).length;
    expect(misses(openaiPrefixCache())).toBe(3);
    // 15 stay; 17 go to some of 64 machines.
    expect(misses(openaiPrefixCache({ overflow: 'spread' }))).toBeGreaterThan(10);
    expect(misses(openaiPrefixCache({ overflow: 'spread', machines: 1 }))).toBe(2);
  });

  it('P3 has longer steps with some models', () => {
    expect(reads(openaiPrefixCache({ interval: 2048 }), same(5000, 0, 10))).toEqual([0, 4096]);
    const model = 'gpt-5.5';
    const requests = same(5000, 0, 10).map((each) => ({ ...each, model }));
    expect(reads(openaiPrefixCache(), requests)).toEqual([0, 4096]);
  });

  it('counts what is hidden before the visible tokens in the steps', () => {
    const cache = openaiPrefixCache({ interval: 2048, hidden: 100 });
    expect(reads(cache, same(5000, 0, 10))).toEqual([0, 3968]);
  });

  it('finds the longest common beginning', () => {
    const cache = openaiPrefixCache();
    const prompt = (at: number, ...ids: string[]): CacheRequest =>
      request(
        at,
        ids.map((id) => block(id, 1280)),
      );
    expect(
      reads(cache, [
        prompt(0, 'a', 'b', 'c'),
        prompt(2, 'a', 'x'),
        prompt(4, 'a', 'b', 'y'),
        prompt(6, 'z', 'b'),
      ]),
    ).toEqual([0, 1280, 2560, 0]);
  });

  it('finds it within a block, by its pieces', () => {
    const text = (at: number, ...ids: string[]): CacheRequest =>
      request(at, [
        block(ids.join(), 1000 * ids.length, { pieces: ids.map((id) => ({ id, tokens: 1000 })) }),
      ]);
    const requests = [text(0, 'p', 'q', 'r'), text(2, 'p', 'q', 's')];
    expect(reads(openaiPrefixCache(), requests)).toEqual([0, 1920]);
  });

  it('forgets what is not used, and in memory everything after an hour', () => {
    expect(reads(openaiPrefixCache(), same(1280, 0, 299, 599))).toEqual([0, 1280, 0]);
    const often = Array.from({ length: 19 }, (_, index) => index * 200);
    const read = reads(openaiPrefixCache(), same(1280, ...often));
    expect(read.map((tokens) => tokens > 0).lastIndexOf(false)).toBe(18);
    expect(reads(openaiPrefixCache({ retention: '24h' }), same(1280, 0, 1799, 3599))).toEqual([
      0, 1280, 0,
    ]);
    const asked = same(1280, 0, 1799).map((each) => ({ ...each, retention: '24h' as const }));
    expect(reads(openaiPrefixCache(), asked)).toEqual([0, 1280]);
  });

  it('counts idle time from the last use, and a second writer does not postpone a first', () => {
    expect(reads(openaiPrefixCache(), same(1280, 0, 299, 598))).toEqual([0, 1280, 1280]);
    const slow = same(1280, 0, 1, 2.5).map((each) => ({ ...each, readableAfter: 2 }));
    expect(reads(openaiPrefixCache(), slow)).toEqual([0, 0, 1280]);
    const atBest = geminiCache({ minTokens: 100, report: 'optimistic' });
    expect(reads(atBest, slow)).toEqual([0, 0, 1279]);
  });

  it('shares nothing between keys, and refuses what came with GPT-5.6', () => {
    const [a, b] = same(1280, 0, 10);
    const cache = openaiPrefixCache();
    expect(
      reads(cache, [
        { ...a!, key: 'a' },
        { ...b!, key: 'b' },
      ]),
    ).toEqual([0, 0]);
    const refusals = run(cache, [
      { ...a!, mode: 'implicit' },
      { ...a!, ttl: '30m' },
      request(0, [block('a', 10, { mark: '30m' })]),
    ]);
    expect(refusals.map(brief)).toEqual(['400', '400', '400']);
  });
});

describe('deepseekCache', () => {
  const A = block('A', 100);
  const at = (time: number, ...ids: string[]): CacheRequest =>
    request(
      time,
      ids.map((id) => block(id, 500)),
    );

  it('D1 keeps a prompt with its answer', () => {
    const output = [block('answer', 20)];
    const requests = [
      request(0, [A], { output }),
      request(20, [A, ...output, block('question', 30)]),
    ];
    expect(reads(deepseekCache({ unit: 1 }), requests)).toEqual([0, 120]);
  });

  it('D2 keeps a common beginning once two requests have had it', () => {
    const requests = [at(0, 'A', 'B'), at(20, 'A', 'C'), at(40, 'A', 'D')];
    expect(reads(deepseekCache({ unit: 1 }), requests)).toEqual([0, 0, 500]);
    expect(reads(deepseekCache(), requests)).toEqual([0, 0, 448]);
  });

  it('finds a common beginning with any request it remembers, also where others share more', () => {
    const requests = [
      at(0, 'A', 'B', 'x'),
      at(20, 'A', 'C'),
      at(40, 'A', 'B', 'y'),
      at(60, 'A', 'B', 'z'),
      at(80, 'A', 'C', 'w'),
    ];
    expect(reads(deepseekCache({ unit: 1 }), requests)).toEqual([0, 0, 500, 1000, 1000]);
    // With a memory of one, the second has forgotten nothing, the third the first.
    expect(reads(deepseekCache({ unit: 1, memory: 1 }), requests)).toEqual([0, 0, 500, 500, 1000]);
  });

  it('D3 read any common beginning before V4', () => {
    const cache = deepseekCache({ mode: 'legacy64' });
    expect(reads(cache, [at(0, 'A', 'B'), at(20, 'A', 'C')])).toEqual([0, 448]);
  });

  it('keeps a prefix some seconds after the answer, until it is not used', () => {
    const cache = deepseekCache({ unit: 1, idleSeconds: 100 });
    const times = [0, 6.9, 7, 106, 205.9, 400];
    expect(
      reads(
        cache,
        times.map((time) => at(time, 'A')),
      ),
    ).toEqual([0, 0, 500, 500, 500, 0]);
  });

  it('keeps a unit that is read, and no beginning that was itself a prompt', () => {
    const read = (...list: CacheRequest[]): number[] =>
      reads(deepseekCache({ unit: 1, idleSeconds: 100 }), list);
    expect(read(at(0, 'A'), at(50, 'A', 'B'), at(140, 'A', 'C'))).toEqual([0, 500, 500]);
    expect(read(at(0, 'A'), at(400, 'A', 'B'), at(420, 'A', 'C'))).toEqual([0, 0, 0]);
  });

  it('can keep points inside of a prompt', () => {
    const cache = deepseekCache({ unit: 1, interval: 800 });
    // 500, 1000, 1500: the last before 800, and before 1600 the end.
    const requests = [at(0, 'A', 'B', 'C'), at(20, 'A', 'x')];
    expect(reads(cache, requests)).toEqual([0, 500]);
  });
});

describe('geminiCache', () => {
  const bands = (cache: CacheSimulator, requests: readonly CacheRequest[]): string[] =>
    run(cache, requests).map(({ band }) => `${band?.optimistic}/${band?.pessimistic}`);
  const split = (time: number, common: number, rest: string): CacheRequest =>
    request(time, [block(`common ${common}`, common), block(rest, 5000 - common)]);

  it('G1 is a band from nothing to the common beginning', () => {
    expect(bands(geminiCache(), [split(0, 4500, 'x'), split(10, 4500, 'y')])).toEqual([
      '0/0',
      '4500/0',
    ]);
    expect(bands(geminiCache(), [split(0, 3000, 'x'), split(10, 3000, 'y')])).toEqual([
      '0/0',
      '0/0',
    ]);
  });

  it('reports the end of it that is asked for', () => {
    const requests = [split(0, 4500, 'x'), split(10, 4500, 'y')];
    expect(reads(geminiCache(), requests)).toEqual([0, 0]);
    expect(reads(geminiCache({ report: 'optimistic' }), requests)).toEqual([0, 4500]);
  });

  it('never reads all, has less of a minimum with 2.5, and forgets', () => {
    expect(bands(geminiCache(), same(5000, 0, 10, 309, 609))).toEqual([
      '0/0',
      '4999/0',
      '4999/0',
      '0/0',
    ]);
    const model = 'gemini-2.5-flash';
    const requests = [split(0, 3000, 'x'), split(10, 3000, 'y')].map((each) => ({
      ...each,
      model,
    }));
    expect(bands(geminiCache(), requests)[1]).toBe('3000/0');
  });

  it('reads cached contents exactly, and counts their storage', () => {
    const cache = geminiCache();
    cache.keep({ name: 'cachedContents/1', tokens: 10_000, createdAt: 0, expiresAt: 7200 });
    const results = [0, 7199, 7200].map((time) =>
      cache.process(request(time, [block('q', 10)], { cachedContent: 'cachedContents/1' })),
    );
    expect(results.map(brief)).toEqual(['r10000 w0 u10', 'r10000 w0 u10', '400']);
    expect([cache.tokenHours(3600), cache.tokenHours(9000)]).toEqual([10_000, 20_000]);
  });
});
