import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { usd } from '../../src/pricing/usd.ts';

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
