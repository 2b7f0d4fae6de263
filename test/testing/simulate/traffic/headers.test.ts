import { describe, expect, test } from 'vitest';
import { goDuration } from '../../../../src/testing/simulate/traffic/rate-headers.ts';
import { createVirtualClock, simulateProvider } from '../../../../src/testing/index.ts';
import type { SimulatedLimit, SimulateOptions } from '../../../../src/testing/index.ts';
import { finish, writtenTokens } from '../helpers.ts';
import { ask, limitHeaders } from './ask.ts';
import type { Provider, Question } from './ask.ts';

const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

/** What the answers to some questions, one after another, say of the limits. */
async function headersOf(
  provider: Provider,
  options: Partial<SimulateOptions>,
  questions: readonly Question[],
): Promise<Array<Record<string, string>>> {
  const clock = createVirtualClock();
  const given = { provider, clock, tokensOf: writtenTokens, durationMs: 0, firstByteMs: 0 };
  const simulated = simulateProvider({ ...given, ...options } as SimulateOptions);
  const told: Array<Record<string, string>> = [];
  for (const question of questions) {
    const response = await finish(clock, ask(simulated, provider, question));
    told.push(limitHeaders(response));
    await response.text();
  }
  return told;
}

const openaiLimits: SimulatedLimit[] = [
  { unit: 'requests', limit: 500 },
  { unit: 'tokens', limit: 30_000 },
];

const anthropicLimits: SimulatedLimit[] = [
  { unit: 'requests', limit: 50 },
  { unit: 'inputTokens', limit: 40_000 },
  { unit: 'outputTokens', limit: 8000 },
];

test('OpenAI: its own, with durations as Go prints them', async () => {
  const [first, second] = await headersOf('openai', { limits: openaiLimits }, [
    { text: '#700', maxTokens: 300 },
    { text: '#1', maxTokens: 1 },
  ]);
  expect(first).toEqual({
    date: DATE,
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-limit-tokens': '30000',
    'x-ratelimit-remaining-requests': '499',
    'x-ratelimit-remaining-tokens': '29000',
    'x-ratelimit-reset-requests': '120ms',
    'x-ratelimit-reset-tokens': '2s',
  });
  expect(second).toMatchObject({
    'x-ratelimit-remaining-requests': '498',
    'x-ratelimit-remaining-tokens': '28998',
    'x-ratelimit-reset-requests': '240ms',
    'x-ratelimit-reset-tokens': '2.004s',
  });
});

test('Anthropic: its own, with RFC 3339 times and tokens in thousands', async () => {
  const [told] = await headersOf('anthropic', { limits: anthropicLimits }, [{ text: '#2600' }]);
  expect(told).toEqual({
    date: DATE,
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:02Z',
    'anthropic-ratelimit-tokens-limit': '48000',
    'anthropic-ratelimit-tokens-remaining': '45000',
    'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:04Z',
    'anthropic-ratelimit-input-tokens-limit': '40000',
    'anthropic-ratelimit-input-tokens-remaining': '37000',
    'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:04Z',
    'anthropic-ratelimit-output-tokens-limit': '8000',
    'anthropic-ratelimit-output-tokens-remaining': '8000',
    'anthropic-ratelimit-output-tokens-reset': '2026-01-01T00:00:00Z',
  });
});

test('a limit on all tokens is told as it is', async () => {
  const limits: SimulatedLimit[] = [{ unit: 'tokens', limit: 10_000 }];
  const [told] = await headersOf('anthropic', { limits }, [{ text: '#1400' }]);
  expect(told).toEqual({
    date: DATE,
    'anthropic-ratelimit-tokens-limit': '10000',
    'anthropic-ratelimit-tokens-remaining': '9000',
    'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:09Z',
  });
});

test('epoch: the end of the window in seconds since 1970', async () => {
  const limit = {
    unit: 'requests',
    limit: 40,
    algorithm: 'fixed-window',
    offsetMs: 17_000,
  } as const;
  const [told] = await headersOf('deepseek', { limits: [limit], headers: 'epoch' }, [{}]);
  expect(told).toEqual({
    date: DATE,
    'x-ratelimit-limit': '40',
    'x-ratelimit-remaining': '39',
    'x-ratelimit-reset': String(Date.UTC(2026, 0, 1, 0, 0, 17) / 1000),
  });
});

test.each(['deepseek', 'gemini'] as const)('%s tells nothing', async (provider) => {
  expect(await headersOf(provider, { limits: openaiLimits }, [{}])).toEqual([{ date: DATE }]);
});

