import { expect, test } from 'vitest';
import { createStrategy } from '../../../src/limits/strategies/create-strategy.ts';

test.each([
  ['adr009', undefined, 40],
  ['adr009', 7, 7],
  ['aimd', undefined, 20],
  ['aimd', 7, 7],
] as const)('%s from %s starts with %i', (name, startRate, requestsPerMinute) => {
  expect(createStrategy(name, startRate).snapshot(0)).toMatchObject({ name, requestsPerMinute });
});
