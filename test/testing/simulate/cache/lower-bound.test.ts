import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anthropicCache,
  cachePrices,
  lowerBound,
  relativeCost,
} from '../../../../src/testing/simulate/cache/index.ts';
import type {
  BoundOptions,
  CacheRequest,
  SimulatedBlock,
} from '../../../../src/testing/simulate/cache/index.ts';
import { block, request } from './prompts.ts';
import { requests } from './random-requests.ts';

const CLAUDE = cachePrices('claude-sonnet-4-5')!;
const FIVE_MINUTES = { seconds: 300, write: 1.25 };
const AN_HOUR = { seconds: 3600, write: 2 };
const RULES = { minTokens: 0, read: 0.1, lifetimes: [FIVE_MINUTES, AN_HOUR] };

const token = (...times: number[]): CacheRequest[] =>
  times.map((at) => request(at, [block('a', 1)]));

describe('lowerBound', () => {
  it.each([
    [[0], 1],
    [[0, 10], 1.35],
    [[0, 1000], 2],
    [[0, 1000, 2000], 2.2],
    [[0, 0.5], 2],
    [[0, 10, 1000, 1010], 2.3],
    [[0, 0.5, 1.2], 2.35],
    [[0, 0.5, 300.2], 2.35],
    [[], 0],
  ])('N1 one token sent at %j costs %d', (times, cost) => {
    expect(lowerBound(token(...times), RULES)).toBeCloseTo(cost, 9);
  });

  it('takes requests in the order of their times', () => {
    expect(lowerBound(token(10, 0), RULES)).toBeCloseTo(1.35, 9);
  });

  it('can take entries as readable at once', () => {
    const fanOut = token(...Array.from({ length: 20 }, () => 0));
    expect(lowerBound(fanOut, RULES)).toBeCloseTo(20, 9);
    expect(lowerBound(fanOut, RULES, { readable: 'at-once' })).toBeCloseTo(1.25 + 1.9, 9);
  });

  it('keeps nothing shorter than the minimum, and begins with the first prefix that is not', () => {
    const list = [0, 10].map((at) => request(at, [block('a', 30), block('b', 30), block('c', 40)]));
    const cost = (minTokens: number): number => lowerBound(list, { ...RULES, minTokens });
    expect(cost(100)).toBeCloseTo(135, 9);
    expect(cost(101)).toBe(200);
    // Without `b` in common there is nothing long enough in common.
    const other = [list[0]!, request(10, [block('a', 30), block('x', 30)])];
    expect(lowerBound(other, { ...RULES, minTokens: 50 })).toBe(160);
    expect(lowerBound(other, { ...RULES, minTokens: 0 })).toBeCloseTo(30 * 1.35 + 70 + 30, 9);
  });

  it('is what the best marks cost, where marks are unlimited and of one lifetime', () => {
    const shape = { ttls: ['5m'] as const, maxRequests: 4, maxBlocks: 3 };
    const rules = { ...RULES, lifetimes: [FIVE_MINUTES] };
    fc.assert(
      fc.property(requests(shape), fc.constantFrom(0, 50), (list, minTokens) => {
        const bound = lowerBound(list, { ...rules, minTokens });
        expect(bound).toBeCloseTo(bestByTrying(list, minTokens), 6);
      }),
      { numRuns: 60 },
    );
  });

  describe('where lifetimes are mixed', () => {
    // Five minutes for the prefix, then an hour for what comes after it: the hour holds for both.
    const prefix = (more: Partial<SimulatedBlock>): SimulatedBlock => block('prefix', 1000, more);
    const end = (more: Partial<SimulatedBlock> = {}): SimulatedBlock => block('end', 1, more);
    const list = [
      request(0, [prefix({ mark: '5m' })]),
      request(10, [prefix({}), end({ mark: '1h' })]),
      request(
        1000,
        [prefix({}), end()].map((each) => ({ ...each, mark: '1h' as const })),
      ),
    ];
    const bound = (options?: BoundOptions): number => lowerBound(list, RULES, options);

    it('nothing is lifted where nothing comes after', () => {
      const cost = lowerBound(token(0, 10, 1000, 1010), RULES, { lifts: true });
      expect(cost).toBeCloseTo(2.3, 9);
    });

    it('a prefix can cost less than its longest lifetime, which `lifts` takes in', () => {
      const cache = anthropicCache({ minTokens: 0 });
      const cost = list.reduce((sum, each) => sum + relativeCost(cache.process(each), CLAUDE), 0);
      expect(cost).toBeCloseTo(1250 + 100 + 2 + 100.1, 6);
      expect(bound()).toBeCloseTo(2200 + 2, 6);
      expect(bound({ lifts: true })).toBeCloseTo(1450 + 2, 6);
    });
  });

  it('is fast for long conversations', () => {
    // 400 turns of up to 900 blocks: 180 000 blocks sent, of which 900 differ.
    const blocks = Array.from({ length: 900 }, (_, index) => block(`b${index}`, 100));
    const turns = Array.from({ length: 400 }, (_, turn) =>
      request(turn * 20, blocks.slice(0, Math.ceil(((turn + 1) * 900) / 400))),
    );
    const cost = lowerBound(turns, { ...RULES, minTokens: 1024 });
    // Each block is written once and read by all turns after it.
    const total = turns.reduce((sum, { blocks: sent }) => sum + sent.length * 100, 0);
    expect(cost).toBeGreaterThan(total * 0.1);
    expect(cost).toBeLessThan(total * 0.1 + 900 * 100 * 1.25);
  });
});

/** Every way to mark, through the simulator. */
function bestByTrying(list: readonly CacheRequest[], minTokens: number): number {
  const limits = { minTokens, lookback: Infinity, maxMarks: Infinity };
  const choices = list.map((each) => markings(each));
  let best = Infinity;
  const indexes = choices.map(() => 0);
  for (;;) {
    const cache = anthropicCache(limits);
    const chosen = indexes.map((index, at) => choices[at]![index]!);
    best = Math.min(
      best,
      chosen.reduce((sum, each) => sum + relativeCost(cache.process(each), CLAUDE), 0),
    );
    const next = indexes.findIndex((index, at) => index + 1 < choices[at]!.length);
    if (next === -1) return best;
    indexes[next]! += 1;
    indexes.fill(0, 0, next);
  }
}

function markings(each: CacheRequest): CacheRequest[] {
  return Array.from({ length: 2 ** each.blocks.length }, (_, bits) => ({
    ...each,
    blocks: each.blocks.map((one, index) => ({
      ...one,
      mark: (bits >> index) % 2 === 1 ? ('5m' as const) : undefined,
    })),
  }));
}
