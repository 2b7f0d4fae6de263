import type { CacheRules, Lifetime } from '../../src/prompt-cache/types.ts';

/** Where Claude runs: its prompt cache differs in minimums and lifetimes. */
export type Platform = 'anthropic' | 'bedrock';

/**
 * The shortest prefix that is kept, in tokens (Anthropic prompt caching guide, 2026-08-22; for Opus 5.5, Sonnet 5.5, Fable 5.1
 * and Mythos 5.1 reports of the October guide, 2026-10; for Claude 3 LiteLLM's prompt caching page, 2026-10).
 */
const MINIMUMS: Readonly<Record<string, number>> = {
  'opus-5': 512,
  'opus-5-5': 512,
  'sonnet-5-5': 512,
  'fable-5': 512,
  'fable-5-1': 512,
  'mythos-5': 512,
  'mythos-5-1': 512,
  'opus-4-8': 1024,
  'sonnet-5': 1024,
  'sonnet-4-6': 1024,
  'sonnet-4-5': 1024,
  'sonnet-4': 1024,
  'opus-4-1': 1024,
  'opus-4': 1024,
  'sonnet-3-7': 1024,
  'sonnet-3-5': 1024,
  'opus-3': 1024,
  'opus-4-7': 2048,
  'mythos-preview': 2048,
  'haiku-3-5': 2048,
  'opus-4-6': 4096,
  'opus-4-5': 4096,
  'haiku-4-5': 4096,
};

/** Where Bedrock differs (AWS agent toolkit, prompt caching reference, 2026-08-20; Opus 4.7: LiteLLM's page, 2026-10). */
const BEDROCK_MINIMUMS: Readonly<Record<string, number>> = { 'sonnet-4-6': 2048, 'opus-4-7': 4096 };

/** No model is known to need more: what is not known is taken for the worst, so that nothing is promised in vain. */
const UNKNOWN_MINIMUM = 4096;

/** Since Claude 5 every known model but Haiku has kept 1024 tokens. */
const UNKNOWN_MINIMUM_SINCE_5 = 1024;

/** Price of a read relative to plain input (Anthropic pricing, 2026-08-22; per model since 2026-09-01). */
const READ = 0.1;
const READS: Readonly<Record<string, number>> = {
  'opus-5-5': 0.05,
  'fable-5-1': 0.025,
  'mythos-5-1': 0.025,
};

/** Lifetimes, and prices of a write relative to plain input (Anthropic prompt caching guide, 2026-08-22). */
const FIVE_MINUTES: Lifetime = { ttl: '5m', ms: 300_000, write: 1.25 };
const ONE_HOUR: Lifetime = { ttl: '1h', ms: 3_600_000, write: 2 };

/**
 * Models that take the hour on Bedrock; to the others it answers 400 "Extra inputs are not permitted" (AWS prompt caching
 * guide as quoted in public reports, 2026-02 to 2026-06). Not known of later generations.
 */
const BEDROCK_ONE_HOUR: ReadonlySet<string> = new Set(['opus-4-5', 'sonnet-4-5', 'haiku-4-5']);

/** Claude 3 models that Bedrock caches; the others there refuse marks (AWS prompt caching guide, 2026). */
const BEDROCK_CLAUDE_3: ReadonlySet<string> = new Set(['sonnet-3-7', 'haiku-3-5']);

/** Marks of one request, and positions looked at from each, its own included (Anthropic prompt caching guide, 2026-08-22). */
export const MAX_MARKS = 4;
const LOOKBACK = 20;

/** How Claude's prompt cache works for a model; `undefined` for names that are none of Claude 3 or later. */
export function claudeRules(model: string | undefined, platform: Platform): CacheRules | undefined {
  const claude = model === undefined ? undefined : claudeModel(model);
  if (claude === undefined) return undefined;
  const { name, generation } = claude;
  const isBedrock = platform === 'bedrock';
  if (isBedrock && generation === 3 && !BEDROCK_CLAUDE_3.has(name)) return undefined;
  const takesHour = !isBedrock || BEDROCK_ONE_HOUR.has(name);
  return {
    writes: 'marks',
    minTokens: (isBedrock ? BEDROCK_MINIMUMS[name] : undefined) ?? MINIMUMS[name] ?? claude.minimum,
    read: READS[name] ?? READ,
    lifetimes: takesHour ? [FIVE_MINUTES, ONE_HOUR] : [FIVE_MINUTES],
    maxMarks: MAX_MARKS,
    lookback: LOOKBACK,
  };
}

interface ClaudeModel {
  /** Family and version, as in the tables: `opus-4-5`. */
  readonly name: string;
  /** `undefined` where the name has none. */
  readonly generation: number | undefined;
  /** For models that are in no table. */
  readonly minimum: number;
}

/** `claude-opus-4-5-20251101`, `claude-opus-4-5@20251101`, `us.anthropic.claude-opus-4-5-20251101-v1:0`, `anthropic/claude-opus-4.5`. */
const FAMILY_FIRST =
  /(?:^|[./~:])claude-(opus|sonnet|haiku|fable|mythos)(?:-(preview)|-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?)?/;
/** `claude-3-5-sonnet-20241022`, `claude-3-opus-20240229`, `claude-3.7-sonnet`. */
const VERSION_FIRST =
  /(?:^|[./~:])claude-(\d{1,2})(?:[-.](\d{1,2}))?-(opus|sonnet|haiku|fable|mythos)/;

function claudeModel(model: string): ClaudeModel | undefined {
  const [isNew, family, preview, major, minor] = FAMILY_FIRST.exec(model) ?? [];
  if (isNew !== undefined && family !== undefined) {
    if (preview !== undefined) return named(family, undefined, preview);
    return named(family, major, minor);
  }
  const [, oldMajor, oldMinor, oldFamily] = VERSION_FIRST.exec(model) ?? [];
  return oldFamily === undefined ? undefined : named(oldFamily, oldMajor, oldMinor);
}

function named(family: string, major: string | undefined, minor: string | undefined): ClaudeModel {
  const generation = major === undefined ? undefined : Number(major);
  const isLate = generation !== undefined && generation >= 5 && family !== 'haiku';
  return {
    name: [family, major, minor === '0' ? undefined : minor]
      .filter((part) => part !== undefined)
      .join('-'),
    generation,
    minimum: isLate ? UNKNOWN_MINIMUM_SINCE_5 : UNKNOWN_MINIMUM,
  };
}
