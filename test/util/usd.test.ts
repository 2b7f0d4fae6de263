import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/util/decimal.ts';
import { picoDollars, usd } from '../../src/util/usd.ts';

describe('usd', () => {
  test.each([
    [0n, '0'],
    [1n, '0.000000000001'],
    [1_250_000n, '0.00000125'],
    [100_000_000_000n, '0.1'],
    [1_000_000_000_000n, '1'],
    [12_340_000_000_000n, '12.34'],
    [9_007_199_254_740_993_000_001n, '9007199254.740993000001'],
    [-75_000n, '-0.000000075'],
  ])('%d pico-dollars are $%s', (pico, text) => {
    expect(usd(pico)).toBe(text);
  });

  test('keeps every digit and writes the shortest form', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (pico) => {
        const text = usd(pico);
        const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d*[1-9]))?$/.exec(text) ?? [];
        const value = BigInt(`${whole}${fraction.padEnd(12, '0')}`);
        expect(sign === '-' ? -value : value).toBe(pico);
      }),
    );
  });
});

describe('picoDollars', () => {
  test('reads what usd prints', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (pico) => {
        expect(picoDollars(usd(pico))).toBe(pico);
      }),
    );
  });

  test.each([
    ['0', 0n],
    ['1', 1_000_000_000_000n],
    ['0.10', 100_000_000_000n],
    ['0.000000000001', 1n],
    ['0.0000000000010', 1n],
    ['-2.5', -2_500_000_000_000n],
    ['0.0000000000001', undefined],
    ['1e3', undefined],
    ['', undefined],
    ['.5', undefined],
    ['Infinity', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('%s is %s', (text, pico) => {
    expect(picoDollars(text)).toBe(pico);
  });
});

test.each([
  [0n, 0, '0'],
  [120n, 0, '120'],
  [-120n, 0, '-120'],
  [1_500n, 3, '1.5'],
  [-5n, 1, '-0.5'],
])('decimal(%d, %d) is %s', (units, places, text) => {
  expect(decimal(units, places)).toBe(text);
});
