import { expect, test } from 'vitest';
import { Retreat } from '../../../src/limits/adaptive/retreat.ts';
import { demand } from './demand.ts';
import { request, surroundings } from './surroundings.ts';

const ordinary = demand();

test('pauses as long as it is told and a little more', () => {
  const pause = (random: number): number =>
    new Retreat(surroundings({ random: () => random }), request(0), 1000, 50).waitMs(ordinary, 50);
  expect(pause(0)).toBe(1000);
  expect(pause(0.5)).toBe(1100);
});

test('lets one test out at a time', () => {
  const around = surroundings({ unanswered: 1 });
  const retreat = new Retreat(around, request(0), 1000, 50);
  const opensAt = 50 + retreat.waitMs(ordinary, 50);
  expect(retreat.waitMs(ordinary, opensAt)).toBe(0);
  const first = request(opensAt);
  retreat.sent(first);
  expect(retreat.waitMs(ordinary, opensAt + 1)).toBeGreaterThan(10_000);
  first.fate = 'failed';
  expect(retreat.waitMs(ordinary, opensAt + 1)).toBe(0);
});

test('does not wait for ever for its test', () => {
  const around = surroundings({ unanswered: 1 });
  const retreat = new Retreat(around, request(0), 1000, 0);
  retreat.sent(request(2000));
  expect(retreat.waitMs(ordinary, 2000)).toBe(15_000);
  expect(retreat.waitMs(ordinary, 17_000)).toBe(0);
  around.unanswered = 0;
  expect(retreat.waitMs(ordinary, 2001)).toBe(0);
});

test('keeps a call that can send no more requests back for longer', () => {
  const retreat = new Retreat(surroundings(), request(0), 1000, 0);
  const last = demand({ attemptsLeft: 0 });
  expect(retreat.waitMs(last, 0)).toBe(retreat.waitMs(ordinary, 0) + 1000);
});

test('pauses longer with each refusal, up to a bound', () => {
  const retreat = new Retreat(surroundings({ random: () => 0 }), request(0), 1000, 0);
  let now = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 60; i++) {
    now += retreat.waitMs(ordinary, now);
    retreat.again(request(now), undefined, now);
    pauses.push(Math.round(retreat.waitMs(ordinary, now)));
  }
  expect(pauses.slice(0, 4)).toEqual([2200, 4840, 10_648, 20_000]);
  expect(Math.max(...pauses)).toBe(120_000);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
});

test('takes over what a refused test says, and remembers when it was sent', () => {
  const retreat = new Retreat(surroundings({ random: () => 0 }), request(10), 300, 20);
  retreat.again(request(400), 9000, 500);
  expect(retreat.waitMs(ordinary, 500)).toBe(9000);
  expect([retreat.refusedAt, retreat.lastRefusedAt]).toEqual([10, 400]);
});
