import type { RateLimiting } from '../../src/limits/types.ts';

/** "How tokens are counted" in the user guide, 2026-11. A day's quota that is used up is told in the message alone. */
export const bedrockLimits: RateLimiting = {
  // max_tokens is taken at the start; what was not written is given back at the end.
  outputCharge: 'max',
  countsCacheReads: false,
};
