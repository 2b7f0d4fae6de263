import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalText,
  differingMembers,
  readLeaves,
  withoutPaths,
  withoutCacheMarks,
} from '../../src/testing/canonical-body.ts';
import type { Leaves } from '../../src/testing/canonical-body.ts';

function leavesOf(text: string): Leaves {
  const leaves = readLeaves(text);
  if (leaves === undefined) throw new Error('not JSON');
  return leaves;
}
const canonical = (text: string): string => canonicalText(leavesOf(text));

/** The same value with its keys in reverse order, more white space, and every character escaped. */
function respelled(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(respelled).join(' ,\n')} ]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).reverse();
    return `{\t${members.map(([key, member]) => `${escaped(key)} : ${respelled(member)}`).join(' , ')}\r\n}`;
  }
  return typeof value === 'string' ? escaped(value) : JSON.stringify(value);
}
const escaped = (text: string): string =>
  `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;

test('spelling, white space and key order do not count', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonical(respelled(value))).toBe(canonical(JSON.stringify(value)));
    }),
  );
});

test('values are told apart exactly when they differ', () => {
  const value = fc.anything({
    key: fc.constantFrom('a', 'b', '0'),
    values: [fc.constantFrom(0, 1, '0', 'a', null, true)],
    maxKeys: 2,
    maxDepth: 2,
  });
  let equal = 0;
  fc.assert(
    fc.property(value, value, (a, b) => {
      const isSame = isDeepStrictEqual(a, b);
      if (isSame) equal++;
      expect(canonical(JSON.stringify(a)) === canonical(JSON.stringify(b))).toBe(isSame);
    }),
    { numRuns: 2000 },
  );
  expect(equal).toBeGreaterThan(20);
});

test.each([
  ['9007199254740993', '9007199254740992'],
  ['1e400', '1e401'],
  ['0.1', '0.10000000000000001'],
  ['{"a":1,"a":2}', '{"a":2}'],
  ['{"a":1,"a":2}', '{"a":2,"a":1}'],
  ['{"a":{"b":1},"a":{"c":1}}', '{"a":{"b":1,"c":1}}'],
  ['{"0":1}', '[1]'],
  ['{"a":{}}', '{}'],
  ['[]', '{}'],
  ['[[]]', '[]'],
  ['"1"', '1'],
  ['null', '"null"'],
  ['{"a":{"b":1}}', String.raw`{"a\u0000\"b":1}`],
  ['{"a2":1}', '{"a":1,"a":1}'],
  ['"x\\\\"', '"x"'],
])('%s is not %s', (a, b) => {
  expect(canonical(a)).not.toBe(canonical(b));
});

test.each([
  ['1', '1.0'],
  ['100', '1e2'],
  ['1E+2', '100.00'],
  ['0', '-0.0e7'],
  ['1234567890123456789012', '1234567890123456789.012e3'],
  ['"\\/"', '"/"'],
])('%s is %s', (a, b) => {
  expect(canonical(a)).toBe(canonical(b));
});

test.each(['', '{', '{"a":1,}', 'NaN', '[1 2]', 'plain', '\ufeff{}'])('%j is not JSON', (text) => {
  expect(readLeaves(text)).toBeUndefined();
});

test('a body nested too deep is left to be compared as text', () => {
  expect(readLeaves('['.repeat(100) + ']'.repeat(100))).toBeDefined();
  expect(readLeaves('['.repeat(100_000) + ']'.repeat(100_000))).toBeUndefined();
});

test('ignored paths go with all they hold; an object left empty goes too', () => {
  const without = (text: string, ...paths: string[]): string =>
    canonicalText(withoutPaths(leavesOf(text), paths));
  const usage = '{"a":1,"stream_options":{"include_usage":true}}';
  expect(without(usage, 'stream_options.include_usage')).toBe(canonical('{"a":1}'));
  expect(without('{"a":{"b":[1,{"c":2}]},"d":3}', 'a')).toBe(canonical('{"d":3}'));
  expect(without('{"m":[{"n":1,"x":2},{"n":3,"x":4}]}', 'm.*.n')).toBe(
    canonical('{"m":[{"x":2},{"x":4}]}'),
  );
  expect(without('{"a":1,"b":[1]}', 'a.*', 'b.*')).toBe(canonical('{"a":1}'));
  expect(without('{"ab":1}', 'a')).toBe(canonical('{"ab":1}'));
});

test('differences are named by path, two steps deep', () => {
  const names = (a: string, b: string): string[] =>
    differingMembers(leavesOf(a), leavesOf(b)).sort();
  expect(names('{"a":1,"b":2}', '{"b":2,"a":1}')).toEqual([]);
  expect(names('{"t":0,"m":[{"c":"x"},{"c":"y"}]}', '{"t":1,"m":[{"c":"x"},{"c":"z"}]}')).toEqual([
    'm.1',
    't',
  ]);
  expect(names('{"a":1}', '{"b":{"c":{"d":1}}}')).toEqual(['a', 'b.c']);
});

describe('withoutCacheMarks', () => {
  const plain = (body: unknown): string => {
    const leaves = readLeaves(JSON.stringify(body));
    return leaves === undefined ? 'no JSON' : canonicalText(withoutCacheMarks(leaves));
  };
  const mark = { type: 'ephemeral' };

  test.each([
    [
      'marks on parts',
      { messages: [{ content: [{ type: 'text', text: 'a', cache_control: mark }] }] },
      { messages: [{ content: 'a' }] },
    ],
    [
      'marks on tools and system',
      {
        tools: [{ name: 't', cache_control: { ...mark, ttl: '1h' } }],
        system: [{ type: 'text', text: 's', cache_control: mark }],
      },
      { tools: [{ name: 't' }], system: 's' },
    ],
    [
      'keys and modes',
      { a: 1, prompt_cache_key: 'k', prompt_cache_options: { mode: 'explicit' } },
      { a: 1 },
    ],
    [
      'breakpoints',
      {
        input: [
          {
            content: [
              { type: 'input_text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } },
            ],
          },
        ],
      },
      { input: [{ content: 'a' }] },
    ],
  ])('%s', (_name, marked, unmarked) => {
    expect(plain(marked)).toBe(plain(unmarked));
  });

  test.each([
    [
      'two parts',
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { content: 'a' },
    ],
    [
      'a part with more',
      { content: [{ type: 'text', text: 'a', citations: [] }] },
      { content: 'a' },
    ],
    ['another text', { content: [{ type: 'text', text: 'a' }] }, { content: 'b' }],
    ['a member of that name deeper', { metadata: { prompt_cache_key: 'k' } }, { metadata: {} }],
  ])('does not make equal: %s', (_name, one, other) => {
    expect(plain(one)).not.toBe(plain(other));
  });
});
