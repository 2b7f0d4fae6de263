import type { RateLimiting } from '../../src/limits/types.ts';
import { isNamed } from '../shared/rate-limits.ts';

/** Page on rate limits of the API documentation, 2026-11. */
export const anthropicLimits: RateLimiting = {
  // Evaluated in real time as tokens are written; max_tokens does not count.
  outputCharge: 'actual',
  // Not for any model since Haiku 3.5.
  countsCacheReads: false,
  // The first two with status 429 and the type of a rate limit, but without `retry-after`; the last with 402.
  isSpent: isNamed([
    'enforced_spend_limit_reached',
    'contract_spend_limit_reached',
    'billing_error',
  ]),
};
