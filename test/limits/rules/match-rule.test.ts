import { describe, expect, test } from 'vitest';
import { compileRule, type LimitSubject, tagOf } from '../../../src/limits/rules/match-rule.ts';
import type { LimitMatch, LimitRule } from '../../../src/limits/settings.ts';

const subject: LimitSubject = {
  provider: 'openai',
  account: 'k1',
  model: 'gpt-5-mini',
  tenant: 'acme',
  user: 'ann',
  tags: { feature: 'search', stage: 'test' },
};

describe('which calls a rule is for', () => {
  test.each<[LimitMatch | undefined, boolean]>([
    [undefined, true],
    [{}, true],
    [{ provider: 'openai' }, true],
    [{ provider: 'open' }, false],
    [{ provider: 'open*' }, true],
    [{ model: 'gpt-5-mini' }, true],
    [{ model: 'gpt-5' }, false],
    [{ model: 'gpt-5*' }, true],
    [{ model: '*mini' }, true],
    [{ model: '*-5-*' }, true],
    [{ model: '*nano*' }, false],
    [{ model: '*' }, true],
    [{ model: '**' }, true],
    [{ tenant: 'acme' }, true],
    [{ tenant: 'acme*' }, false],
    [{ user: 'bob' }, false],
    [{ tag: {} }, true],
    [{ tag: { feature: 'search' } }, true],
    [{ tag: { feature: 'search', stage: 'live' } }, false],
    [{ tag: { toString: 'x' } }, false],
    [{ provider: 'openai', tenant: 'other' }, false],
  ])('%j: %s', (match, expected) => {
    expect(compileRule({ match }, 0).matches(subject)).toBe(expected);
  });

  test('a call that names nothing fits what asks for nothing', () => {
    const bare = { provider: 'openai', account: '', model: '' };
    expect(compileRule({}, 0).matches(bare)).toBe(true);
    expect(compileRule({ match: { model: '*' } }, 0).matches(bare)).toBe(true);
    expect(compileRule({ match: { tenant: 'acme' } }, 0).matches(bare)).toBe(false);
    expect(compileRule({ match: { tag: { feature: 'search' } } }, 0).matches(bare)).toBe(false);
  });

  test('what every object has is no tag', () => {
    expect(tagOf(subject, 'constructor')).toBeUndefined();
    expect(tagOf(subject, 'feature')).toBe('search');
  });
});

describe('what it counts separately for', () => {
  test.each<[LimitRule, string[], boolean]>([
    [{}, ['provider', 'account', 'model'], true],
    [{ match: { provider: 'openai', model: 'gpt*' } }, ['provider', 'account', 'model'], true],
    [{ match: { tag: {} } }, ['provider', 'account', 'model'], true],
    [{ per: [] }, [], true],
    [{ per: ['provider', 'provider'] }, ['provider'], true],
    [{ per: ['tenant'] }, ['tenant'], false],
    [{ per: ['model', 'user'] }, ['model', 'user'], false],
    [{ match: { tenant: 'acme' } }, [], false],
    [{ match: { user: 'ann' } }, [], false],
    [{ match: { tag: { feature: 'search' } } }, [], false],
    [{ match: { tenant: 'acme' }, per: ['model'] }, ['model'], false],
  ])('%j: %j, the same for all callers: %s', (rule, per, isLaneWide) => {
    expect(compileRule(rule, 0)).toMatchObject({ per, isLaneWide });
  });
});
