import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalPurse } from '../../src/budgets/purse.ts';

/** One call: what is reserved for it at most, what it costs in per cent of that, and when it is settled. */
const call = fc.record({
  need: fc.bigInt({ min: 0n, max: 150n }),
  percent: fc.bigInt({ min: 0n, max: 100n }),
  settleFirst: fc.nat({ max: 5 }),
});

test('however calls interleave, no more is spent than the limit and one call', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 300n }),
      fc.array(call, { maxLength: 60 }),
      (limit, calls) => {
        const purse = new LocalPurse(limit);
        const open: Array<{ taken: bigint; cost: bigint }> = [];
        let largest = 0n;
        const settle = (place: number): void => {
          const [gone] = open.splice(place % open.length, 1);
          if (gone === undefined) return;
          purse.settle(0n, gone.cost);
          purse.settle(gone.taken, 0n);
        };
        for (const { need, percent, settleFirst } of calls) {
          for (let i = 0; i < settleFirst && open.length > 0; i++) settle(settleFirst * 7 + i);
          const offer = purse.offer(need);
          if (offer === 'spent') {
            expect(purse.spent).toBeGreaterThanOrEqual(limit);
            continue;
          }
          if (offer === 'wait') {
            expect(purse.reserved).toBeGreaterThan(0n);
            continue;
          }
          const cost = (need * percent) / 100n;
          if (cost > largest) largest = cost;
          purse.take(offer);
          open.push({ taken: offer, cost });
          // Only who is alone has less than it may need.
          if (offer < need) expect(purse.reserved).toBe(limit - purse.spent);
        }
        while (open.length > 0) settle(0);
        expect(purse.reserved).toBe(0n);
        expect(purse.spent).toBeLessThanOrEqual(limit + largest);
      },
    ),
    { numRuns: 300 },
  );
});
