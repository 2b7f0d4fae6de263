import { expect, test } from 'vitest';
import { RefusedShare } from '../../../src/limits/rules/refused-share.ts';

test('the share of the window, and none without answers', () => {
  const share = new RefusedShare(60_000);
  expect(share.at(0)).toBe(0);
  share.record(true, 0);
  expect(share.at(0)).toBe(1);
  for (let i = 0; i < 3; i++) share.record(false, 30_000);
  expect(share.at(30_000)).toBe(0.25);
  expect(share.at(60_000)).toBe(0);
  share.record(true, 60_000);
  expect(share.at(60_000)).toBe(0.25);
});
