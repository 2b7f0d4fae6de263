import type { Demand } from '../../../src/limits/types.ts';

export function demand(given: Partial<Demand> = {}): Demand {
  return {
    priority: 'normal',
    arrivedAt: 0,
    attempt: 1,
    attemptsLeft: 4,
    inputTokens: 100,
    cachedTokens: 0,
    maxOutputTokens: 1000,
    ...given,
  };
}
