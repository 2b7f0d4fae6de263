import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap, NO_PLACE } from '../../src/util/heap.ts';

interface Item {
  key: number;
  readonly id: number;
  place: number;
}

function createHeap(): { heap: Heap<Item>; comparisons: () => number } {
  let comparisons = 0;
  const heap = new Heap<Item>({
    isBefore: (a, b) => {
      comparisons++;
      return a.key < b.key || (a.key === b.key && a.id < b.id);
    },
    placeOf: ({ place }) => place,
    setPlace: (item, place) => {
      item.place = place;
    },
  });
  return { heap, comparisons: () => comparisons };
}

test('gives what a sorted list gives, whatever is pushed, popped, removed and changed', () => {
  const key = fc.integer({ min: 0, max: 12 });
  const which = fc.nat(100);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), key }),
    fc.record({ kind: fc.constant('pop' as const) }),
    fc.record({ kind: fc.constant('remove' as const), which }),
    fc.record({ kind: fc.constant('update' as const), which, key }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { heap } = createHeap();
      const listed: Item[] = [];
      const gone: Item[] = [];
      const first = (): Item | undefined =>
        listed.toSorted((a, b) => a.key - b.key || a.id - b.id)[0];
      const unlist = (item: Item): void => {
        listed.splice(listed.indexOf(item), 1);
        gone.push(item);
      };
      for (const [id, step] of steps.entries()) {
        if (step.kind === 'push') {
          const item: Item = { key: step.key, id, place: NO_PLACE };
          heap.push(item);
          listed.push(item);
        } else if (step.kind === 'pop') {
          const item = first();
          expect(heap.pop()).toBe(item);
          if (item !== undefined) unlist(item);
        } else if (listed.length > 0) {
          const item = listed[step.which % listed.length]!;
          if (step.kind === 'update') {
            item.key = step.key;
            heap.update(item);
          } else {
            expect(heap.remove(item)).toBe(true);
            unlist(item);
          }
        }
        expect([heap.peek(), heap.size]).toEqual([first(), listed.length]);
        for (const item of gone) expect([item.place, heap.remove(item)]).toEqual([NO_PLACE, false]);
      }
      while (listed.length > 0) {
        const item = first()!;
        expect(heap.pop()).toBe(item);
        unlist(item);
      }
      expect(heap.pop()).toBeUndefined();
    }),
    { numRuns: 150 },
  );
});

test('leaves an item of another heap where it is', () => {
  const { heap } = createHeap();
  const other = createHeap().heap;
  const items = [1, 2, 3, 4].map((key) => ({ key, id: key, place: NO_PLACE }));
  for (const [i, item] of items.entries()) (i < 2 ? heap : other).push(item);
  for (const item of items.slice(2)) expect(heap.remove(item)).toBe(false);
  expect([heap.size, other.size, heap.pop(), other.pop()]).toEqual([2, 2, items[0], items[2]]);
});

test('compares at most twice for each level', () => {
  const { heap, comparisons } = createHeap();
  const items = Array.from({ length: 65_536 }, (_, id) => ({
    key: (id * 7919) % 65_536,
    id,
    place: NO_PLACE,
  }));
  const levels = 16;
  let worst = 0;
  const counted = (work: () => void): void => {
    const before = comparisons();
    work();
    worst = Math.max(worst, comparisons() - before);
  };
  for (const item of items) counted(() => heap.push(item));
  expect(worst).toBeLessThanOrEqual(levels);
  for (const item of items.slice(0, 20_000)) {
    item.key = (item.key * 31) % 65_536;
    counted(() => heap.update(item));
  }
  for (const item of items.slice(10_000, 30_000)) counted(() => heap.remove(item));
  while (heap.size > 0) counted(() => heap.pop());
  expect(worst).toBeLessThanOrEqual(2 * levels + 1);
});
