import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memorySink } from '../../adapters/sinks/memory.ts';
import {
  cacheReadShare,
  costMatchers,
  costOf,
  sampleRecord,
  type CostMatchers,
} from '../../src/testing/index.ts';
import type { UsageRecord } from '../../src/types.ts';

declare module 'vitest' {
  interface Matchers<
    R extends void | Promise<void> = void | Promise<void>,
    T = unknown,
  > extends CostMatchers<R> {}
}

expect.extend(costMatchers);

function priced(usd: string | null): UsageRecord {
  return sampleRecord({ cost: { usd, price: usd === null ? 'unpriced' : 'exact' } });
}

function used(inputTokens: UsageRecord['usage']['inputTokens']): UsageRecord {
  return sampleRecord({ usage: { inputTokens, outputTokens: { total: 1 }, grade: 'exact' } });
}

/** Refused by the provider, which therefore billed nothing. */
const refused = sampleRecord({
  outcome: 'rate_limited',
  status: 429,
  usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
  cost: { usd: null, price: 'unpriced' },
});

const neverSent: UsageRecord = { ...refused, attempt: 0, outcome: 'rejected', status: undefined };

function messageOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('expected an assertion to fail');
}

describe('costOf', () => {
  test('adds exact decimals: no sum of floats gives this', () => {
    expect(costOf([priced('0.1'), priced('0.2')])).toBe('0.3');
    expect(costOf([priced('0.000000000001'), priced('12345678.9')])).toBe('12345678.900000000001');
    expect(costOf([])).toBe('0');
  });

  test('is the same however a run is split and ordered', () => {
    const pico = fc.array(fc.bigInt({ min: 0n, max: 10n ** 18n }), { maxLength: 12 });
    fc.assert(
      fc.property(pico, fc.nat(), (amounts, cut) => {
        const records = amounts.map((amount) => priced(decimal(amount)));
        const at = cut % (records.length + 1);
        const parts = [costOf(records.slice(at)), costOf(records.slice(0, at))];
        const sum = amounts.reduce((total, amount) => total + amount, 0n);
        expect(costOf(records.toReversed())).toBe(decimal(sum));
        expect(costOf(parts.map((part) => priced(part)))).toBe(decimal(sum));
      }),
    );
  });

  test('is unknown when one billed record is, and knows what nobody bills', () => {
    expect(costOf([priced('0.1'), priced(null)])).toBeNull();
    expect(costOf([priced('0.1'), refused, neverSent])).toBe('0.1');
    // An answer whose usage nobody knows was billed all the same.
    expect(costOf([{ ...refused, status: 200, outcome: 'ok' }])).toBeNull();
  });

  test('takes a sink as it is', async () => {
    const sink = memorySink();
    await sink.write([priced('0.25'), { ...priced('0.5'), final: false }]);
    expect(costOf(sink)).toBe('0.75');
  });
});

describe('cacheReadShare', () => {
  test('is of all input tokens, not of calls', () => {
    const run = [used({ total: 900, cacheRead: 900 }), used({ total: 100, uncached: 100 })];
    expect(cacheReadShare(run)).toBe(0.9);
    expect(cacheReadShare([...run, refused])).toBe(0.9);
  });

  test('is unknown without input, and when a billed input is not known', () => {
    expect(cacheReadShare([])).toBeUndefined();
    expect(cacheReadShare([refused])).toBeUndefined();
    expect(cacheReadShare([used({ total: 10, cacheRead: 10 }), used({})])).toBeUndefined();
  });
});

describe('toCostAtMost', () => {
  test('compares exactly, at the limit too', () => {
    expect([priced('0.1'), priced('0.2')]).toCostAtMost('0.3');
    expect([priced('0.1'), priced('0.2')]).toCostAtMost(0.3);
    expect([priced('0.300000000001')]).not.toCostAtMost('0.3');
  });

  test('says what each call cost', () => {
    const records = [
      priced('0.2'),
      { ...used({ total: 30, uncached: 5, cacheRead: 10, cacheWrite: 8, cacheWrite1h: 7 }) },
      refused,
    ];
    expect(messageOf(() => expect(records).toCostAtMost('0.2'))).toBe(
      [
        'expected the run to cost at most $0.2, but it cost $0.200135',
        '',
        'call  model                   read  written  plain  output       cost',
        '   1  gpt-4o-mini-2024-07-18  1000        -    200      50       $0.2',
        '   2  gpt-4o-mini-2024-07-18    10       15      5       1  $0.000135',
        '   3  gpt-4o-mini-2024-07-18     -        -      -       -          -',
      ].join('\n'),
    );
  });

  test('shows twenty calls at most', () => {
    const records = Array.from({ length: 23 }, () => priced('1'));
    const lines = messageOf(() => expect(records).toCostAtMost('22')).split('\n');
    expect(lines).toHaveLength(2 + 1 + 20 + 1);
    expect(lines.at(-1)).toBe('… and 3 more');
  });

  test.each([true, false])('fails on what is not known, with .not (%s) too', (isNot) => {
    const check = (run: unknown): string =>
      messageOf(() => (isNot ? expect(run).not : expect(run)).toCostAtMost('1'));
    expect(check([priced('0.1'), priced(null)])).toContain(
      'no cost is known of 1 of 2 records (gpt-4o-mini-2024-07-18): give their prices with the option `prices`',
    );
    expect(check([])).toContain('router.flush()');
    for (const wrong of [undefined, null, 'text', {}, [1], { records: 'none' }]) {
      expect(check(wrong)).toContain('expected a run');
    }
  });

  test.each(['', '1,20', '-1', '1e-3', '$1', '0.0000000000001', Number.NaN])(
    'refuses %s as an amount',
    (limit) => {
      expect(() => expect([priced('1')]).toCostAtMost(limit)).toThrow(TypeError);
    },
  );
});

describe('toReadFromCache', () => {
  const run = [used({ total: 1000, cacheRead: 799, uncached: 201 })];

  test('compares the share', () => {
    expect(run).toReadFromCache(0.799);
    expect(run).toReadFromCache(0);
    expect(run).not.toReadFromCache(0.8);
    expect(messageOf(() => expect(run).toReadFromCache(0.8))).toMatch(
      /^expected the run to read at least 80.00 % of its input tokens from the prompt cache, but it read 79.90 %\n\ncall /,
    );
    expect(messageOf(() => expect(run).not.toReadFromCache(0.5))).toContain('less than 50.00 %');
  });

  test('fails on what is not known, and refuses what is no share', () => {
    expect(messageOf(() => expect([used({})]).not.toReadFromCache(0.5))).toContain('not tell');
    expect(messageOf(() => expect([]).toReadFromCache(0.5))).toContain('router.flush()');
    for (const share of [-0.1, 1.1, 80, Number.NaN]) {
      expect(() => expect(run).toReadFromCache(share)).toThrow(TypeError);
    }
  });
});

function decimal(pico: bigint): string {
  const digits = pico.toString().padStart(13, '0');
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '');
}
