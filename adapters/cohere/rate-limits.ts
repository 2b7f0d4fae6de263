import type { RateLimiting } from '../../src/limits/types.ts';

/** Requests a minute, by endpoint, and for trial keys a month (page on rate limits, 2026). No headers. */
export const cohereLimits: RateLimiting = { outputCharge: 'none', countsCacheReads: true };