test('any provider may tell as another, or nothing', async () => {
  const limits = openaiLimits;
  const as = async (headers: SimulateOptions['headers']): Promise<string[]> => {
    const [told] = await headersOf('gemini', { limits, headers }, [{}]);
    return Object.keys(told ?? {}).filter((name) => name.endsWith('requests'));
  };
  expect(await as('openai')).toHaveLength(3);
  const [anthropic] = await headersOf('openai', { limits, headers: 'anthropic' }, [{}]);
  expect(anthropic).toHaveProperty('anthropic-ratelimit-requests-limit', '500');
  expect(await headersOf('openai', { limits, headers: 'none' }, [{}])).toEqual([{ date: DATE }]);
});

test('of several limits the tightest is told', async () => {
  const limits: SimulatedLimit[] = [
    { unit: 'requests', limit: 60 },
    { unit: 'requests', limit: 100, windowMs: 86_400_000 },
  ];
  const told = await headersOf('openai', { limits }, [{}, {}]);
  // 59 of 60 is less than 99 of 100.
  expect(told[0]).toMatchObject({ 'x-ratelimit-limit-requests': '60' });
  const later = [{ unit: 'requests', limit: 60 } as const, { ...limits[1]!, limit: 3 }];
  const [first] = await headersOf('openai', { limits: later }, [{}]);
  expect(first).toMatchObject({
    'x-ratelimit-limit-requests': '3',
    'x-ratelimit-remaining-requests': '2',
    'x-ratelimit-reset-requests': '8h0m0s',
  });
});

test('what a limit has become is told', async () => {
  const clock = createVirtualClock();
  const limits: SimulatedLimit[] = [{ unit: 'requests', limit: 60, schedule: [[5000, 20]] }];
  const simulated = simulateProvider({ provider: 'openai', clock, limits });
  await clock.advance(5000);
  expect(limitHeaders(await finish(clock, ask(simulated, 'openai')))).toMatchObject({
    'x-ratelimit-limit-requests': '20',
    'x-ratelimit-remaining-requests': '19',
  });
});

test.each([
  [-1, '0s'],
  [0, '0s'],
  [0.4, '1ms'],
  [12, '12ms'],
  [999.2, '1s'],
  [1500, '1.5s'],
  [20_400, '20.4s'],
  [60_000, '1m0s'],
  [360_000, '6m0s'],
  [3_599_999, '59m59.999s'],
  [86_400_000, '24h0m0s'],
])('%d ms are %s in Go', (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});

describe('a refusal says when to come again', () => {
  const limits: SimulatedLimit[] = [{ unit: 'requests', limit: 1, windowMs: 2500 }];
  const told = async (
    provider: Provider,
    retryAfter?: SimulateOptions['retryAfter'],
  ): Promise<Record<string, string>> => {
    const [, refused = {}] = await headersOf(provider, { limits, retryAfter }, [{}, {}]);
    return Object.fromEntries(Object.entries(refused).filter(([name]) => /retry/.test(name)));
  };

  test.each([
    ['openai', undefined, { 'retry-after': '3', 'retry-after-ms': '2500' }],
    ['anthropic', undefined, { 'retry-after': '3' }],
    ['deepseek', undefined, {}],
    ['gemini', undefined, {}],
    ['gemini', 'seconds', { 'retry-after': '3' }],
    ['openai', 'ms', { 'retry-after-ms': '2500' }],
    ['deepseek', 'both', { 'retry-after': '3', 'retry-after-ms': '2500' }],
    ['anthropic', 'date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' }],
    ['openai', 'none', {}],
    ['openai', 1, { 'retry-after': '1' }],
    ['anthropic', 0, { 'retry-after': '0' }],
  ] as const)('%s, %s', async (provider, retryAfter, headers) => {
    expect(await told(provider, retryAfter)).toEqual(headers);
  });

  test('the limit that takes longest decides, also in the body', async () => {
    const clock = createVirtualClock();
    const simulated = simulateProvider({
      provider: 'openai',
      clock,
      tokensOf: writtenTokens,
      limits: [
        { unit: 'requests', limit: 20, burst: 1 },
        { unit: 'tokens', limit: 6000 },
        { unit: 'requests', limit: 100, burst: 1 },
      ],
    });
    // 5500 and an answer of one token; then 2 s pass.
    await finish(clock, ask(simulated, 'openai', { text: '#5500' }));
    const refused = await ask(simulated, 'openai', { text: '#3000' });
    expect(limitHeaders(refused)['retry-after-ms']).toBe('23010');
    expect(await refused.json()).toEqual({
      error: {
        message:
          'Rate limit reached for a-model in organization org-simulated on tokens per min: Limit 6000, Used 5301, Requested 3000. Please try again in 23.01s.',
        type: 'tokens',
        param: null,
        code: 'rate_limit_exceeded',
      },
    });
  });
});
