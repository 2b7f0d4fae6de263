import { describe, expect, test } from 'vitest';
import { LimiterStore } from '../../../src/limits/rules/limiter-store.ts';
import { createRuleLimiter, type RuleLimiter } from '../../../src/limits/rules/rule-limiter.ts';
import { demandFor, endOf } from './saturate.ts';

const small = demandFor({ estimate: 1, maxOutput: 1 });

function get(store: LimiterStore, key: string, now = 0): RuleLimiter {
  return store.get(key, () => createRuleLimiter({ requestsPerMinute: 5 }, key), now);
}

describe('one for each key', () => {
  test('made once', () => {
    const store = new LimiterStore();
    const first = get(store, 'a');
    expect(get(store, 'a')).toBe(first);
    expect(get(store, 'b')).not.toBe(first);
    expect([...store.values()].map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('one that somebody holds is found again after it was let go', () => {
    const store = new LimiterStore(10);
    const held = get(store, 'held');
    for (let i = 0; i < 1000; i++) get(store, `other ${i}`);
    expect([...store.values()]).not.toContain(held);
    expect(get(store, 'held')).toBe(held);
    expect([...store.values()]).toContain(held);
  });
});

describe('bounded', () => {
  test('idle ones go when there are many', () => {
    const store = new LimiterStore(10);
    for (let i = 0; i < 1000; i++) get(store, `${i}`);
    expect(store.size).toBeLessThanOrEqual(10);
  });

  test('those that count something stay, until that is past', () => {
    const store = new LimiterStore(10);
    for (let i = 0; i < 30; i++) get(store, `${i}`).admit(small, 0).end(endOf('ok'), 0);
    expect(store.size).toBe(30);
    for (let i = 30; i < 60; i++) get(store, `${i}`, 59_999).admit(small, 59_999);
    expect(store.size).toBe(50);
    for (let i = 60; i < 80; i++) get(store, `${i}`, 60_000);
    expect(store.size).toBeLessThan(50);
  });

  test('with far too many even they go, but never one that has a request under way', () => {
    const store = new LimiterStore(10);
    const busy = get(store, 'busy');
    busy.admit(small, 0);
    for (let i = 0; i < 1000; i++) get(store, `${i}`).admit(small, 0).end(endOf('ok'), 0);
    expect(store.size).toBe(50);
    expect([...store.values()]).toContain(busy);
  });
});
