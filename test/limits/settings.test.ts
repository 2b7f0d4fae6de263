import { describe, expect, test } from 'vitest';
import { hasLimit, limitsSchema } from '../../src/limits/settings.ts';

describe('rules', () => {
  test.each([
    [[]],
    [[{ adaptive: true }]],
    [[{ adaptive: false }]],
    [[{ adaptive: 'adr009', requestsPerMinute: 30 }]],
    [[{ adaptive: 'aimd' }, { concurrency: 1 }]],
    [[{ match: { provider: 'openai', model: 'gpt-5*' }, tokensPerMinute: 1 }]],
    [[{ match: { model: '*' }, per: [], requestsPerDay: 50 }]],
    [[{ match: { model: '*mini' }, per: ['tenant', 'user'], tokensPerDay: 1 }]],
    [[{ match: { tenant: 'acme', user: '*', tag: { feature: '' } }, inputTokensPerMinute: 1 }]],
    [[{ match: {}, outputTokensPerMinute: 1, countCacheReads: false }]],
  ])('%j is taken', (given) => {
    expect(limitsSchema.parse(given)).toEqual(given);
  });

  test.each([
    [{}],
    ['adaptive'],
    [[{}]],
    [[{ match: { provider: 'openai' } }]],
    [[{ per: ['model'] }]],
    [[{ countCacheReads: true }]],
    [[{ requestsPerMinut: 1 }]],
    [[{ requestsPerMinute: 0 }]],
    [[{ requestsPerMinute: 1.5 }]],
    [[{ tokensPerMinute: -1 }]],
    [[{ tokensPerMinute: '10' }]],
    [[{ concurrency: Number.POSITIVE_INFINITY }]],
    [[{ adaptive: 'aws' }]],
    [[{ concurrency: 1, per: ['tag'] }]],
    [[{ concurrency: 1, per: 'model' }]],
    [[{ concurrency: 1, match: { model: 'gpt-*-mini' } }]],
    [[{ concurrency: 1, match: { model: '' } }]],
    [[{ concurrency: 1, match: { account: 'x' } }]],
    [[{ concurrency: 1, match: { tag: { feature: 1 } } }]],
  ])('%j is refused', (given) => {
    expect(limitsSchema.safeParse(given).success).toBe(false);
  });

  test('a complaint names the rule and what was wrong with it', () => {
    const result = limitsSchema.safeParse([
      { concurrency: 1 },
      { concurrency: 1, match: { model: 'a*b' } },
      {},
    ]);
    expect(result.error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
      ['1.match.model', 'Invalid input: expected * only at the start or end'],
      ['2', 'Invalid input: expected a limit or `adaptive`, a rule without either does nothing'],
    ]);
  });
});

test.each([
  [{ adaptive: true, match: { model: 'x' }, per: [] }, false],
  [{ requestsPerMinute: 1 }, true],
  [{ tokensPerMinute: 1 }, true],
  [{ inputTokensPerMinute: 1 }, true],
  [{ outputTokensPerMinute: 1 }, true],
  [{ requestsPerDay: 1 }, true],
  [{ tokensPerDay: 1 }, true],
  [{ concurrency: 1 }, true],
] as const)('whether %j limits anything by itself: %s', (rule, expected) => {
  expect(hasLimit(rule)).toBe(expected);
});
