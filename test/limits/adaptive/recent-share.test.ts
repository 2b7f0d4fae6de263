import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentShare } from '../../../src/limits/adaptive/recent-share.ts';

test('counts the last while, and forgets', () => {
  const share = new RecentShare(12_000);
  for (let i = 0; i < 10; i++) share.add(i < 3, i * 1000);
  expect([share.total(9000), share.hits(9000)]).toEqual([10, 3]);
  expect([share.total(13_000), share.hits(13_000)]).toEqual([8, 1]);
  expect(share.total(60_000)).toBe(0);
});

test('never more than a step off, also after long pauses', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.boolean())), (events) => {
      const share = new RecentShare(12_000);
      const seen: Array<readonly [at: number, isHit: boolean]> = [];
      let now = 0;
      for (const [pause, isHit] of events) {
        now += pause;
        share.add(isHit, now);
        seen.push([now, isHit]);
        const within = (ms: number): number => seen.filter(([at]) => at > now - ms).length;
        expect(share.total(now)).toBeGreaterThanOrEqual(within(11_000));
        expect(share.total(now)).toBeLessThanOrEqual(within(12_000));
        expect(share.hits(now)).toBeLessThanOrEqual(share.total(now));
      }
    }),
  );
});
