import type { AdaptiveKind } from '../settings.ts';
import type { Limiter } from '../types.ts';
import { createAdr009Limiter } from './adr009.ts';
import { createAimdLimiter } from './aimd.ts';

/** The strategies that `adaptive` may name. `startRate` in requests a minute; `undefined` for the strategy's own. */
export function createStrategy(
  name: Exclude<AdaptiveKind, boolean>,
  startRate: number | undefined,
): Limiter {
  switch (name) {
    case 'adr009':
      return createAdr009Limiter({ requestsPerMinute: startRate });
    case 'aimd':
      return createAimdLimiter({ requestsPerMinute: startRate });
  }
}
