import { createSeededRandom } from '../../src/testing/seeded-random.ts';
import type { Random } from '../../src/types.ts';

/** Seeded numbers from the distributions that traffic follows. */
export interface Draw {
  readonly random: Random;
  uniform(low: number, high: number): number;
  /** Waits between independent arrivals. */
  exponential(mean: number): number;
  normal(): number;
  /** Sizes and latencies: `median`, and the standard deviation of the logarithm. */
  logNormal(median: number, sigma: number): number;
  /** An index, with a chance in proportion to its weight. */
  pick(weights: readonly number[]): number;
}

/** The same numbers for the same seed and purpose; what one purpose draws changes nothing for another. */
export function createDraw(seed: number, purpose: string): Draw {
  const random = createSeededRandom(hash(`${purpose} ${seed}`));
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return {
    random,
    uniform: (low, high) => low + (high - low) * random(),
    exponential: (mean) => -mean * Math.log(1 - random()),
    normal,
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    pick(weights) {
      let rest = random() * weights.reduce((sum, weight) => sum + weight, 0);
      const index = weights.findIndex((weight) => (rest -= weight) < 0);
      return index === -1 ? weights.length - 1 : index;
    },
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value;
}
