/** What the providers charge for their prompt caches, relative to a plain input token. */
import type { BoundRules } from '../../src/testing/simulate/cache/least-cost.ts';

/** Claude Sonnet 4.5 (Anthropic prompt caching guide, 2026-10). */
export const ANTHROPIC: BoundRules = {
  minTokens: 1024,
  read: 0.1,
  lifetimes: [
    { seconds: 300, write: 1.25 },
    { seconds: 3600, write: 2 },
  ],
};

/** GPT-5.6 (OpenAI prompt caching guide, 2026-10). */
export const OPENAI: BoundRules = {
  minTokens: 1024,
  read: 0.1,
  lifetimes: [{ seconds: 1800, write: 1.25 }],
};

/** Input tokens in disjoint buckets. `write`: with the shortest lifetime. */
export interface InputTokens {
  readonly uncached: number;
  readonly read: number;
  readonly write: number;
  readonly write1h: number;
}

/** In plain input tokens. */
export function inputCost(
  { uncached, read, write, write1h }: InputTokens,
  { read: readPrice, lifetimes }: BoundRules,
): number {
  const [short, long = short] = lifetimes;
  return uncached + read * readPrice + write * (short?.write ?? 1) + write1h * (long?.write ?? 1);
}
