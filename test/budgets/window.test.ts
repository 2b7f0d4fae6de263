import fc from 'fast-check';
import { expect, test } from 'vitest';
import { windowAt } from '../../src/budgets/window.ts';

const dates = (window: Parameters<typeof windowAt>[0], at: string): string[] => {
  const { startsAt, endsAt } = windowAt(window, Date.parse(at));
  return [startsAt, endsAt].map((time) => new Date(time).toISOString().slice(0, 19));
};

test('days and months are those of UTC', () => {
  expect(dates('day', '2026-03-08T23:59:59.999Z')).toEqual([
    '2026-03-08T00:00:00',
    '2026-03-09T00:00:00',
  ]);
  expect(dates('day', '2026-12-31T12:00:00-12:00')).toEqual([
    '2027-01-01T00:00:00',
    '2027-01-02T00:00:00',
  ]);
  expect(dates('month', '2028-02-29T08:00:00Z')).toEqual([
    '2028-02-01T00:00:00',
    '2028-03-01T00:00:00',
  ]);
  expect(dates('month', '2026-12-31T23:59:59Z')).toEqual([
    '2026-12-01T00:00:00',
    '2027-01-01T00:00:00',
  ]);
  expect(dates({ ms: 3_600_000 }, '2026-06-01T10:59:59.999Z')).toEqual([
    '2026-06-01T10:00:00',
    '2026-06-01T11:00:00',
  ]);
});

test('windows follow each other without a gap, and each time is in its own', () => {
  const window = fc.oneof(
    fc.constantFrom('day' as const, 'month' as const),
    fc.record({ ms: fc.integer({ min: 1, max: 10 ** 10 }) }),
  );
  fc.assert(
    fc.property(window, fc.integer({ min: 0, max: 4 * 10 ** 12 }), (kind, at) => {
      const { startsAt, endsAt } = windowAt(kind, at);
      expect(startsAt).toBeLessThanOrEqual(at);
      expect(endsAt).toBeGreaterThan(at);
      expect(windowAt(kind, endsAt - 1)).toEqual({ startsAt, endsAt });
      expect(windowAt(kind, endsAt).startsAt).toBe(endsAt);
    }),
  );
});
