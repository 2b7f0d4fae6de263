import { expect, test } from 'vitest';
import { Answers } from '../../../src/limits/adaptive/answers.ts';
import { Transit } from '../../../src/limits/adaptive/transit.ts';
import { demand } from './demand.ts';

function request(expected: number): Transit {
  const it = new Transit({ begun() {}, progressed() {}, ended() {} }, demand(), 0, 1);
  it.expected = expected;
  return it;
}

/** Answers of 100 tokens a second. */
function answers(): Answers {
  const it = new Answers();
  for (let i = 0; i < 100; i++) it.learn(100);
  return it;
}

test('what is written grows from the head on, and is exact at the end', () => {
  const it = answers();
  const one = request(500);
  it.sent(one);
  expect([it.written(0), it.outstanding(0)]).toEqual([0, 500]);
  one.headAt = 1000;
  it.begun(one);
  expect(it.written(3000)).toBeCloseTo(200, 0);
  expect(it.outstanding(3000)).toBeCloseTo(300, 0);
  expect(it.likely(one, 3000)).toBeCloseTo(200, 0);
  it.ended(one, 230);
  expect([it.written(9000), it.outstanding(9000)]).toEqual([230, 0]);
});

test('an answer under way may always grow', () => {
  const it = answers();
  const one = request(100);
  it.sent(one);
  one.headAt = 0;
  it.begun(one);
  expect(it.outstanding(60_000)).toBe(10);
  it.grown(one, 7000);
  expect(it.outstanding(60_000)).toBeCloseTo(1100, -1);
});

test('what never began takes nothing with it', () => {
  const it = answers();
  const one = request(100);
  it.sent(one);
  it.grown(one, 50);
  expect(it.outstanding(0)).toBe(150);
  it.ended(one, 0);
  expect([it.written(5000), it.outstanding(5000)]).toEqual([0, 0]);
});
