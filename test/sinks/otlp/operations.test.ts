import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CallBook, totalsOf } from '../../../adapters/sinks/otlp/operations.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { picoDollars } from '../../../src/util/usd.ts';

/** Calls with their attempts, in any order, cut into batches anywhere. */
const traffic = fc
  .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 })
  .chain((attempts) => {
    const records = attempts.flatMap((earlier) => {
      const final = sampleRecord({ attempt: earlier + 1 });
      return [
        final,
        ...Array.from({ length: earlier }, (_, i) =>
          sampleRecord({ final: false, attempt: i + 1, callId: final.callId }),
        ),
      ];
    });
    return fc.tuple(
      fc.shuffledSubarray(records, { minLength: records.length }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: records.length }),
    );
  })
  .map(([records, sizes]) => {
    const batches: UsageRecord[][] = [];
    for (let at = 0, i = 0; at < records.length; at += sizes[i]!, i++) {
      batches.push(records.slice(at, at + sizes[i]!));
    }
    return { records, batches };
  });

const ids = (records: readonly UsageRecord[]) => records.map(({ id }) => id).sort();

describe('CallBook', () => {
  test('gives every record once, each attempt with its own call, however batches are cut', () => {
    fc.assert(
      fc.property(traffic, fc.infiniteStream(fc.boolean()), ({ records, batches }, fails) => {
        const book = new CallBook<string>();
        const given: UsageRecord[] = [];
        for (const batch of batches) {
          // What could not be delivered comes again, and must give the same.
          let grouped = book.group(batch);
          while (fails.next().value === true) {
            const again = book.group(batch);
            expect(again).toEqual(grouped);
            grouped = again;
          }
          for (const { final, earlier } of grouped.operations) {
            given.push(final, ...earlier);
            for (const { callId } of earlier) expect(callId).toBe(final.callId);
            const numbers = earlier.map(({ attempt }) => attempt);
            expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
          }
          for (const { record, of } of grouped.late) {
            given.push(record);
            expect(of).toBe(record.callId);
          }
          book.keep(
            grouped,
            grouped.operations.map(({ final }) => final.callId),
          );
        }
        expect(ids(given)).toEqual(ids(records));
      }),
      { numRuns: 50 },
    );
  });

  test('is bounded, and forgets the oldest first', () => {
    const book = new CallBook<string>();
    const waiting = Array.from({ length: 1_500 }, (_, i) =>
      sampleRecord({ final: false, callId: `w${i}` }),
    );
    for (const record of waiting) book.keep(book.group([record]), []);
    const finals = waiting.map(({ callId }) => sampleRecord({ callId }));
    const grouped = book.group(finals);
    const known = grouped.operations.filter(({ earlier }) => earlier.length > 0);
    expect(known.map(({ final }) => final.callId)).toEqual(
      waiting.slice(500).map(({ callId }) => callId),
    );
    for (let i = 0; i < 3_000; i++) {
      book.keep(book.group([sampleRecord({ callId: `g${i}` })]), ['span']);
    }
    const late = book
      .group(
        Array.from({ length: 3_000 }, (_, i) => sampleRecord({ final: false, callId: `g${i}` })),
      )
      .late.map(({ record }) => record.callId);
    expect(late).toEqual(Array.from(late, (_, i) => `g${3_000 - late.length + i}`));
    expect(late.length).toBeGreaterThanOrEqual(1_000);
    expect(late.length).toBeLessThanOrEqual(2_000);
  });

  test('keeps no text of what waits', () => {
    const book = new CallBook<string>();
    const attempt = sampleRecord({ final: false, callId: 'c', captured: { request: 'SECRET' } });
    book.keep(book.group([attempt]), []);
    expect(JSON.stringify(book.group([sampleRecord({ callId: 'c' })]))).not.toContain('SECRET');
  });
});

describe('totalsOf', () => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 18n }).map((pico) => {
    const digits = pico.toString().padStart(13, '0');
    return `${digits.slice(0, -12)}.${digits.slice(-12)}`;
  });

  test('adds money to the last pico-dollar', () => {
    fc.assert(
      fc.property(fc.array(amount, { minLength: 2, maxLength: 6 }), (amounts) => {
        const [final, ...earlier] = amounts.map((usd) =>
          sampleRecord({ cost: { usd, price: 'exact' } }),
        );
        const { record } = totalsOf({ final: final!, earlier });
        const expected = amounts.reduce((sum, usd) => sum + picoDollars(usd)!, 0n);
        expect(picoDollars(record.cost.usd)).toBe(expected);
        expect(record.cost.usd).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
      }),
    );
  });

  test('keeps unknown apart from 0', () => {
    const none = sampleRecord({
      usage: { inputTokens: {}, outputTokens: { total: 0 }, grade: 'none' },
      cost: { usd: null, price: 'unpriced' },
      saved: {},
    });
    expect(totalsOf({ final: none, earlier: [none] })).toMatchObject({
      unpriced: 2,
      record: {
        usage: { inputTokens: { total: undefined }, outputTokens: { total: 0 }, grade: 'none' },
        cost: { usd: null, price: 'unpriced' },
        saved: { cacheUsd: undefined },
      },
    });
    expect(totalsOf({ final: sampleRecord(), earlier: [none] })).toMatchObject({
      unpriced: 1,
      record: {
        usage: { inputTokens: { total: 1200 }, grade: 'partial' },
        cost: { usd: '0.000135', price: 'approximate' },
      },
    });
  });

  test.each([
    ['-0.5', '0.25', '-0.25'],
    ['-0.5', '0.5', '0'],
    ['100', '20', '120'],
  ])('adds savings of %s and %s to %s', (one, other, expected) => {
    const { record } = totalsOf({
      final: sampleRecord({ saved: { cacheUsd: one } }),
      earlier: [sampleRecord({ saved: { cacheUsd: other } })],
    });
    expect(record.saved.cacheUsd).toBe(expected);
  });

  test('of one record are that record', () => {
    const record = sampleRecord();
    expect(totalsOf({ final: record, earlier: [] })).toEqual({ record, unpriced: 0 });
  });
});
