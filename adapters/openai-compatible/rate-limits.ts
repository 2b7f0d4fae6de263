import type { RateLimiting } from '../../src/limits/types.ts';
import { isOpenaiSpent, openaiLimits } from '../openai/rate-limits.ts';
import { isNamed } from '../shared/rate-limits.ts';

/** Where nothing is known but the format: many pass on OpenAI's names. */
export const compatibleLimits: RateLimiting = {
  outputCharge: 'actual',
  countsCacheReads: true,
  isSpent: isOpenaiSpent,
};

/** The same as OpenAI's (pages on quotas and on flex processing, 2026). */
export const azureLimits: RateLimiting = openaiLimits;

/** Only how many requests are under way at once is limited, by account and model (page on rate limits, 2026-11). */
export const deepseekLimits: RateLimiting = { outputCharge: 'none', countsCacheReads: true };

export const groqLimits: RateLimiting = {
  // Headers recorded in 2026 show the input alone when the answer begins.
  outputCharge: 'actual',
  // Pages on rate limits and prompt caching, 2026-11.
  countsCacheReads: false,
  isSpent: isOpenaiSpent,
  // Its flex tier's status 498 (page on flex processing, 2026-11).
  isOverload: isNamed(['capacity_exceeded']),
};

const MISTRAL_LIMITS = ['x-ratelimit-limit-req-minute', 'x-ratelimit-limit-tokens-minute'];

export const mistralLimits: RateLimiting = {
  // `x-ratelimit-tokens-query-cost` is input and output less what was read from the cache in every answer recorded in 2026.
  outputCharge: 'actual',
  countsCacheReads: false,
  // A model that the plan does not have is limited to no requests at all, which waiting does not change.
  isSpent: (_error, header) => MISTRAL_LIMITS.some((name) => header(name) === '0'),
  // The service tier is full, whoever asks; since 2026 with 503 (public reports, 2025-06 to 2026-07).
  isOverload: isNamed(['service_tier_capacity_exceeded', '3505']),
};

export const moonshotLimits: RateLimiting = {
  // Its gateway counts input and max_tokens, whatever is written in the end (introduction, 2026-11).
  outputCharge: 'max',
  countsCacheReads: true,
  // No balance left, with status 429 (page on errors, 2026-11).
  isSpent: isNamed(['exceeded_current_quota_error']),
};

export const xaiLimits: RateLimiting = {
  outputCharge: 'actual',
  countsCacheReads: true,
  // With status 403 (public reports, 2026-07); with 429 only the message says so.
  isSpent: isNamed(['personal-team-blocked:spending-limit']),
};

/** Page on rate limits, 2026-11: what the answer may have is reserved; one of its two limits counts what caches give. */
export const cerebrasLimits: RateLimiting = {
  outputCharge: 'max',
  countsCacheReads: true,
  isSpent: isOpenaiSpent,
};

/** Requests a minute, by model, without a header or a published number (public reports, 2026-02 to 2026-08). */
export const nvidiaLimits: RateLimiting = { outputCharge: 'none', countsCacheReads: true };

/** Page on error codes, 2026-11. Only how many requests are under way at once is limited. */
export const zaiLimits: RateLimiting = {
  outputCharge: 'none',
  countsCacheReads: true,
  // No balance; the day's calls, the plan's hours, the plan itself, the week or month are used up.
  isSpent: isNamed(['1113', '1304', '1308', '1309', '1310']),
  // Too many ask for the model.
  isOverload: isNamed(['1312']),
};
