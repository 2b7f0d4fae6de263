import { expect, test } from 'vitest';
import { RetryGate } from '../../../src/limits/strategies/retry-gate.ts';

test('closed until the latest time that was said, an hour at most', () => {
  const gate = new RetryGate();
  expect(gate.waitMs(0)).toBe(0);
  gate.close(500, 0);
  gate.close(200, 100);
  expect(gate.waitMs(100)).toBe(400);
  expect(gate.waitMs(500)).toBe(0);
  gate.close(1e12, 1000);
  expect(gate.waitMs(1000)).toBe(3_600_000);
});

test.each([undefined, 0, -5, Number.NaN])('%s says nothing', (retryAfterMs) => {
  const gate = new RetryGate();
  gate.close(retryAfterMs, 0);
  expect(gate.waitMs(0)).toBe(0);
});
