import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { sortMembers, toolIdentity } from '../../../src/prompt-cache/arrange/tool-identity.ts';
import { numbers, shuffledBy, sorted, tree, write } from './json-texts.ts';

test('the order of keys does not count, at any depth', () => {
  fc.assert(
    fc.property(tree, numbers, (value, order) => {
      expect(toolIdentity(write(value, shuffledBy(order)))).toBe(toolIdentity(write(value)));
      expect(sortMembers(write(value))).toBe(write(value, sorted));
    }),
  );
});

test('everything else counts, character by character', () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      const isSame = toolIdentity(write(a)) === toolIdentity(write(b));
      expect(isSame).toBe(write(a, sorted) === write(b, sorted));
    }),
  );
});

test.each([
  ['{"a":1}', '{"a":1.0}'],
  ['{"a":1}', '{"a":"1"}'],
  ['{"a":12345678901234567890}', '{"a":12345678901234567891}'],
  ['{"a":"\\u0061"}', '{"a":"a"}'],
  ['{"a":[1,2]}', '{"a":[2,1]}'],
  ['{"a":{"b":1},"c":2}', '{"a":{"c":2},"b":1}'],
])('%s is not %s', (a, b) => {
  expect(toolIdentity(a)).not.toBe(toolIdentity(b));
});

test.each([
  ['a key twice', '{"a":1,"a":2,"b":3}', '{"b":3,"a":1,"a":2}'],
  ['a key twice, further down', '[{"x":{"a":1,"a":2},"y":0}]', '[{"y":0,"x":{"a":1,"a":2}}]'],
  ['a key in two spellings', '{"a":1,"\\u0061":2}', '{"\\u0061":2,"a":1}'],
  ['a key that is no string', '{"a\\x":1,"b":2}', '{"b":2,"a\\x":1}'],
  ['white space', '{"a": 1,"b":2 ,"c":3}', '{"b":2 ,"a": 1,"c":3}'],
  ['a comma too many', '{"a":1,"b":2,}', '{"b":2,"a":1,}'],
  ['a semicolon', '{"a":[];"b":2}', '{"b":2;"a":[]}'],
  ['a number that is none', '{"a":01,"b":2}', '{"b":2,"a":01}'],
  ['a cut text', '{"a":1,"b":2', '{"b":2,"a":1'],
  ['an open string', '{"a":1,"b":"x}', '{"b":"x,"a":1}'],
  ['two values', '{"a":1,"b":2}{}', '{"b":2,"a":1}{}'],
  ['no colon', '{"a","b":2}', '{"b":2,"a"}'],
  ['a bad array', '{"a":[1 2],"b":2}', '{"b":2,"a":[1 2]}'],
  ['too deep', `{"a":${'['.repeat(1e5)},"b":2}`, `{"b":2,"a":${'['.repeat(1e5)}}`],
])('with %s a text equals only itself', (_what, a, b) => {
  expect(sortMembers(a)).toBeUndefined();
  expect(toolIdentity(a)).toBe(toolIdentity(a));
  expect(toolIdentity(a)).not.toBe(toolIdentity(b));
});

test('a text is never taken for the sorted form of another', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(toolIdentity(text)).toBe(toolIdentity(text));
      expect(toolIdentity(text)).not.toBe(toolIdentity(`${text} `));
    }),
  );
  expect(toolIdentity('sorted {}')).not.toBe(toolIdentity('{}'));
});
