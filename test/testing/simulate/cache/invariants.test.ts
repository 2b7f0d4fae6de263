import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anthropicCache,
  cachePrices,
  deepseekCache,
  geminiCache,
  lowerBound,
  openaiBreakpointCache,
  openaiPrefixCache,
  relativeCost,
} from '../../../../src/testing/simulate/cache/index.ts';
import type {
  BoundRules,
  CachePrices,
  CacheRequest,
  CacheResult,
  CacheSimulator,
} from '../../../../src/testing/simulate/cache/index.ts';
import { run } from './prompts.ts';
import { requests } from './random-requests.ts';
import type { Shape } from './random-requests.ts';

const anthropic = (minTokens: number): CacheSimulator => anthropicCache({ minTokens });
const openai = (minTokens: number): CacheSimulator => openaiBreakpointCache({ minTokens });
/** The caches without marks take the same requests without what they refuse. */
const plain =
  (create: () => CacheSimulator): (() => CacheSimulator) =>
  () => {
    const cache = create();
    return {
      process: ({ mode: _, ...request }) =>
        cache.process({
          ...request,
          blocks: request.blocks.map((block) => ({ ...block, mark: undefined })),
        }),
    };
  };

const CROWDED = 'openai, crowded';

const CACHES: Array<[string, () => CacheSimulator, Shape]> = [
  ['anthropic, mixed lifetimes', () => anthropic(0), { ttls: ['1h', '5m'] }],
  ['anthropic, with a minimum', () => anthropic(50), { ttls: ['5m'] }],
  [
    'anthropic, few positions',
    () => anthropicCache({ minTokens: 0, maxPositions: 4 }),
    { ttls: ['5m'] },
  ],
  ['openai with marks', () => openai(50), { ttls: ['30m'] }],
  ['openai with prefixes', plain(() => openaiPrefixCache({ minTokens: 128 })), { ttls: ['30m'] }],
  [
    CROWDED,
    plain(() => openaiPrefixCache({ minTokens: 128, keyRpm: 1, overflow: 'spread', machines: 2 })),
    { ttls: ['30m'] },
  ],
  ['deepseek', plain(() => deepseekCache({ unit: 1, buildSeconds: 0 })), { ttls: ['30m'] }],
  ['deepseek before V4', plain(() => deepseekCache({ mode: 'legacy64' })), { ttls: ['30m'] }],
  [
    'gemini at best',
    plain(() => geminiCache({ minTokens: 100, report: 'optimistic' })),
    { ttls: ['30m'] },
  ],
];

describe.each(CACHES)('%s', (_, create, shape) => {
  it('puts every token in one bucket, and the same requests give the same', () => {
    fc.assert(
      fc.property(requests(shape), (list) => {
        const results = run(create(), list);
        expect(results.every(({ refusal }) => refusal === undefined)).toBe(true);
        expect(run(create(), list)).toEqual(results);
      }),
    );
  });

  it('reads only what an earlier request had in common, once it was answered', () => {
    fc.assert(
      fc.property(requests(shape), (list) => {
        for (const [index, { read }] of run(create(), list).entries()) {
          const request = list[index]!;
          const common = list
            .slice(0, index)
            .filter(({ at, readableAfter = 1 }) => at + readableAfter <= request.at)
            .map((earlier) => commonTokens(earlier, request));
          expect(read).toBeLessThanOrEqual(Math.max(0, ...common));
        }
      }),
    );
  });
});

// Which of many machines takes what goes beyond a rate depends on what is in it.
describe.each(CACHES.filter(([name]) => name !== CROWDED))('%s', (_, create, shape) => {
  it('sees of ids only which are equal', () => {
    fc.assert(
      fc.property(requests(shape), (list) => {
        const renamed = list.map((request) => ({
          ...request,
          blocks: request.blocks.map((block) => ({ ...block, id: `other ${block.id}` })),
        }));
        expect(run(create(), renamed)).toEqual(run(create(), list));
      }),
    );
  });
});

