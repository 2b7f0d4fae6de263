import type { CacheRequest, CacheResult } from './types.ts';

/** When what a request writes can be read, in seconds: from its answer's first byte on. */
export function readableFrom({ at, readableAfter = 1 }: CacheRequest): number {
  return at + readableAfter;
}

/** When a request's answer has ended. */
export function endOf({ at, readableAfter = 1, duration = 2 }: CacheRequest): number {
  return at + Math.max(readableAfter, duration);
}

/** What a request costs that is answered 400: nothing. */
export function refused(refusal: string): CacheResult {
  return { total: 0, read: 0, write5m: 0, write1h: 0, write: 0, uncached: 0, refusal };
}

/** A result of a cache that keeps what it likes and charges nothing for it. */
export function readOnly(total: number, read: number): CacheResult {
  return { total, read, write5m: 0, write1h: 0, write: 0, uncached: total - read };
}
