import { describe, expect, it } from 'vitest';
import { anthropicCache } from '../../../../src/testing/simulate/cache/index.ts';
import type {
  AnthropicCacheOptions,
  CacheRequest,
  CacheTtl,
  SimulatedBlock,
} from '../../../../src/testing/simulate/cache/index.ts';
import { block, brief, briefTtl, NO_SALTS, numbered, request, run } from './prompts.ts';

const hundreds = (...ids: string[]): SimulatedBlock[] => ids.map((id) => block(id, 100));
const changing = (id: string): SimulatedBlock[] => [...numbered(5), block(id, 300, { mark: '5m' })];
const whole = (mark: CacheTtl = '5m'): SimulatedBlock[] => [block('a', 600, { mark })];

const mixed = (message: string): SimulatedBlock[] => [
  block('tools', 500, { tier: 'tools', mark: '1h' }),
  block('system', 1500, { tier: 'system', mark: '1h' }),
  block(message, 400, { mark: '5m' }),
  block(`${message}?`, 50),
];

const tiers: SimulatedBlock[] = [
  block('tools', 500, { tier: 'tools', mark: '5m' }),
  block('system', 1500, { tier: 'system', mark: '5m' }),
  block('message', 400, { mark: '5m' }),
];

interface Vector {
  name: string;
  options?: AnthropicCacheOptions;
  requests: CacheRequest[];
  expected: string[];
}

const VECTORS: Vector[] = [
  {
    name: 'A1 an entry more than 20 positions back is missed',
    requests: [
      request(0, numbered(10, 10)),
      request(60, numbered(15, 15)),
      request(120, numbered(35, 35)),
    ],
    expected: ['r0 w2000 u0', 'r2000 w1000 u0', 'r0 w7000 u0'],
  },
  {
    name: 'A2 a second mark finds it',
    requests: [
      request(0, numbered(10, 10)),
      request(60, numbered(15, 15)),
      request(120, numbered(35, 15, 35)),
    ],
    expected: ['r0 w2000 u0', 'r2000 w1000 u0', 'r3000 w4000 u0'],
  },
  {
    name: 'A2b the 20th position is looked at',
    requests: [request(0, numbered(15, 15)), request(60, numbered(34, 34))],
    expected: ['r0 w3000 u0', 'r3000 w3800 u0'],
  },
  {
    name: 'A3 a mark on what changes writes each time',
    requests: [request(0, changing('x')), request(10, changing('y')), request(20, changing('z'))],
    expected: ['r0 w1300 u0', 'r0 w1300 u0', 'r0 w1300 u0'],
  },
  {
    name: 'A4 the automatic mark moves on',
    options: { minTokens: 0 },
    requests: [
      request(0, [block('S', 1000, { tier: 'system' }), ...hundreds('u1', 'a1', 'u2')], {
        automatic: '5m',
      }),
      request(
        10,
        [block('S', 1000, { tier: 'system' }), ...hundreds('u1', 'a1', 'u2', 'a2', 'u3')],
        { automatic: '5m' },
      ),
    ],
    expected: ['r0 w1300 u0', 'r1300 w200 u0'],
  },
  {
    name: 'A5 lifetime counts from the start and is refreshed',
    options: { minTokens: 0 },
    requests: [0, 299, 598, 899].map((at) => request(at, whole())),
    expected: ['r0 w600 u0', 'r600 w0 u0', 'r600 w0 u0', 'r0 w600 u0'],
  },
  {
    name: 'A6 nothing can be read before the first byte',
    options: { minTokens: 0 },
    requests: [0, 1, 4].map((at) => request(at, whole(), { readableAfter: 2 })),
    expected: ['r0 w600 u0', 'r0 w600 u0', 'r600 w0 u0'],
  },
  {
    name: 'A6b a second writer does not postpone it',
    options: { minTokens: 0 },
    requests: [0, 1, 2.5].map((at) => request(at, whole(), { readableAfter: 2 })),
    expected: ['r0 w600 u0', 'r0 w600 u0', 'r600 w0 u0'],
  },
  {
    name: 'A7 too short is no error',
    requests: [0, 10].map((at) => request(at, [block('a', 1000, { mark: '5m' })])),
    expected: ['r0 w0 u1000', 'r0 w0 u1000'],
  },
  {
    name: 'A9 five marks',
    requests: [request(0, numbered(10, 6, 7, 8, 9, 10)), request(1, numbered(10, 7, 8, 9, 10))],
    expected: ['400', 'r0 w2000 u0'],
  },
  {
    name: 'A9 an hour after five minutes',
    requests: [
      request(0, [block('a', 2000, { mark: '5m' }), block('b', 100, { mark: '1h' })]),
      request(0, [block('a', 2000, { mark: '5m' }), block('b', 100)], { automatic: '1h' }),
      request(0, [block('a', 2000, { mark: '1h' }), block('b', 100)], { automatic: '5m' }),
    ],
    expected: ['400', '400', 'r0 w2100 u0'],
  },
  {
    name: 'A9 automatic on a block marked otherwise, or likewise',
    options: { minTokens: 0 },
    requests: [
      request(0, whole('5m'), { automatic: '1h' }),
      request(0, whole('5m'), { automatic: '5m' }),
    ],
    expected: ['400', 'r0 w600 u0'],
  },
  {
    name: 'A9 automatic beside four marks',
    requests: [
      request(0, numbered(10, 6, 7, 8, 9), { automatic: '5m' }),
      request(0, numbered(10, 7, 8, 9, 10), { automatic: '5m' }),
      request(0, numbered(10, 7, 8, 9), { automatic: '5m' }),
    ],
    expected: ['400', 'r0 w2000 u0', 'r0 w2000 u0'],
  },
];

