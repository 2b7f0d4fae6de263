import type { RateLimiting } from '../../src/limits/types.ts';

/** The Gemini API and Vertex AI. Quotas that are used up or none are told in the body. */
export const geminiLimits: RateLimiting = {
  // Tokens a minute are those of the input (page on rate limits, 2026-11).
  outputCharge: 'none',
  // What is read from a cache counts like the rest (page on context caching, 2025).
  countsCacheReads: true,
};
