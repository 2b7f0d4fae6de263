import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MarkFinder } from '../../src/answer/mark-finder.ts';

/** Few, so that many places nearly hold a mark. */
const UNITS = ['a', 'b', 'é'];
const piece = fc.string({ unit: fc.constantFrom(...UNITS), maxLength: 60 });
const mark = fc.string({ unit: fc.constantFrom(...UNITS), minLength: 1, maxLength: 10 });

/** Every start of every mark, by plain search. */
function starts(text: string, marks: readonly string[]): number[] {
  const found = new Set<number>();
  for (const one of marks) {
    const bytes = Buffer.from(one).toString('latin1');
    for (let at = text.indexOf(bytes); at >= 0; at = text.indexOf(bytes, at + 1)) found.add(at);
  }
  return [...found].sort((a, b) => a - b);
}

function found(finder: MarkFinder, text: string): number[] {
  const all: number[] = [];
  finder.search(text);
  for (let at = finder.next(0); at >= 0; at = finder.next(at + 1)) all.push(at);
  return all;
}

describe('MarkFinder', () => {
  it('finds what a plain search finds, in short texts and in long ones', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 3, maxLength: 12 }),
        fc.array(mark, { maxLength: 5 }),
        fc.constantFrom(1, 200),
        (pieces, marks, times) => {
          const middle = 'x'.repeat(times === 1 ? 0 : 5000);
          const text = Buffer.from(pieces.join('').repeat(times) + middle + pieces.join(''));
          const latin1 = text.toString('latin1');
          const finder = new MarkFinder(marks);
          expect(found(finder, latin1)).toEqual(starts(latin1, marks));
          // The needles stay as they were chosen, whatever comes next.
          const next = latin1.slice(-200);
          expect(found(finder, next)).toEqual(starts(next, marks));
        },
      ),
      { numRuns: 300 },
    );
  });
});
