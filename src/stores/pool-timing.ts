import type { PoolName } from './types.ts';

/** How often a router exchanges with a pool, in milliseconds. Short windows want it more often. */
export interface PoolTiming {
  /** What changed is told after so long: others want to see it, and what is spare and not needed goes back. */
  readonly syncMs: number;
  /** What others hold is asked for so often. */
  readonly pollMs: number;
}

export function poolTiming(window: PoolName['window']): PoolTiming {
  switch (window.kind) {
    case 'sliding':
      return {
        syncMs: Math.min(SYNC_MS, Math.max(20, window.windowMs / 40)),
        pollMs: Math.min(POLL_MS, Math.max(10, window.windowMs / 240)),
      };
    case 'fixed':
      return { syncMs: SYNC_MS, pollMs: POLL_MS };
    case 'held':
      // Each call that ends frees a place at once.
      return { syncMs: SYNC_MS, pollMs: 50 };
  }
}

const SYNC_MS = 500;
const POLL_MS = 250;
