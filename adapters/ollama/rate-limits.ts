import type { RateLimiting } from '../../src/limits/types.ts';

/**
 * The hosted API has allowances by session and week, told in the message alone when they are used up (public reports, 2025-12 to
 * 2026-09); a server of one's own answers 503 when its queue is full.
 */
export const ollamaLimits: RateLimiting = { outputCharge: 'none', countsCacheReads: true };
