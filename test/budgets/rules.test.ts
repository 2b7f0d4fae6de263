import { expect, test } from 'vitest';
import { compileBudget } from '../../src/budgets/rules.ts';
import { SubjectCache } from '../../src/limits/rules/subject-cache.ts';
import type { LimitSubject } from '../../src/limits/rules/match-rule.ts';

const someone: LimitSubject = {
  provider: 'openai',
  account: 'k1',
  model: 'gpt-5',
  tenant: 'acme',
  user: 'u',
  tags: { team: 'x' },
};
const rule = { window: 'day', maxUsd: 1 } as const;

test('matches what all of it names', () => {
  const matches = (match: Parameters<typeof compileBudget>[0]['match']): boolean =>
    compileBudget({ ...rule, match }, 0).matches(someone);
  expect(matches(undefined)).toBe(true);
  expect(matches({ provider: 'open*', model: '*5', tenant: 'acme', user: 'u' })).toBe(true);
  expect(matches({ key: 'k1', tag: { team: 'x' } })).toBe(true);
  expect(matches({ key: 'k2' })).toBe(false);
  expect(matches({ tag: { team: 'x', toString: 'y' } })).toBe(false);
  expect(matches({ tenant: 'acme', user: 'v' })).toBe(false);
});

test('counts separately for what it says, whatever stands in the names', () => {
  const { keyOf, labelOf } = compileBudget({ ...rule, per: ['tenant', 'tag:team', 'key'] }, 0);
  const keys = [
    someone,
    { ...someone, tenant: undefined },
    { ...someone, tenant: '' },
    { ...someone, tenant: '-' },
    { ...someone, tenant: 'acme1:x', tags: {} },
    { ...someone, tags: { team: 'y' } },
    { ...someone, account: 'k2' },
  ].map(keyOf);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyOf({ ...someone, user: 'v', model: 'other' })).toBe(keys[0]);
  expect(labelOf(someone)).toBe('tenant=acme tag:team=x key=k1');
  expect(labelOf({ ...someone, tags: {} })).toBe('tenant=acme tag:team= key=k1');
});

test('rules of different names share nothing, those of one name do, wherever they stand', () => {
  const named = { ...rule, name: 'a' };
  expect(compileBudget(named, 0).keyOf(someone)).toBe(compileBudget(named, 3).keyOf(someone));
  expect(compileBudget(rule, 0).keyOf(someone)).not.toBe(compileBudget(rule, 1).keyOf(someone));
});

test('what a rule looks at tells calls apart', () => {
  const compiled = compileBudget({ ...rule, per: ['tag:team'], match: { key: 'k1' } }, 0);
  const cache = new SubjectCache<number>([compiled.looks]);
  let made = 0;
  const numberOf = (subject: LimitSubject): number => cache.get(subject, () => ++made);
  expect(numberOf(someone)).toBe(1);
  expect(numberOf({ ...someone, tags: { team: 'y' } })).toBe(2);
  expect(numberOf({ ...someone, account: 'k2' })).toBe(3);
  expect(numberOf({ ...someone, user: 'v', model: 'm' })).toBe(1);
});
