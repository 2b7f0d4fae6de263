import type { LimitUnit } from '../../../limits/types.ts';
import type { ProviderOptions } from '../caches.ts';
import type { SimulatedLimit } from './options.ts';

/** A limit with everything settled. */
export interface LimitRules {
  readonly unit: LimitUnit;
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: 'bucket' | 'fixed-window' | 'sliding-window';
  /** `undefined`: the limit as it stands. */
  readonly burst: number | undefined;
  readonly offsetMs: number;
  readonly schedule: ReadonlyArray<readonly [atMs: number, limit: number]>;
  readonly chargeRefused: boolean;
  readonly charge: 'max' | 'reserve' | 'actual';
  readonly countsCacheReads: boolean;
  readonly per: 'model' | 'scope';
}

export type Provider = ProviderOptions['provider'];

/** Puts in what a user left out. */
export function limitRules(given: SimulatedLimit, provider: Provider): LimitRules {
  return {
    unit: given.unit,
    limit: given.limit,
    windowMs: given.windowMs ?? 60_000,
    algorithm: given.algorithm ?? 'bucket',
    burst: given.burst,
    offsetMs: given.offsetMs ?? 0,
    schedule: given.schedule ?? [],
    chargeRefused: given.chargeRefused ?? false,
    charge: given.charge ?? (provider === 'openai' ? 'max' : 'actual'),
    countsCacheReads: given.countsCacheReads ?? provider !== 'anthropic',
    per: given.per ?? 'model',
  };
}