describe('a mark more', () => {
  const SHAPES: Array<[string, () => CacheSimulator, Shape]> = [
    ['anthropic', () => anthropic(50), { ttls: ['5m'], maxMarks: 3 }],
    ['openai', () => openai(50), { ttls: ['30m'], maxMarks: 3 }],
  ];

  it.each(SHAPES)('never makes the same request read less: %s', (_, create, shape) => {
    fc.assert(
      fc.property(requests(shape), fc.nat(5), (list, at) => {
        const last = list.at(-1)!;
        const blocks = last.blocks.map((block, index) =>
          index === at ? { ...block, mark: shape.ttls[0] } : block,
        );
        const before = list.slice(0, -1);
        const plain = run(create(), list).at(-1)!;
        const marked = run(create(), [...before, { ...last, blocks }]).at(-1)!;
        expect(marked.read).toBeGreaterThanOrEqual(plain.read);
      }),
    );
  });
});

describe('limits', () => {
  it('only make requests read less', () => {
    const unlimited = (): CacheSimulator => anthropicCache({ minTokens: 0, lookback: Infinity });
    const limited = (): CacheSimulator => anthropicCache({ minTokens: 100, lookback: 2 });
    fc.assert(
      fc.property(requests({ ttls: ['5m'] }), (list) => {
        const most = run(unlimited(), list);
        for (const [index, { read }] of run(limited(), list).entries()) {
          expect(read).toBeLessThanOrEqual(most[index]!.read);
        }
      }),
    );
  });
});

describe('cost is never below the bound', () => {
  const claude = cachePrices('claude-sonnet-4-5')!;
  const gpt = cachePrices('gpt-5.6-sol')!;
  const FIVE_MINUTES = { seconds: 300, write: 1.25 };
  const AN_HOUR = { seconds: 3600, write: 2 };
  const HALF_AN_HOUR = { seconds: 1800, write: 1.25 };

  const CASES: Array<
    [string, (min: number) => CacheSimulator, CachePrices, Shape, BoundRules['lifetimes']]
  > = [
    ['5 minutes', anthropic, claude, { ttls: ['5m'] }, [FIVE_MINUTES]],
    ['an hour', anthropic, claude, { ttls: ['1h'] }, [AN_HOUR]],
    ['mixed', anthropic, claude, { ttls: ['1h', '5m'] }, [FIVE_MINUTES, AN_HOUR]],
    ['openai', openai, gpt, { ttls: ['30m'] }, [HALF_AN_HOUR]],
  ];

  it.each(CASES)('%s', (_, create, prices, shape, lifetimes) => {
    fc.assert(
      fc.property(requests(shape), fc.constantFrom(0, 50), (list, minTokens) => {
        const bound = lowerBound(
          list,
          { minTokens, read: prices.read, lifetimes },
          { lifts: true },
        );
        expect(costOf(run(create(minTokens), list), prices)).toBeGreaterThan(bound - 1e-6);
        const atOnce = lowerBound(
          list,
          { minTokens, read: prices.read, lifetimes },
          { lifts: true, readable: 'at-once' },
        );
        expect(atOnce).toBeLessThan(bound + 1e-6);
      }),
      { numRuns: 500 },
    );
  });
});

function costOf(results: readonly CacheResult[], prices: CachePrices): number {
  return results.reduce((sum, result) => sum + relativeCost(result, prices), 0);
}

/** Tokens of the blocks that two requests begin with alike. */
function commonTokens(a: CacheRequest, b: CacheRequest): number {
  let tokens = 0;
  for (const [index, { id, tier, tokens: own }] of b.blocks.entries()) {
    if (a.blocks[index]?.id !== id) break;
    if (tier === 'messages' && a.salts.messages !== b.salts.messages) break;
    tokens += own;
  }
  return tokens;
}
