import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrefixTree } from '../../../../src/testing/simulate/cache/prefix-tree.ts';

describe('createPrefixTree', () => {
  it('comes to the same node exactly for the same prefix', () => {
    const sequences = fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }));
    fc.assert(
      fc.property(sequences, (list) => {
        const tree = createPrefixTree<string>(1000);
        const prefixes = new Set<string>();
        for (const keys of list) {
          for (const [index, node] of tree.walk(keys).entries()) {
            const prefix = keys.slice(0, index + 1).join();
            expect(node.entry).toBe(prefixes.has(prefix) ? prefix : undefined);
            node.entry = prefix;
            prefixes.add(prefix);
          }
        }
        expect(tree.size).toBe(prefixes.size);
      }),
    );
  });

  it('forgets what was seen longest ago, and keeps what was seen last', () => {
    const tree = createPrefixTree<number>(10);
    for (let walk = 0; walk < 100; walk += 1) {
      for (const node of tree.walk(['common', `own ${walk}`, 'end'])) node.entry ??= walk;
      expect(tree.size).toBeLessThanOrEqual(10);
    }
    expect(tree.walk(['common', 'own 99', 'end']).map(({ entry }) => entry)).toEqual([0, 99, 99]);
    expect(tree.walk(['common', 'own 50', 'end']).map(({ entry }) => entry)).toEqual([
      0,
      undefined,
      undefined,
    ]);
  });

  it('takes a walk that is longer than all it may keep', () => {
    const tree = createPrefixTree<number>(3);
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (const [index, node] of tree.walk(keys).entries()) node.entry = index;
    expect(tree.walk(keys).map(({ entry }) => entry)).toEqual([0, 1, 2, 3, 4]);
  });
});
