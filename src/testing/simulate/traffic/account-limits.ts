import { LRUCache } from 'lru-cache';
import type { LimitRules } from './limit-rules.ts';
import type { Neighbours } from './neighbours.ts';
import { createSharedMeter } from './shared-meter.ts';
import type { SharedMeter } from './shared-meter.ts';

/** The limits of every scope and model. */
export interface AccountLimits {
  /** In the order of the rules. */
  metersOf(scope: string, model: string): readonly SharedMeter[];
}

/** More scopes and models than a test has. The one unused for longest begins anew. */
const MAX_ACCOUNTS = 10_000;

export function createAccountLimits(
  limits: readonly LimitRules[],
  neighbours: Neighbours | undefined,
  startAt: number,
): AccountLimits {
  const kept = limits.map((rules) => ({
    rules,
    meters: new LRUCache<string, SharedMeter>({ max: MAX_ACCOUNTS }),
  }));
  return {
    metersOf: (scope, model) =>
      kept.map(({ rules, meters }) => {
        const key = rules.per === 'scope' ? scope : `${scope}\n${model}`;
        let meter = meters.get(key);
        if (meter === undefined) {
          meter = createSharedMeter(rules, neighbours, startAt);
          meters.set(key, meter);
        }
        return meter;
      }),
  };
}
