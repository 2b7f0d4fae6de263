import { z } from 'zod';

export type DedupeMode = 'deterministic' | 'all' | 'off';

/** What `createRouter({ dedupe })` takes. */
export interface DedupeOptions {
  /**
   * Which identical calls in flight share one request. `deterministic`: those of which the caller expects one and the same
   * answer (temperature 0, a seed, embeddings, an `idempotency-key` header). `all`: every one, which turns sampling the same
   * prompt several times at once into one sample. `off`: none. A call's own `dedupe` goes before it. Default:
   * `deterministic`.
   */
  mode?: DedupeMode | undefined;
}

/** What `createRouter({ responseCache })` takes. Answers are kept for the calls that `dedupe` would let share one. */
export interface ResponseCacheOptions {
  /** Answers that are kept; beyond, those that were not asked for the longest go. Default: 1000. */
  maxEntries?: number | undefined;
  /** Memory they take together, in bytes. Default: 64 MiB. */
  maxBytes?: number | undefined;
  /** How long an answer is given again, in milliseconds. Default: 300000. */
  ttlMs?: number | undefined;
}

export const dedupeSchema: z.ZodType<DedupeOptions> = z.strictObject({
  mode: z.enum(['deterministic', 'all', 'off']).optional(),
});

export const responseCacheSchema: z.ZodType<ResponseCacheOptions> = z.strictObject({
  maxEntries: z.int().min(1).max(1_000_000).optional(),
  maxBytes: z.int().min(1).optional(),
  // A year.
  ttlMs: z.number().min(1).max(31_536_000_000).optional(),
});

/** The options with every default filled in. */
export interface ResponseCacheSettings {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly ttlMs: number;
}

export function responseCacheSettings(options: ResponseCacheOptions): ResponseCacheSettings {
  return {
    maxEntries: options.maxEntries ?? 1000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
    ttlMs: options.ttlMs ?? 300_000,
  };
}
