import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/prompt-cache/diagnosis/diagnose.ts';
import { createMissLedger } from '../../../src/prompt-cache/diagnosis/miss-ledger.ts';

const miss = (
  reason: Diagnosis['reason'],
  lostTokens: number,
  kind?: 'timestamp' | 'uuid',
): Diagnosis => ({
  reason,
  position: 0,
  lostTokens,
  ...(kind === undefined ? {} : { difference: { byte: 5, class: kind } }),
});

describe('createMissLedger', () => {
  test('adds up by reason, class and family, the dearest first', () => {
    const ledger = createMissLedger();
    ledger.add(miss('expired', 9000), 'a', 2_000_000n);
    ledger.add(miss('system-changed', 100, 'timestamp'), 'a', 3_000_000_000_000n);
    ledger.add(miss('system-changed', 200, 'timestamp'), 'a', 1_000_000n);
    ledger.add(miss('system-changed', 300, 'uuid'), 'a', undefined);
    ledger.add(miss('system-changed', 400, 'timestamp'), 'b', undefined);
    expect(ledger.snapshot()).toEqual({
      count: 5,
      lostTokens: 10_000,
      lostUsd: '3.000003',
      unpriced: 2,
      worst: [
        {
          reason: 'system-changed',
          class: 'timestamp',
          family: 'a',
          count: 2,
          lostTokens: 300,
          lostUsd: '3.000001',
          unpriced: 0,
        },
        {
          reason: 'expired',
          family: 'a',
          count: 1,
          lostTokens: 9000,
          lostUsd: '0.000002',
          unpriced: 0,
        },
        {
          reason: 'system-changed',
          class: 'timestamp',
          family: 'b',
          count: 1,
          lostTokens: 400,
          lostUsd: null,
          unpriced: 1,
        },
        {
          reason: 'system-changed',
          class: 'uuid',
          family: 'a',
          count: 1,
          lostTokens: 300,
          lostUsd: null,
          unpriced: 1,
        },
      ],
    });
  });

  test('is empty at first', () => {
    const empty = { count: 0, lostTokens: 0, lostUsd: '0', unpriced: 0, worst: [] };
    expect(createMissLedger().snapshot()).toEqual(empty);
  });

  test('keeps the worst and the totals whatever comes', () => {
    const added = fc.record({ family: fc.nat(60), tokens: fc.nat(9999), lost: fc.nat(1000) });
    fc.assert(
      fc.property(
        fc.array(added, { maxLength: 300 }),
        fc.integer({ min: 2, max: 30 }),
        (list, maxEntries) => {
          const ledger = createMissLedger({ maxEntries });
          ledger.add(miss('evicted', 1), 'worst', 10n ** 15n);
          for (const { family, tokens, lost } of list) {
            ledger.add(miss('expired', tokens), String(family), BigInt(lost));
          }
          const { worst, ...total } = ledger.snapshot();
          expect(worst.length).toBeLessThanOrEqual(Math.min(20, maxEntries));
          expect(worst[0]?.family).toBe('worst');
          expect(total.count).toBe(list.length + 1);
          expect(total.lostTokens).toBe(list.reduce((sum, { tokens }) => sum + tokens, 1));
          const amounts = worst.map(({ lostUsd }) => Number(lostUsd));
          expect(amounts).toEqual(amounts.toSorted((a, b) => b - a));
        },
      ),
    );
  });
});
