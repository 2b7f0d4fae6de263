import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usd } from '../../src/pricing/usd.ts';
import { picoDollars } from '../../src/util/pico-dollars.ts';

test('is what usd prints', () => {
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
