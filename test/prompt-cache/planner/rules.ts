import fc from 'fast-check';
import type { Odds } from '../../../src/prompt-cache/planner/reuse.ts';
import type { CacheRules, Lifetime } from '../../../src/prompt-cache/types.ts';

export const FIVE_MINUTES: Lifetime = { ttl: '5m', ms: 300_000, write: 1.25 };
export const ONE_HOUR: Lifetime = { ttl: '1h', ms: 3_600_000, write: 2 };

/** As Anthropic's. */
export const MARKS: CacheRules = {
  writes: 'marks',
  minTokens: 1024,
  read: 0.1,
  lifetimes: [FIVE_MINUTES, ONE_HOUR],
  maxMarks: 4,
  lookback: 20,
};

/** As OpenAI's from GPT-5.6. */
export const ENDINGS: CacheRules = {
  ...MARKS,
  writes: 'endings',
  lifetimes: [{ ttl: '30m', ms: 1_800_000, write: 1.25 }],
  lookback: 21,
};

/** As OpenAI's before. */
export const PREFIXES: CacheRules = {
  ...MARKS,
  writes: 'prefix',
  lifetimes: [{ ttl: '5m', ms: 300_000, write: 1 }],
};

/** Chances within the six intervals, ascending. Neither 0 nor 1: what was learnt is never certain. */
export const odds: fc.Arbitrary<Odds> = fc
  .array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), { minLength: 6, maxLength: 6 })
  .map((chances) => chances.sort((a, b) => a - b));

/** The same chance in every interval. */
export const always = (chance: number): Odds => [chance, chance, chance, chance, chance, chance];
