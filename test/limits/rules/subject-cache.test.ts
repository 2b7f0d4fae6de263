import { describe, expect, test } from 'vitest';
import { compileRule, type LimitSubject } from '../../../src/limits/rules/match-rule.ts';
import { SubjectCache } from '../../../src/limits/rules/subject-cache.ts';
import type { LimitRule } from '../../../src/limits/settings.ts';

const subject: LimitSubject = { provider: 'openai', account: 'k1', model: 'gpt-5' };

function cacheFor(rules: readonly LimitRule[], max?: number): (of: LimitSubject) => number {
  const cache = new SubjectCache<number>(rules.map(compileRule), max);
  let reads = 0;
  return (of) => cache.get(of, () => ++reads);
}

describe('read once for all that rules cannot tell apart', () => {
  test.each<[LimitRule, Partial<LimitSubject>, boolean]>([
    [{ concurrency: 1 }, { tenant: 'acme', user: 'ann', tags: { a: 'b' } }, true],
    [{ concurrency: 1 }, { model: 'other' }, false],
    [{ concurrency: 1 }, { account: 'k2' }, false],
    [{ concurrency: 1, per: [] }, { provider: 'other', account: 'k2', model: 'other' }, true],
    [{ concurrency: 1, per: [], match: { model: 'gpt*' } }, { model: 'other' }, false],
    [{ concurrency: 1, per: ['tenant'] }, { tenant: 'acme' }, false],
    [{ concurrency: 1, match: { user: 'ann' } }, { user: 'bob' }, false],
    [{ concurrency: 1, match: { tag: { a: 'b' } } }, { tags: { a: 'c' } }, false],
    [{ concurrency: 1, match: { tag: { a: 'b' } } }, { tags: { c: 'b' } }, true],
  ])('%j and %j: the same: %s', (rule, other, isSame) => {
    const read = cacheFor([rule]);
    expect(read(subject)).toBe(1);
    expect(read({ ...subject, ...other })).toBe(isSame ? 1 : 2);
    expect(read(subject)).toBe(1);
  });
});

test('it starts anew when it is full', () => {
  const read = cacheFor([{ concurrency: 1, per: ['user'] }], 10);
  for (let i = 0; i < 100; i++) expect(read({ ...subject, user: `${i}` })).toBe(i + 1);
  expect(read({ ...subject, user: '99' })).toBeGreaterThanOrEqual(100);
  expect(read({ ...subject, user: '0' })).toBeGreaterThan(100);
});
