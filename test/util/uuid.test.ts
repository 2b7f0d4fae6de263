import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemRandom } from '../../src/util/random.ts';
import { uuidv7 } from '../../src/util/uuid.ts';

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('has the form of RFC 9562 and begins with its time, for every time and all random numbers', () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(
      fc.nat(2 ** 48 - 1),
      fc.array(unit, { minLength: 4, maxLength: 4 }),
      (ms, draws) => {
        const rest = [...draws];
        const id = uuidv7(ms, () => rest.shift() ?? 0);
        expect(id).toMatch(VERSION_7);
        expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(ms);
      },
    ),
  );
});

test('the first example of the RFC', () => {
  // 017F22E2-79B0-7CC3-98C4-DC0C0C07398F: its random bits, given back in the order they are drawn.
  const draws = [0xcc3 / 0x1000, 0x18c4 / 0x4000, 0xdc0c0c / 0x1000000, 0x07398f / 0x1000000];
  expect(uuidv7(0x017f22e279b0, () => draws.shift() ?? 0)).toBe(
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  );
});

test('the system’s randomness gives no id twice', () => {
  const ids = new Set(Array.from({ length: 20_000 }, () => uuidv7(1, systemRandom)));
  expect(ids.size).toBe(20_000);
});
