import type { RateLimiting } from '../../src/limits/types.ts';
import { isNamed } from '../shared/rate-limits.ts';

/**
 * Quotas, credits and spend limits that are used up, all with status 429 and the type `insufficient_quota` (help pages "API usage
 * and spend limits" and "429 errors", 2026-11); the last two are older (errors quoted in public reports, 2024 to 2026).
 */
export const isOpenaiSpent: NonNullable<RateLimiting['isSpent']> = isNamed([
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'billing_hard_limit_reached',
  'billing_not_active',
]);

export const openaiLimits: RateLimiting = {
  // max_tokens counts when it is more than the input is estimated at (rate limit guide, 2026-11). In headers recorded from
  // 2025-11 to 2026-08 only the input does.
  outputCharge: 'max',
  // Prompt caching guide, 2026-11.
  countsCacheReads: true,
  isSpent: isOpenaiSpent,
  // The flex tier's "429 Resource Unavailable", which is not billed (flex processing guide, 2026-11).
  isOverload: isNamed(['resource_unavailable']),
};
