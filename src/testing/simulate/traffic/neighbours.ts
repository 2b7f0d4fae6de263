import type { LimitUnit } from '../../../limits/types.ts';
import type { Random } from '../../../types.ts';
import { createSeededRandom } from '../../seeded-random.ts';
import type { SimulatedNeighbours } from './options.ts';

/** They come together at multiples of this. */
export const NEIGHBOURS_STEP_MS = 200;

/** Others who use the same limits. What they do depends on the time alone, not on who asks or how often. */
export interface Neighbours {
  /** How many requests of theirs come with a step of `NEIGHBOURS_STEP_MS`. */
  requestsIn(step: number): number;
  /** What one of their requests takes of a limit. */
  cost(unit: LimitUnit): number;
}

/** Spreads the numbers of the steps over all seeds (2^32 divided by the golden ratio). */
const SEED_STEP = 0x9e3779b1;

export function createNeighbours(options: SimulatedNeighbours, random: Random): Neighbours {
  const { requestsPerMinute, tokens = 800 } = options;
  const seed = Math.floor(random() * 2 ** 32);
  const costs: Readonly<Record<LimitUnit, number>> = {
    requests: 1,
    tokens,
    inputTokens: tokens * 0.75,
    outputTokens: tokens * 0.25,
  };

  return {
    requestsIn(step) {
      const rate =
        typeof requestsPerMinute === 'number'
          ? requestsPerMinute
          : requestsPerMinute(step * NEIGHBOURS_STEP_MS);
      if (!(rate >= 0 && rate < Infinity)) {
        throw new RangeError(
          `neighbours.requestsPerMinute: expected a number of 0 or more, got ${rate}`,
        );
      }
      const mean = (rate * NEIGHBOURS_STEP_MS) / 60_000;
      return poisson(mean, createSeededRandom(seed ^ Math.imul(step, SEED_STEP)));
    },
    cost: (unit) => costs[unit],
  };
}

/** From here on the normal distribution is as good and its effort does not grow. */
const LARGE_MEAN = 30;

/** A number with a Poisson distribution: how many come by chance where `mean` come on average. */
export function poisson(mean: number, random: Random): number {
  if (mean > LARGE_MEAN) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const none = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > none; product *= random()) count++;
  return count;
}
