import { describe, expect, test } from 'vitest';
import type { LimitSubject } from '../../../src/limits/rules/match-rule.ts';
import { createRuleBook, type RuleBook } from '../../../src/limits/rules/rule-book.ts';
import type { RuleLimiter } from '../../../src/limits/rules/rule-limiter.ts';
import type { AdaptiveKind, LimitRule } from '../../../src/limits/settings.ts';
import { demandFor } from './saturate.ts';

interface Shared {
  readonly limiter: RuleLimiter;
}

function bookOf(...rules: LimitRule[]): RuleBook<Shared> {
  return createRuleBook(rules, (limiter) => ({ limiter }));
}

const subject: LimitSubject = { provider: 'openai', account: 'k1', model: 'gpt-5' };
const ofAcme: LimitSubject = { ...subject, tenant: 'acme', user: 'ann' };
const small = demandFor({ estimate: 1, maxOutput: 1 });
const names = (shared: readonly Shared[]): string[] => shared.map(({ limiter }) => limiter.name);

describe('how the provider’s own limit is found', () => {
  test.each<[LimitRule[], AdaptiveKind, number | undefined]>([
    [[], true, undefined],
    [[{ requestsPerMinute: 5 }], true, undefined],
    [[{ adaptive: false }], false, undefined],
    [[{ adaptive: false }, { requestsPerMinute: 5 }], false, undefined],
    [[{ adaptive: false }, { adaptive: true }], true, undefined],
    [[{ adaptive: false }, { match: { model: 'other' }, adaptive: true }], false, undefined],
    [[{ adaptive: 'adr009', requestsPerMinute: 30 }], 'adr009', 30],
    [[{ adaptive: 'adr009', requestsPerMinute: 30 }, { adaptive: 'aimd' }], 'aimd', undefined],
    [[{ adaptive: 'aimd' }, { requestsPerMinute: 30 }], 'aimd', undefined],
  ])('%j: %s, from %s', (rules, adaptive, startRate) => {
    expect(bookOf(...rules).rulesFor(subject, 0)).toMatchObject({ adaptive, startRate });
  });
});

describe('which limits apply', () => {
  test('all that match, those of some callers apart', () => {
    const book = bookOf(
      { requestsPerMinute: 1 },
      { match: { tenant: 'acme' }, tokensPerDay: 1 },
      { per: ['tenant', 'user'], concurrency: 1 },
      { match: { tenant: 'other' }, concurrency: 1 },
      { per: [], concurrency: 1 },
      { adaptive: false },
    );
    const { laneWide, ofFlow } = book.rulesFor(ofAcme, 0);
    expect(names(laneWide)).toEqual([
      'limits[0] provider=openai account=k1 model=gpt-5',
      'limits[4]',
    ]);
    expect(names(ofFlow)).toEqual(['limits[1]', 'limits[2] tenant=acme user=ann']);
  });

  test('each combination of what a rule counts separately for has its own', () => {
    const book = bookOf({ per: ['model', 'tenant'], concurrency: 1 });
    const limitOf = (change: Partial<LimitSubject>): Shared | undefined =>
      book.rulesFor({ ...ofAcme, ...change }, 0).ofFlow[0];
    expect(limitOf({ account: 'k2', user: 'bob' })).toBe(limitOf({}));
    expect(limitOf({ model: 'other' })).not.toBe(limitOf({}));
    expect(limitOf({ tenant: 'other' })).not.toBe(limitOf({}));
    expect(limitOf({ tenant: undefined })).not.toBe(limitOf({ tenant: '' }));
    expect(limitOf({ tenant: undefined, user: 'bob' })).toBe(limitOf({ tenant: undefined }));
  });

  test('one limit is the same wherever it applies, and is wrapped once', () => {
    let wrapped = 0;
    const book = createRuleBook(
      [{ per: ['tenant'], concurrency: 1 }, { adaptive: true }],
      (limiter) => {
        wrapped++;
        return { limiter };
      },
    );
    const [first] = book.rulesFor(ofAcme, 0).ofFlow;
    const [second] = book.rulesFor({ ...ofAcme, provider: 'anthropic', model: 'x' }, 0).ofFlow;
    expect(second).toBe(first);
    expect(wrapped).toBe(1);
  });

  test('names made of each other’s parts are not mixed up', () => {
    const book = bookOf({ per: ['tenant', 'user'], concurrency: 1 });
    const limits = [
      ['a', 'b'],
      ['a1:b', ''],
      ['', 'a1:b'],
      ['a|', 'b'],
      ['a', '|b'],
      ['-', undefined],
      [undefined, '-'],
    ].map(([tenant, user]) => book.rulesFor({ ...subject, tenant, user }, 0).ofFlow[0]);
    expect(new Set(limits).size).toBe(limits.length);
  });

  test('without rules nothing is made', () => {
    const book = bookOf();
    expect(book.rulesFor(ofAcme, 0)).toBe(book.rulesFor(subject, 0));
    expect(book.rulesFor(subject, 0)).toMatchObject({ laneWide: [], ofFlow: [], flow: '' });
  });
});

describe('flows', () => {
  test('calls that share all limits of some callers are one', () => {
    const book = bookOf(
      { requestsPerMinute: 1 },
      { per: ['tenant'], concurrency: 1 },
      { match: { user: 'ann' }, concurrency: 1 },
    );
    const flowOf = (change: Partial<LimitSubject>): string =>
      book.rulesFor({ ...subject, ...change }, 0).flow;
    expect(flowOf({ tenant: 'acme' })).toBe(flowOf({ tenant: 'acme', user: 'bob' }));
    expect(flowOf({ tenant: 'acme' })).not.toBe(flowOf({ tenant: 'other' }));
    expect(flowOf({ tenant: 'acme' })).not.toBe(flowOf({ tenant: 'acme', user: 'ann' }));
  });

  test('no limits of some callers, no flow', () => {
    expect(bookOf({ requestsPerMinute: 1 }).rulesFor(ofAcme, 0).flow).toBe('');
  });
});

describe('many callers', () => {
  test('a limit that is used up stays so, however many others come', () => {
    const book = bookOf({ per: ['user'], requestsPerMinute: 1 });
    book.rulesFor(ofAcme, 0).ofFlow[0]!.limiter.admit(small, 0);
    for (let i = 0; i < 25_000; i++) book.rulesFor({ ...subject, user: `user ${i}` }, 0);
    expect(book.rulesFor(ofAcme, 0).ofFlow[0]!.limiter.waitMs(small, 0)).toBe(60_000);
  });

  test('a snapshot shows those that count something', () => {
    const book = bookOf({ per: ['tenant'], requestsPerMinute: 2 });
    book.rulesFor(subject, 0);
    book.rulesFor(ofAcme, 0).ofFlow[0]!.limiter.admit(small, 0);
    expect(book.snapshot(1000)).toMatchObject([
      { name: 'limits[0] tenant=acme', inFlight: 1, meters: [{ remaining: 1 }] },
    ]);
  });
});
