import type { CacheRules, Lifetime } from '../../src/prompt-cache/types.ts';

/** What is known of a model's prompt cache. */
export interface Generation {
  readonly rules: CacheRules;
  /** Takes `prompt_cache_options` and `prompt_cache_breakpoint`; models before GPT-5.6 answer 400 to both. */
  readonly takesBreakpoints: boolean;
  /** Takes `prompt_cache_retention: "24h"`. */
  readonly takesRetention: boolean;
}

/** Shortest prefix that is kept, in tokens (OpenAI prompt caching guide, 2026-10-02). */
const MIN_TOKENS = 1024;

/** GPT-5.5 keeps a prefix in steps of so many tokens (OpenAI prompt caching guide, 2026-10-02). */
const GPT_5_5_STEP = 2048;

/** From GPT-5.6: at least half an hour since the last use, and a fee for writing (OpenAI prompt caching guide, 2026-10-02). */
const HALF_AN_HOUR: Lifetime = { ttl: '30m', ms: 1_800_000, write: 1.25 };

/** Before: free. Idle for five to ten minutes in memory, typically thirty where the retention may be 24 hours (same guide). */
const IN_MEMORY: Lifetime = { ttl: '5m', ms: 300_000, write: 1 };
const RETAINED: Lifetime = { ttl: '30m', ms: 1_800_000, write: 1 };

/** Beside the end of the request three explicit breakpoints are written; alone, four (same guide). */
export const MAX_BREAKPOINTS = 3;
export const MAX_BREAKPOINTS_ALONE = 4;

/** Ends of messages that are looked at: the last and up to 20 before it (same guide). */
const LOOKBACK = 21;

/** Models that take a retention of 24 hours, and their snapshots (same guide); of GPT-5.1 all variants. */
const RETAINED_MODELS =
  /^gpt-(?:5\.1(?:-.+)?|(?:4\.1|5|5-codex|5\.2|5\.4|5\.5)(?:-\d{4}-\d{2}-\d{2})?)$/;

/** Price of a read relative to plain input, before GPT-5 (OpenAI pricing, 2026-10). Older models have no prompt cache. */
const READS: ReadonlyArray<readonly [name: RegExp, read: number]> = [
  [/^(?:chat)?gpt-4o(?:-|$)/, 0.5],
  [/^gpt-4\.1(?:-|$)/, 0.25],
  [/^o1(?:-mini|-preview)?(?:-\d|$)/, 0.5],
  [/^o3-mini(?:-|$)/, 0.5],
  [/^o3(?:-deep-research)?(?:-\d|$)/, 0.25],
  [/^o4-mini(?:-|$)/, 0.25],
];

/** From GPT-5 (same page). */
const READ = 0.1;
const READ_GPT_6_1_SOL = 0.05;

/** Audio, images and searches are billed and kept otherwise, or not at all. */
const OTHER_KIND = /audio|realtime|image|transcribe|tts|search|embedding|moderation|oss/;

/**
 * What is known of a model by its name; `undefined` for names that say nothing. The large `-pro` models before GPT-5.6 list no
 * price for cached input (OpenAI pricing, 2026-10).
 */
export function generationOf(model: string | undefined): Generation | undefined {
  if (model === undefined || OTHER_KIND.test(model)) return undefined;
  const isTuned = model.startsWith('ft:');
  const name = isTuned ? (model.split(':')[1] ?? '') : model;
  const version = gptVersion(name);
  // Fine-tuned models of the new kind are not documented.
  if (isAtLeast(version, 5, 6)) return isTuned ? undefined : withBreakpoints(name);
  if (/-pro(?:-|$)/.test(name)) return undefined;
  const read = isAtLeast(version, 5, 0) ? READ : READS.find(([shape]) => shape.test(name))?.[1];
  if (read === undefined) return undefined;
  const takesRetention = !isTuned && RETAINED_MODELS.test(name);
  return {
    takesBreakpoints: false,
    takesRetention,
    rules: {
      writes: 'prefix',
      minTokens: isAtLeast(version, 5, 5) ? GPT_5_5_STEP : MIN_TOKENS,
      read,
      lifetimes: [takesRetention ? RETAINED : IN_MEMORY],
      maxMarks: 0,
      lookback: 0,
    },
  };
}

function withBreakpoints(name: string): Generation {
  return {
    takesBreakpoints: true,
    takesRetention: false,
    rules: {
      writes: 'endings',
      minTokens: MIN_TOKENS,
      read: /^gpt-6[.-]1-sol(?:-|$)/.test(name) ? READ_GPT_6_1_SOL : READ,
      lifetimes: [HALF_AN_HOUR],
      maxMarks: MAX_BREAKPOINTS,
      lookback: LOOKBACK,
    },
  };
}

/** `gpt-5.6-sol`, `gpt-5-6-sol`, `gpt-5-2025-08-07`; two digits at most, since more are a date. Empty for other names. */
const GPT = /^gpt-(\d{1,2})(?:[.-](\d{1,2})(?=-|$))?(?=-|$)/;

function gptVersion(name: string): readonly number[] {
  const [, ...parts] = GPT.exec(name) ?? [];
  return parts.filter((part) => part !== undefined).map(Number);
}

function isAtLeast(
  [major = 0, minor = 0]: readonly number[],
  least: number,
  leastMinor: number,
): boolean {
  return major > least || (major === least && minor >= leastMinor);
}
