import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cacheOrder, createFamilyKeys } from '../../src/prompt-cache/cache-order.ts';
import type { CacheRequest } from '../../src/prompt-cache/cache-request.ts';
import type { PlanDraft } from '../../src/prompt-cache/planner/planner.ts';
import { ENDINGS, MARKS, PREFIXES } from './planner/rules.ts';

const SCOPE = 'account host model ';
const MINUTE = 60_000;

/** With a system prompt alone. */
const promptOf = (system: string): unknown => ({
  blocks: [{ tier: 'system', start: 0, end: system.length }],
  offsets: { system: 0 },
  slice: (start: number, end: number) => system.slice(start, end),
});
const KEY = /^tr-[\w-]{16}$/;

const request = (more: Partial<CacheRequest> = {}): CacheRequest =>
  ({
    rules: MARKS,
    scope: SCOPE,
    wantsLong: false,
    prompt: promptOf('You are kind.'),
    positions: [
      { block: 0, hash: `${SCOPE}system`, tokens: 1, tier: 'system' },
      { block: 1, hash: `${SCOPE}first`, tokens: 2, tier: 'messages' },
    ],
    ...more,
  }) as unknown as CacheRequest;

const draft = (more: Partial<PlanDraft> = {}): PlanDraft =>
  ({ marks: [], onlyMarks: false, family: `${SCOPE}system`, ...more }) as unknown as PlanDraft;

const orderOf = (one: CacheRequest, plan = draft()) => cacheOrder(one, plan, createFamilyKeys(), 0);

describe('the order', () => {
  test('marks and what goes with them are those of the plan', () => {
    const marks: PlanDraft['marks'] = [{ block: 1, ttl: '30m', reason: 'write', candidate: 0 }];
    expect(orderOf(request({ rules: ENDINGS }), draft({ marks, onlyMarks: true }))).toMatchObject({
      marks,
      onlyMarks: true,
    });
  });

  test('the key says nothing of the account and is none where nothing is shared', () => {
    expect(orderOf(request()).key).toMatch(KEY);
    expect(orderOf(request(), draft({ family: '' })).key).toBeUndefined();
  });

  test('the key is that of the beginning: a clock behind it makes no other', () => {
    const keyOf = (system: string): string | undefined =>
      orderOf(request({ prompt: promptOf(system) as CacheRequest['prompt'] })).key;
    const long = 'You are kind. '.repeat(100);
    expect(keyOf(`${long} It is 12:01.`)).toBe(keyOf(`${long} It is 12:02.`));
    expect(keyOf(`Other ${long}`)).not.toBe(keyOf(long));
  });

  test('a long retention is asked for where the user asked', () => {
    expect(orderOf(request()).retention).toBeUndefined();
    expect(orderOf(request({ wantsLong: true })).retention).toBe('24h');
  });
});

/** The keys of so many conversations of one family, one request each, within one minute. */
function keysOf(count: number, keys = createFamilyKeys(), now = 0): string[] {
  return Array.from({ length: count }, (_, i) => keys.keyOf('family', `conversation ${i}`, now));
}

describe('keys of a family', () => {
  test('one for up to 15 requests a minute', () => {
    expect(new Set(keysOf(15)).size).toBe(1);
    const keys = createFamilyKeys();
    for (let minute = 0; minute < 10; minute++) {
      expect(new Set(keysOf(15, keys, minute * MINUTE)).size).toBe(1);
    }
  });

  test.each([
    [16, 2],
    [60, 4],
    [150, 10],
    [5000, 64],
  ])('%i a minute need %i', (count, wanted) => {
    const keys = createFamilyKeys();
    keysOf(count, keys);
    expect(new Set(keysOf(2000, keys, 0)).size).toBeLessThanOrEqual(64);
    const calm = createFamilyKeys();
    keysOf(count, calm);
    const later = Array.from({ length: 400 }, (_, i) =>
      calm.keyOf('family', `${i}`, (i + 2) * MINUTE),
    );
    expect(new Set(later).size).toBe(wanted);
  });

  test('a conversation keeps its key when it is calmer again', () => {
    const keys = createFamilyKeys();
    keysOf(100, keys);
    const before = keys.keyOf('family', 'own', MINUTE);
    for (let minute = 2; minute < 100; minute++) {
      expect(keys.keyOf('family', 'own', minute * MINUTE)).toBe(before);
    }
  });

  test('when one more key is needed, only its own share of the conversations moves there', () => {
    const grown = (requests: number): string[] => {
      const keys = createFamilyKeys();
      keysOf(requests, keys);
      return Array.from({ length: 400 }, (_, i) => keys.keyOf('family', `${i}`, (i + 2) * MINUTE));
    };
    const [before, after] = [grown(7 * 15), grown(8 * 15)] as [string[], string[]];
    const moved = before.filter((key, i) => key !== after[i]).length;
    expect(moved).toBeGreaterThan(0);
    expect(moved / before.length).toBeLessThan(2 / 8);
  });

  test('keys are short, and without a conversation there is one for each family', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 30 }), fc.nat(40), (family, count) => {
        const keys = createFamilyKeys();
        for (let i = 0; i <= count; i++) {
          const key = keys.keyOf(family, undefined, 0);
          expect(key).toMatch(KEY);
          expect(key).toBe(keys.keyOf(family, undefined, 0));
          expect(keys.keyOf(family, `${i}`, 0).length).toBeLessThanOrEqual(64);
        }
      }),
    );
  });

  test('only where a key serves so many requests is a conversation’s own chosen', () => {
    const keys = createFamilyKeys();
    const keyOf = (rules: CacheRequest['rules'], first: string): string | undefined => {
      const positions = request().positions.map((position) =>
        position.tier === 'messages' ? { ...position, hash: SCOPE + first } : position,
      );
      return cacheOrder(request({ rules, positions }), draft(), keys, 0).key;
    };
    const firsts = Array.from({ length: 100 }, (_, i) => `${i}`);
    expect(new Set(firsts.map((first) => keyOf(ENDINGS, first))).size).toBe(1);
    expect(new Set(firsts.map((first) => keyOf(PREFIXES, first))).size).toBeGreaterThan(3);
  });
});
