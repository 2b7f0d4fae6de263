import { z } from 'zod';

/** What `createRouter({ retry })` takes. */
export interface RetryOptions {
  /**
   * Requests that a call may take at most, the first included. After the last, the answer says `x-should-retry: false`, so that
   * the SDK above does not begin again. 1: the router asks once and leaves trying again to the SDK. Default: 3.
   */
  maxAttempts?: number | undefined;
  /** No attempt begins later than so many milliseconds after the call. Default: none. */
  maxElapsedMs?: number | undefined;
}

/** Settings with their defaults. */
export interface RetrySettings {
  readonly maxAttempts: number;
  /** `Infinity` for none. */
  readonly maxElapsedMs: number;
}

export const retrySchema: z.ZodType<RetryOptions> = z.strictObject({
  maxAttempts: z.int().min(1).max(100).optional(),
  maxElapsedMs: z.number().min(0).max(86_400_000).optional(),
});

export function retrySettings(options: RetryOptions = {}): RetrySettings {
  return {
    maxAttempts: options.maxAttempts ?? 3,
    maxElapsedMs: options.maxElapsedMs ?? Infinity,
  };
}
