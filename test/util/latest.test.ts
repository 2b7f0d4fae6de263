import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Latest, LatestIds } from '../../src/util/latest.ts';

const keys = fc.array(fc.nat({ max: 40 }).map(String), { maxLength: 200 });

test('of any entries at least the latest are known, each with its last value', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), keys, (size, all) => {
      const latest = new Latest<number>(size);
      for (const [at, key] of all.entries()) latest.set(key, at);
      const recent = [...new Set(all.toReversed())].slice(0, size);
      for (const key of recent) {
        expect(latest.has(key)).toBe(true);
        expect(latest.get(key)).toBe(all.lastIndexOf(key));
      }
      const known = [...new Set(all)].filter((key) => latest.has(key));
      expect(known.length).toBeLessThanOrEqual(2 * size);
    }),
  );
});

test('an id is new once while it is among the latest that were', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), keys, (size, all) => {
      const ids = new LatestIds(size);
      const added: string[] = [];
      for (const id of all) {
        const isNew = ids.add(id);
        if (added.slice(-size).includes(id)) expect(isNew).toBe(false);
        if (!added.includes(id)) expect(isNew).toBe(true);
        if (isNew) added.push(id);
        expect(ids.has(id)).toBe(true);
      }
    }),
  );
});

test('with room for all, nothing is forgotten', () => {
  const ids = new LatestIds(Infinity);
  expect(['a', 'b', 'a', 'c', 'b'].map((id) => ids.add(id))).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
});
