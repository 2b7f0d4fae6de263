import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonView } from '../../src/util/json-view.ts';
import { jsonObject, jsonValue } from '../answer/helpers.ts';

/** Any key, also those that are escaped in the text. */
const anyKey = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', 'é', '\n', '\0', '{', '😀', ','),
    maxLength: 4,
  }),
  fc.constantFrom('usage', '__proto__', 'constructor', ''),
);
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });
const member = fc.record({
  key: anyKey,
  value: jsonValue,
  /** Every character of the key as an escape. */
  escaped: fc.boolean(),
  indent: fc.constantFrom(0, 1, 2),
  before: space,
  after: space,
});
type Member = typeof member extends fc.Arbitrary<infer M> ? M : never;

function printed(members: readonly Member[]): string {
  const parts = members.map(({ key, value, escaped, indent, before, after }) => {
    const name = escaped ? `"${key.replace(/[\s\S]/g, escapeOf)}"` : JSON.stringify(key);
    return `${before}${name}${after}:${before}${JSON.stringify(value, null, indent)}${after}`;
  });
  return `{${parts.join(',')}}`;
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function views(text: string): JsonView[] {
  return [new JsonView(text), JsonView.ofBytes(Buffer.from(text))];
}

describe('JsonView', () => {
  it('reads each member as JSON.parse does: the last duplicate, escaped keys under their real names', () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), space, (members, around) => {
        const text = around + printed(members) + around;
        const expected = new Map(members.map(({ key, value }) => [key, value]));
        for (const view of views(text)) {
          expect(view.isObject).toBe(true);
          for (const [key, value] of expected) {
            expect(view.get(key)).toEqual(value);
            expect(view.has(key)).toBe(true);
            expect(view.string(key)).toBe(typeof value === 'string' ? value : undefined);
            const nested = view.view(key);
            expect(nested?.parse()).toEqual(
              typeof value === 'object' && value !== null ? value : undefined,
            );
          }
          expect(view.has('not there')).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads an object as JSON.parse does', () => {
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(0, 1), (value, indent) => {
        for (const view of views(JSON.stringify(value, null, indent))) {
          expect(view.parse()).toEqual(value);
          for (const [key, expected] of Object.entries(value))
            expect(view.get(key)).toEqual(expected);
        }
      }),
    );
  });

  it('gives spans that point at the values', () => {
    fc.assert(
      fc.property(jsonObject, (value) => {
        const text = JSON.stringify(value);
        const view = new JsonView(text);
        expect(text[view.end ?? -1]).toBe('}');
        for (const key of Object.keys(value)) {
          const [start, end] = view.span(key) ?? [0, 0];
          expect(text.slice(start, end)).toBe(JSON.stringify(value[key]));
          expect(view.raw(key)).toBe(JSON.stringify(value[key]));
        }
      }),
    );
  });

  it('gives the elements of an array', () => {
    fc.assert(
      fc.property(fc.array(jsonValue, { maxLength: 5 }), fc.constantFrom(0, 2), (list, indent) => {
        for (const view of views(JSON.stringify(list, null, indent))) {
          expect(view.elements().map((element) => element.parse())).toEqual(list);
          expect(view.isObject).toBe(false);
        }
      }),
    );
  });

  it('gives of a cut object only members that are whole', () => {
    fc.assert(
      fc.property(jsonObject, fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const view = new JsonView(text.slice(0, at % text.length));
        expect(view.isObject).toBe(false);
        for (const key of Object.keys(value)) {
          if (view.has(key)) expect(view.get(key)).toEqual(value[key]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives of a cut array only elements that are whole', () => {
    fc.assert(
      fc.property(fc.array(jsonValue, { maxLength: 5 }), fc.nat(), (list, at) => {
        const text = JSON.stringify(list);
        const elements = new JsonView(text.slice(0, at % text.length)).elements();
        expect(elements.map((element) => element.parse())).toEqual(list.slice(0, elements.length));
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever the text', () => {
    const junk = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', 'u', '1', ' ', 'a', 'é'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          junk,
          junk.map((text) => `{"a":${text}`),
        ),
        (text) => {
          for (const view of views(text)) {
            expect(view.view('a')?.get('a') ?? view.string('a') ?? view.parse()).not.toBe(view);
            expect(view.elements()).toBeInstanceOf(Array);
            if (view.end !== undefined) expect(view.text[view.end]).toBe('}');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes no text with something behind the object, or a comma too many, for a whole object', () => {
    for (const text of ['{"a":1}x', '{"a":1,}', '{"a":1', '{"a"}', '{a:1}', '', '[1]', '"a"']) {
      expect([text, new JsonView(text).isObject]).toEqual([text, false]);
    }
    expect(new JsonView('{"a":1}x').get('a')).toBe(1);
    expect(new JsonView('{"a":1,"\\q":2,"b":3}').has('b')).toBe(false);
  });
});

it('firstString reads no further than it must', () => {
  const view = new JsonView('{"a":1,"model":"m","model":"n","cut');
  expect(view.firstString('model')).toBe('m');
  expect(view.firstString('a')).toBeUndefined();
  expect(view.firstString('missing')).toBeUndefined();
  expect(view.string('model')).toBe('n');
  expect(view.firstString('model')).toBe('m');
});