describe('anthropicCache', () => {
  it.each(VECTORS)('$name', ({ options, requests, expected }) => {
    expect(run(anthropicCache({ minTokens: 1024, ...options }), requests).map(brief)).toEqual(
      expected,
    );
  });

  it('A8 bills mixed lifetimes by position', () => {
    const results = run(anthropicCache({ minTokens: 0 }), [
      request(0, mixed('m1')),
      request(1000, mixed('m2')),
    ]);
    expect(results.map(briefTtl)).toEqual(['r0 h2000 m400 u50', 'r2000 h0 m400 u50']);
    expect(results[1]?.hit).toBe(1);
  });

  it.each([
    ['nothing', NO_SALTS, {}, 2400],
    ['the messages salt', { ...NO_SALTS, messages: 'x' }, {}, 2000],
    ['the system salt', { ...NO_SALTS, system: 'x' }, {}, 500],
    ['the tools salt', { ...NO_SALTS, tools: 'x' }, {}, 0],
    ['the model', NO_SALTS, { model: 'other' }, 0],
    ['the scope', NO_SALTS, { scope: 'other' }, 0],
  ])('A10 where %s differs, what comes before is read', (_, salts, more, read) => {
    const [, second] = run(anthropicCache({ minTokens: 0 }), [
      request(0, tiers),
      request(10, tiers, { salts, ...more }),
    ]);
    expect(second?.read).toBe(read);
  });

  it('counts the salt of an empty tier from the next one on', () => {
    const [, second] = run(anthropicCache({ minTokens: 0 }), [
      request(0, whole()),
      request(10, whole(), { salts: { ...NO_SALTS, tools: 'x' } }),
    ]);
    expect(second?.read).toBe(0);
  });

  it('has the minimum of the model, as a host names it', () => {
    const read = (model: string, tokens: number): number | undefined =>
      run(
        anthropicCache(),
        [0, 10].map((at) => request(at, [block('a', tokens, { mark: '5m' })], { model })),
      )[1]?.read;
    const minimums: Array<[string, number]> = [
      ['claude-opus-5-5', 512],
      ['claude-fable-5', 512],
      ['claude-sonnet-4-5-20250929', 1024],
      ['anthropic/claude-opus-4.8', 1024],
      ['claude-sonnet-4-20250514', 1024],
      ['claude-mythos-preview', 2048],
      ['claude-opus-4-7', 2048],
      ['claude-3-5-haiku-20241022', 2048],
      ['us.anthropic.claude-sonnet-4-6-v1:0', 2048],
      ['claude-opus-4-5', 4096],
      ['claude-haiku-5-5', 4096],
      ['unknown', 4096],
    ];
    for (const [model, minimum] of minimums) {
      expect([model, read(model, minimum - 1), read(model, minimum)]).toEqual([model, 0, minimum]);
    }
  });

  it('sets the automatic mark on the last block that takes one', () => {
    const [first] = run(anthropicCache({ minTokens: 0 }), [
      request(0, [block('a', 100), block('thinking', 50, { cacheable: false })], {
        automatic: '5m',
      }),
    ]);
    expect(brief(first!)).toBe('r0 w100 u50');
  });

  it('refuses marks on blocks that take none, and lifetimes of others', () => {
    const results = run(anthropicCache({ minTokens: 0 }), [
      request(0, [block('a', 100, { cacheable: false, mark: '5m' })]),
      request(0, [block('a', 100, { mark: '30m' })]),
      request(0, [block('a', 100)], { automatic: '12h' }),
      request(0, [block('a', 100)], { refusal: 'seen by the reader' }),
    ]);
    expect(results.map(brief)).toEqual(['400', '400', '400', '400']);
    expect(results[3]?.refusal).toBe('seen by the reader');
  });

  describe('refresh', () => {
    const short = [block('a', 100, { mark: '5m' }), block('b', 100)];
    const both = [block('a', 100, { mark: '5m' }), block('b', 100, { mark: '5m' })];
    const reads = (options: AnthropicCacheOptions): Array<number | undefined> =>
      run(anthropicCache({ minTokens: 0, ...options }), [
        request(0, both),
        request(200, both),
        request(400, short),
      ]).map(({ read }) => read);

    it('keeps what is marked before the entry that is read', () => {
      expect(reads({})).toEqual([0, 200, 100]);
    });

    it('keeps an entry that is read from a later mark', () => {
      const results = run(anthropicCache({ minTokens: 0, refresh: 'hit-only' }), [
        request(0, [block('a', 100, { mark: '5m' })]),
        request(200, [block('a', 100), block('b', 100, { mark: '5m' })]),
        request(400, [block('a', 100, { mark: '5m' })]),
      ]);
      expect(results.map(({ read }) => read)).toEqual([0, 100, 100]);
    });

    it('or only what is read', () => {
      expect(reads({ refresh: 'hit-only' })).toEqual([0, 200, 0]);
    });

    it('gives a mark before the entry read one of its own, at no charge', () => {
      const results = run(anthropicCache({ minTokens: 0 }), [
        request(0, [block('a', 100), block('b', 100, { mark: '5m' })]),
        request(10, both),
        request(20, short),
      ]);
      expect(results.map(brief)).toEqual(['r0 w200 u0', 'r200 w0 u0', 'r100 w0 u100']);
    });

    it('does not make five minutes an hour, unless told to', () => {
      const hour = [block('a', 100, { mark: '1h' }), block('b', 100, { mark: '5m' })];
      const read = (upgrades: boolean): number | undefined =>
        run(anthropicCache({ minTokens: 0, upgrades }), [
          request(0, both),
          request(10, hour),
          request(1000, short),
        ])[2]?.read;
      expect([read(false), read(true)]).toEqual([0, 100]);
    });
  });
});
