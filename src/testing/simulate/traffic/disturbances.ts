import type { Random } from '../../../types.ts';
import type { Unreachable } from '../unreachable.ts';
import type { Provider } from './limit-rules.ts';
import type { TrafficOptions } from './options.ts';

/** What a request meets at a provider that is not well. */
export type Disturbance =
  | {
      readonly kind: 'refused';
      readonly reason: 'overload' | 'outage';
      readonly status: 529 | 503;
      /** Seconds. */
      readonly retryAfter: number | undefined;
    }
  | { readonly kind: 'lost'; readonly reason: 'outage'; readonly how: Unreachable };

/** What a request meets that arrives at a time: an outage, or its share of an overload; mostly nothing. */
export function createDisturbances(
  { outages = [], overload = [] }: Pick<TrafficOptions, 'outages' | 'overload'>,
  provider: Provider,
  random: Random,
): (now: number) => Disturbance | undefined {
  return (now) => {
    const isOn = ({ from, to }: { from: number; to: number }): boolean => from <= now && now < to;
    const outage = outages.find(isOn);
    if (outage !== undefined) {
      const { kind, retryAfter } = outage;
      return kind === '503'
        ? { kind: 'refused', reason: 'outage', status: 503, retryAfter }
        : { kind: 'lost', reason: 'outage', how: kind };
    }
    const busy = overload.find(isOn);
    if (busy === undefined || random() < busy.share) return undefined;
    const { status = provider === 'anthropic' ? 529 : 503, retryAfter } = busy;
    return { kind: 'refused', reason: 'overload', status, retryAfter };
  };
}
