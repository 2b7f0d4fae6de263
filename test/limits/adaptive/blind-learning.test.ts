import { expect, test } from 'vitest';
import { createAdaptiveLimiter } from '../../../src/limits/adaptive/adaptive-limiter.ts';
import type { Limiter, RequestEnd } from '../../../src/limits/types.ts';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';
import type { HeaderLookup } from '../../../src/types.ts';
import { demand } from './demand.ts';

const done: RequestEnd = {
  verdict: { kind: 'ok', isRetryable: false },
  header: undefined,
  inputTokens: 100,
  cacheReadTokens: 0,
  outputTokens: 50,
};
const told: HeaderLookup = (name) =>
  ({ 'x-ratelimit-limit-requests': '600', 'x-ratelimit-remaining-requests': '599' })[name];
const silent: HeaderLookup = () => undefined;

function limiter(): Limiter {
  return createAdaptiveLimiter({
    clock: { wallNow: () => 0 },
    random: createSeededRandom(3),
    waiting: () => 50,
    rateLimiting: undefined,
  });
}

/** Sends as fast as it may, within a minute; 30 a minute are admitted. Returns how many were refused in the last. */
function saturate(it: Limiter, minutes: number, header: HeaderLookup): number {
  const admitted: number[] = [];
  let refused = 0;
  for (let now = 1_000_000; now < 1_000_000 + minutes * 60_000;) {
    const wait = it.waitMs(demand(), now);
    if (wait > 0) {
      now += Math.min(wait, 1000);
      continue;
    }
    const permit = it.admit(demand(), now);
    const isRefused = admitted.filter((at) => at > now - 60_000).length >= 30;
    now += 50;
    if (isRefused) {
      permit.end({ ...done, verdict: { kind: 'rate', isRetryable: true }, header }, now);
      if (now > 1_000_000 + (minutes - 1) * 60_000) refused++;
      continue;
    }
    admitted.push(now);
    permit.begin(header, now);
    permit.end(done, now + 1);
  }
  return refused;
}

test('asks nobody else while headers tell', () => {
  const it = limiter();
  it.admit(demand(), 0).begin(told, 100);
  expect(it.snapshot(100)).toMatchObject({ requestsPerMinute: 600, maxInFlight: undefined });
});

test('a limit that headers hide is found all the same', () => {
  expect(saturate(limiter(), 6, told)).toBeLessThan(4);
});

test('a provider that stops telling is learnt about from what it admitted', () => {
  const it = limiter();
  for (let now = 0; now < 30_000; now += 500) {
    const permit = it.admit(demand(), now);
    permit.begin(told, now + 50);
    permit.end(done, now + 100);
  }
  expect(it.snapshot(30_000).requestsPerMinute).toBe(600);
  for (let now = 30_000; now < 130_000; now += 500) {
    const permit = it.admit(demand(), now);
    permit.begin(silent, now + 50);
    permit.end(done, now + 100);
  }
  expect(it.snapshot(130_000).meters).toEqual([]);
  expect(saturate(it, 6, silent)).toBeLessThan(4);
});
