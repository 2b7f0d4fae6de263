import { expect, test } from 'vitest';
import { AdmissionLog } from '../../../src/limits/adaptive/admission-log.ts';
import { Cruise } from '../../../src/limits/adaptive/cruise.ts';
import { Pace } from '../../../src/limits/adaptive/pace.ts';
import { Pacer } from '../../../src/limits/adaptive/pacer.ts';
import { Search } from '../../../src/limits/adaptive/search.ts';
import { surroundings } from './surroundings.ts';

const LONG_AGO = { lastSentAt: -1e6, lastRefusedAt: -1e6 };
const sixty = new Cruise(60);

function parts(): { log: AdmissionLog; pace: Pace; pacer: Pacer } {
  const log = new AdmissionLog();
  const pace = new Pace();
  pace.restart(0);
  return { log, pace, pacer: new Pacer(log, pace) };
}

test('waits for the pace', () => {
  expect(parts().pacer.waitMs(sixty, 'normal', LONG_AGO, 0)).toBeCloseTo(1000 / 0.988);
});

test('lets the hurried go first, but not while it searches', () => {
  const { log, pacer } = parts();
  const search = new Search({ log, surroundings: surroundings(), limit: 60, trustedUntil: 0 }, 0);
  expect(pacer.waitMs(sixty, 'urgent', LONG_AGO, 0)).toBe(0);
  expect(pacer.waitMs(sixty, 'high', LONG_AGO, 0)).toBe(0);
  expect(pacer.waitMs(search, 'urgent', LONG_AGO, 0)).toBe(1000);
});

test('spaces the requests of a burst, and far more so after a refusal', () => {
  const { pacer } = parts();
  const now = 60_000;
  const wait = (lastRefusedAt: number): number =>
    pacer.waitMs(sixty, 'normal', { lastSentAt: now, lastRefusedAt }, now);
  expect(wait(-1e6)).toBe(15);
  expect(wait(50_000)).toBeCloseTo(500 / 0.988);
});

test('never has more in a minute than the limit', () => {
  const { log, pacer } = parts();
  for (let i = 1; i <= 60; i++) log.add(1_000_000 + i);
  // The oldest must be a minute old, and a little more for transit.
  expect(pacer.waitMs(sixty, 'normal', LONG_AGO, 1_010_000)).toBe(50_122);
  expect(pacer.waitMs(sixty, 'normal', LONG_AGO, 1_060_122)).toBe(0);
});
