import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spliceJson } from '../../src/answer/splice-json.ts';
import { jsonObject } from './helpers.ts';

/** Where each member of the printed object starts (its quote) and ends. */
function spans(value: Record<string, unknown>): Array<{ key: string; start: number; end: number }> {
  let at = 1;
  return Object.entries(value).map(([name, member]) => {
    const start = at;
    const end = start + JSON.stringify(name).length + 1 + JSON.stringify(member).length;
    at = end + 1;
    return { key: name, start, end };
  });
}

describe('spliceJson', () => {
  it('gives well-formed JSON with every member that stands whole in one of the parts', () => {
    fc.assert(
      fc.property(jsonObject, fc.nat(), fc.nat(), (value, first, second) => {
        const text = JSON.stringify(value);
        const headEnd = 1 + (first % (text.length - 1));
        const tailStart = headEnd + (second % (text.length - headEnd));
        const spliced: unknown = JSON.parse(
          spliceJson(text.slice(0, headEnd), text.slice(tailStart)),
        );
        const found = new Map(Object.entries(Object(spliced)));
        for (const span of spans(value)) {
          // Whether a member is whole shows at the comma beside it.
          if (span.end >= headEnd && span.start <= tailStart) continue;
          expect(found.get(span.key)).toEqual(value[span.key]);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('closes the start when the end is missing', () => {
    const text = JSON.stringify({ id: 'a', list: [{ n: 1 }, { n: 2, s: 'x' }], usage: 1 });
    for (let end = 1; end < text.length; end++) {
      expect(() => JSON.parse(spliceJson(text.slice(0, end), '')) as unknown).not.toThrow();
    }
  });

  it('joins inside the deepest object that both parts know', () => {
    const head = '{"type":"completed","response":{"id":"r","output":[{"text":"a long te';
    const tail = 'xt, and {so \\"on\\"}"}],"usage":{"total":3}},"number":9}';
    expect(JSON.parse(spliceJson(head, tail))).toEqual({
      type: 'completed',
      response: { id: 'r', output: [{}], usage: { total: 3 } },
      number: 9,
    });
  });

  it('never throws', () => {
    const junk = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ',', '"', '\\', 'a', ':') });
    fc.assert(
      fc.property(junk, junk, (head, tail) => {
        expect(typeof spliceJson(head, tail)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });
});
