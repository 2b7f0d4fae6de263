import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../src/prompt-cache/body/canonical-reader.ts';
import { jsonText, spacedJson } from './arbitraries.ts';
import { comparePlain, plainCanonical } from './plain-canonical.ts';

describe('canonical text', () => {
  it('is what the plain version prints', () => {
    fc.assert(
      fc.property(spacedJson, (text) => {
        expect(canonicalText(text)).toBe(plainCanonical(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives up on what is not JSON, as the plain version does', () => {
    const edit = fc.record({
      at: fc.nat(1000),
      remove: fc.nat(2),
      insert: fc.constantFrom(
        '',
        '',
        ',',
        '"',
        '{',
        '}',
        '[',
        ']',
        ':',
        '0',
        'x',
        '-',
        '\\',
        '.',
        '\u0001',
      ),
    });
    fc.assert(
      fc.property(spacedJson, edit, (text, { at, remove, insert }) => {
        const place = at % (text.length + 1);
        const mutated = text.slice(0, place) + insert + text.slice(place + remove);
        expect(canonicalText(mutated)).toBe(plainCanonical(mutated));
      }),
      { numRuns: 3000 },
    );
  });

  it('is a fixed point, and then the very same string', () => {
    fc.assert(
      fc.property(spacedJson, (text) => {
        const once = canonicalText(text)!;
        expect(canonicalText(once)).toBe(once);
      }),
    );
  });

  it('means the same for a reader: duplicates keep their winner', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(JSON.parse(canonicalText(text)!)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    [
      'tru',
      '01',
      '-',
      '1.',
      '.5',
      '1e',
      '+1',
      'NaN',
      '[1,]',
      '{"a":1,}',
      '{"a"}',
      '[1 2]',
      '{}x',
      '',
    ],
    [
      '{"a\u0001":1}',
      '{"\\x":1}',
      '{a:1}',
      '"',
      '"\\',
      '[',
      '{"a":',
      "{'a':1}",
      '\uFEFF{}',
      '[tru]',
    ],
  ])('refuses malformed text', (...texts) => {
    for (const text of texts) expect([text, canonicalText(text)]).toEqual([text, undefined]);
  });

  it('gives up on nesting that no body has, without a word', () => {
    expect(canonicalText('['.repeat(100_000))).toBeUndefined();
    expect(canonicalText('{"a":'.repeat(100_000))).toBeUndefined();
    const deep = `${'[{"a":'.repeat(100)}1${'}]'.repeat(100)}`;
    expect(canonicalText(deep)).toBe(deep);
  });

  it('prints a large object with every key out of order', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}`).toReversed();
    const text = JSON.stringify(Object.fromEntries(keys.map((key) => [key, 0])));
    const sorted = [...keys].sort(comparePlain);
    expect(canonicalText(text)).toBe(
      JSON.stringify(Object.fromEntries(sorted.map((key) => [key, 0]))),
    );
  });

  it('leaves the order where it means something', () => {
    const schema =
      '{"properties":{"z":{"type":"object","b":1,"properties":{"y":{},"properties":{"q":1,"p":2}}},"a":{"default":{"z":1,"a":2}}},"enum":[{"b":1,"a":2}]}';
    expect(canonicalText(schema)).toBe(
      '{"enum":[{"b":1,"a":2}],"properties":{"z":{"type":"object","b":1,"properties":{"y":{},"properties":{"p":2,"q":1}}},"a":{"default":{"z":1,"a":2}}}}',
    );
    const call = '{"type":"tool_use","input":{"z":1,"a":{"y":1,"b":2}}}';
    expect(canonicalText(call)).toBe('{"type":"tool_use","input":{"z":1,"a":{"y":1,"b":2}}}');
    expect(canonicalText('{"input":[{"z":1,"a":2}]}')).toBe('{"input":[{"a":2,"z":1}]}');
  });
});

/**
 * Key order as in RFC 8785, on the examples that its reference implementation is tested with (cyberphone/json-canonicalization,
 * testdata). Numbers and strings are left as they were sent, which is where the RFC goes further.
 */
describe('RFC 8785', () => {
  it.each([
    ['arrays', '[56,{"d":true,"10":null,"1":[ ]}]', '[56,{"1":[],"10":null,"d":true}]'],
    [
      'french',
      '{"peach":"1","péché":"2","pêche":"3","sin": "4"}',
      '{"peach":"1","péché":"2","pêche":"3","sin":"4"}',
    ],
    [
      'structures',
      '{"1":{"f":{"f":"hi","F":5},"\\n":56.0},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],"A":{}}',
      '{"":"empty","1":{"\\n":56.0,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}',
    ],
    [
      'weird',
      '{"\\u20ac":1,"\\r":2,"\\u000a":3,"1":4,"\\u0080":5,"\\ud83d\\ude02":6,"\\u00f6":7,"\\ufb33":8,"</script>":9}',
      '{"\\u000a":3,"\\r":2,"1":4,"</script>":9,"\\u0080":5,"\\u00f6":7,"\\u20ac":1,"\\ud83d\\ude02":6,"\\ufb33":8}',
    ],
  ])('%s', (_, given, expected) => {
    expect(canonicalText(given)).toBe(expected);
  });
});
