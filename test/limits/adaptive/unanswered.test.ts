import { expect, test } from 'vitest';
import type { Sent } from '../../../src/limits/adaptive/types.ts';
import { Unanswered } from '../../../src/limits/adaptive/unanswered.ts';
import { demand } from './demand.ts';

const request = (sentAt: number): Sent => ({
  demand: demand(),
  sentAt,
  inFlight: 1,
  headAt: undefined,
  fate: 'open',
});

test('a few at once before the first head, then one more with each second', () => {
  const it = new Unanswered();
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    waits.push(it.coldWaitMs(0));
    it.add(request(0));
  }
  expect(waits).toEqual([0, 0, 0, 0, 1000, 2000]);
  expect(it.coldWaitMs(2999)).toBe(1);
  const first = request(1);
  it.add(first);
  it.answered(first, 500);
  expect(it.coldWaitMs(500)).toBe(0);
});

test('the first answers say most of how long answers take to begin', () => {
  const it = new Unanswered();
  for (let i = 0; i < 3; i++) {
    const sent = request(i * 100_000);
    it.add(sent);
    it.answered(sent, sent.sentAt + 20_000);
  }
  expect(it.meanMs).toBeGreaterThan(15_000);
  expect(it.patienceMs).toBeGreaterThan(60_000);
});

test('some are given up after a while', () => {
  const it = new Unanswered();
  const heard = request(0);
  it.add(heard);
  it.answered(heard, 1000);
  for (const sentAt of [2000, 2500, 6000]) it.add(request(sentAt));
  expect(it.tryMs).toBe(3000);
  expect(it.overdue(4000)).toEqual({ count: 0, nextMs: 1000 });
  expect(it.overdue(5600)).toEqual({ count: 2, nextMs: 3400 });
  expect(it.overdue(9000)).toEqual({ count: 3, nextMs: Infinity });
});
