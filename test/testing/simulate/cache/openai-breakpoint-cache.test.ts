import { describe, expect, it } from 'vitest';
import { openaiBreakpointCache } from '../../../../src/testing/simulate/cache/index.ts';
import type {
  CacheRequest,
  OpenAIBreakpointCacheOptions,
  SimulatedBlock,
} from '../../../../src/testing/simulate/cache/index.ts';
import { block, brief, request, run } from './prompts.ts';

const tools = block('tools', 2000, { tier: 'tools', cacheable: false });
const developer = (tokens: number, mark?: '30m'): SimulatedBlock =>
  block(`developer ${tokens}`, tokens, { tier: 'system', ending: 'developer', mark });
const user = (id: string, tokens: number, mark?: '30m'): SimulatedBlock =>
  block(id, tokens, { ending: 'input', mark });

interface Vector {
  name: string;
  options?: OpenAIBreakpointCacheOptions;
  requests: CacheRequest[];
  expected: string[];
}

const VECTORS: Vector[] = [
  {
    name: 'O1 the last message is written, the one before it read',
    requests: [
      request(0, [tools, developer(8000), user('u1', 2000)]),
      request(10, [tools, developer(8000), user('u1', 2000), user('u2', 3000)]),
    ],
    expected: ['r0 w12000 u0', 'r12000 w3000 u0'],
  },
  {
    name: 'O2 explicit mode without marks reads nothing',
    options: { devBlockWrite: false },
    requests: [
      request(0, [developer(8000), user('u1', 2000)]),
      request(10, [developer(8000), user('u1', 2000)], { mode: 'explicit' }),
    ],
    expected: ['r0 w10000 u0', 'r0 w0 u10000'],
  },
  {
    name: 'O3 a longer message is another one',
    options: { devBlockWrite: false },
    requests: [
      request(0, [developer(8000), user('part 1', 2000)]),
      request(10, [developer(8000), block('part 1', 2000), user('part 2', 1000)]),
    ],
    expected: ['r0 w10000 u0', 'r0 w11000 u0'],
  },
  {
    name: 'O4 marks alone (as recorded of gpt-5.6-sol)',
    requests: [0, 10].map((at) =>
      request(at, [developer(4012, '30m'), user('u', 8)], { mode: 'explicit' }),
    ),
    expected: ['r0 w4012 u8', 'r4012 w0 u8'],
  },
  {
    name: 'O5 instructions are kept apart (as observed in LiteLLM pull request 37628)',
    options: { tail: 3 },
    requests: [
      request(0, [developer(6002), user('A', 1535)]),
      request(10, [developer(6002), user('B', 1494)]),
    ],
    expected: ['r0 w7537 u3', 'r6002 w1494 u3'],
  },
  {
    name: 'O6 another key shares nothing',
    requests: ['a', 'b', 'a'].map((key, index) =>
      request(index * 10, [developer(6002), user('u', 1000)], { key }),
    ),
    expected: ['r0 w7002 u0', 'r0 w7002 u0', 'r7002 w0 u0'],
  },
  {
    name: 'a prefix below 1024 tokens is not kept',
    requests: [1023, 1023, 1024, 1024].map((tokens, at) =>
      request(at * 10, [user(`${tokens}`, tokens)]),
    ),
    expected: ['r0 w0 u1023', 'r0 w0 u1023', 'r0 w1024 u0', 'r1024 w0 u0'],
  },
  {
    name: 'entries live half an hour from their last use',
    requests: [0, 1799, 3598, 5398].map((at) => request(at, [user('u', 2000)])),
    expected: ['r0 w2000 u0', 'r2000 w0 u0', 'r2000 w0 u0', 'r0 w2000 u0'],
  },
  {
    name: 'or half a day',
    requests: [0, 43_199].map((at) => request(at, [user('u', 2000)], { ttl: '12h' })),
    expected: ['r0 w2000 u0', 'r2000 w0 u0'],
  },
  {
    name: 'nothing can be read before the first byte, and a second writer does not postpone it',
    requests: [0, 1, 2.5].map((at) => request(at, [user('u', 2000)], { readableAfter: 2 })),
    expected: ['r0 w2000 u0', 'r0 w2000 u0', 'r2000 w0 u0'],
  },
  {
    name: 'contradictions are refused',
    requests: [
      request(0, [block('a', 2000, { cacheable: false, mark: '30m' })]),
      request(0, [user('a', 2000)], { ttl: '5m' }),
      request(0, [user('a', 2000)], { ttl: '30m', retention: '24h' }),
    ],
    expected: ['400', '400', '400'],
  },
];

describe('openaiBreakpointCache', () => {
  it.each(VECTORS)('$name', ({ options, requests, expected }) => {
    expect(run(openaiBreakpointCache(options), requests).map(brief)).toEqual(expected);
  });

  const turns = (count: number): SimulatedBlock[] =>
    Array.from({ length: count }, (_, index) => user(`u${index}`, 1100));

  it('looks at 20 endings before the last one', () => {
    const read = (later: number): number | undefined =>
      run(openaiBreakpointCache(), [request(0, turns(5)), request(10, turns(5 + later))])[1]?.read;
    expect([read(20), read(21)]).toEqual([5500, 0]);
  });

  it('looks at the first two marks and the latest, and writes the latest three or four', () => {
    const marked = (count: number): SimulatedBlock[] =>
      Array.from({ length: count }, (_, index) => block(`m${index}`, 1100, { mark: '30m' }));
    const read = (first: number, second: number): number | undefined =>
      run(openaiBreakpointCache({ lookupMarks: 2 }), [
        request(0, marked(first), { mode: 'explicit' }),
        request(10, marked(second), { mode: 'explicit' }),
      ])[1]?.read;
    // Of six marks the first two, of which the second was written, and the last two.
    expect([read(2, 6), read(3, 6), read(5, 6), read(6, 2), read(5, 2)]).toEqual([
      2200, 2200, 5500, 0, 2200,
    ]);
    const implicit = run(openaiBreakpointCache(), [
      request(0, marked(5)),
      request(10, marked(2), { mode: 'explicit' }),
    ]);
    expect(implicit[1]?.read).toBe(0);
  });

  it('can lose what goes beyond the rate of a key', () => {
    const requests = Array.from({ length: 32 }, (_, index) => request(index * 1.5, turns(2)));
    const misses = run(openaiBreakpointCache({ keyRpm: 15 }), requests).filter(
      ({ read }) => read === 0,
    );
    expect(misses.length).toBe(3);
  });
});
