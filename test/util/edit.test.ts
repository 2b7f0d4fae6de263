import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from '../../src/call.ts';
import { edited } from '../../src/stages/send/edited-call.ts';
import { applyEdits, type Edit } from '../../src/util/edit.ts';

test.each<[string, Edit[], string]>([
  ['abc', [], 'abc'],
  ['abc', [{ at: 0, remove: 0, insert: 'x' }], 'xabc'],
  ['abc', [{ at: 3, remove: 0, insert: 'x' }], 'abcx'],
  ['abc', [{ at: 1, remove: 1, insert: '' }], 'ac'],
  ['abc', [{ at: 0, remove: 3, insert: 'x' }], 'x'],
  ['', [{ at: 0, remove: 0, insert: 'x' }], 'x'],
])('%j with %j', (text, edits, wanted) => {
  expect(applyEdits(text, edits)).toBe(wanted);
});

test('the parts come from whoever can give them', () => {
  const asked: number[] = [];
  const slices = {
    slice: (start: number, end: number) => {
      asked.push(start, end);
      return 'abcdef'.slice(start, end);
    },
  };
  const edits = [
    { at: 1, remove: 2, insert: 'x' },
    { at: 5, remove: 0, insert: 'y' },
  ];
  expect(applyEdits('abcdef', edits, slices)).toBe('axdeyf');
  expect(asked).toEqual([0, 1, 3, 5, 5, 6]);
});

test('insertions at one place keep their order, those that end there too', () => {
  const edits = [
    { at: 0, remove: 1, insert: '1' },
    { at: 1, remove: 0, insert: '2' },
    { at: 1, remove: 0, insert: '3' },
    { at: 1, remove: 1, insert: '4' },
  ];
  expect(applyEdits('abc', edits)).toBe('1234c');
});

test('as if the pieces were laid side by side', () => {
  const part = fc.record({
    kept: fc.string({ unit: 'binary' }),
    removed: fc.string({ unit: 'binary' }),
    insert: fc.string({ unit: 'binary' }),
  });
  fc.assert(
    fc.property(fc.array(part), fc.string(), (parts, rest) => {
      let text = '';
      const edits = parts.map(({ kept, removed, insert }): Edit => {
        const at = text.length + kept.length;
        text += kept + removed;
        return { at, remove: removed.length, insert };
      });
      const wanted = parts.map(({ kept, insert }) => kept + insert).join('');
      expect(applyEdits(text + rest, edits)).toBe(wanted + rest);
    }),
  );
});

test('a call with edits goes out without the length that it had, one without as it came', () => {
  const headers = ['Content-Length', '3', 'x-other', 'y'];
  const of = (body: unknown, edits: readonly Edit[]): unknown =>
    edited({ body, headers, edits } as unknown as Call);
  const edit = { at: 1, remove: 1, insert: 'xy' };
  expect(of('abc', [edit])).toEqual({ body: 'axyc', headers: ['x-other', 'y'] });
  expect(of('abc', [])).toEqual({ body: 'abc', headers });
  expect(of(null, [edit])).toEqual({ body: null, headers });
});
