import { describe, expect, test } from 'vitest';
import { Trust } from '../../../src/limits/rules/trust.ts';

/** How many may rely on it at once. */
function roomOf(trust: Trust, isTight = false): number {
  let count = 0;
  while (count < 1000 && (isTight ? trust.hasRoomIfTight : trust.hasRoom)) {
    trust.start();
    count++;
  }
  for (let i = 0; i < count; i++) trust.end();
  return count;
}

function afterSeeing(count: number): Trust {
  const trust = new Trust();
  for (let i = 0; i < count; i++) trust.saw();
  return trust;
}

describe('as many as a part of what was seen may rely on it', () => {
  test.each([
    [0, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [63, 17],
    [64, 1000],
  ])('after %i: %i', (seen, room) => {
    expect(roomOf(afterSeeing(seen))).toBe(room);
  });

  test.each([
    [0, 1],
    [63, 1],
    [64, 2],
    [192, 4],
    [10_000, 4],
  ])('where a few make up the limit, after %i: %i', (seen, room) => {
    expect(roomOf(afterSeeing(seen), true)).toBe(room);
  });
});

test('room comes back when one ends', () => {
  const trust = new Trust();
  trust.start();
  expect(trust.hasRoom).toBe(false);
  trust.end();
  expect(trust.hasRoom).toBe(true);
});
