import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { systemFirst } from '../../../src/prompt-cache/arrange/system-first.ts';

const roles = fc.array(
  fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool', 'model', ''),
  { maxLength: 12 },
);

test.each([
  [['system', 'user'], undefined],
  [
    ['user', 'system'],
    [1, 0],
  ],
  [
    ['user', 'developer', 'user', 'system'],
    [1, 3, 0, 2],
  ],
  [
    ['system', 'user', 'system', 'assistant', 'user', 'system'],
    [0, 2, 1, 3, 4, 5],
  ],
  [['user', '', 'system'], undefined],
  [['assistant', 'system'], undefined],
  [[], undefined],
])('%j', (given, order) => {
  expect(systemFirst(given)).toEqual(order);
});

test('only leading system messages move, ahead of user messages alone', () => {
  fc.assert(
    fc.property(roles, (given) => {
      const order = systemFirst(given) ?? [...given.keys()];
      const end = given.findIndex((role) => !['system', 'developer', 'user'].includes(role));
      const lead = end < 0 ? given.length : end;
      expect([...order].sort((a, b) => a - b)).toEqual([...given.keys()]);
      expect(order.slice(lead)).toEqual([...given.keys()].slice(lead));
      const isUser = (index: number): boolean => given[index] === 'user';
      for (const kind of [isUser, (index: number) => !isUser(index)]) {
        const kept = order.filter(kind);
        expect(kept).toEqual([...kept].sort((a, b) => a - b));
      }
      const moved = order.slice(0, lead).map(isUser);
      expect(moved).toEqual([...moved].sort((a, b) => Number(a) - Number(b)));
      expect(systemFirst(order.map((index) => given[index] ?? ''))).toBeUndefined();
    }),
  );
});
