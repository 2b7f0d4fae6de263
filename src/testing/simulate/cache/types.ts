/**
 * Contracts of the simulated prompt caches. Types only.
 *
 * A reader (`readAnthropic`, `readOpenAI`, `readDeepSeek`, `readGemini`) makes a `CachePrompt` of a request body; a simulator
 * takes it with the time it was sent at and says how many tokens were read, written and paid in full. Times are seconds on
 * any clock that does not go back, tokens are whole numbers.
 */

/** Where a block stands in cache order. */
export type CacheTier = 'tools' | 'system' | 'messages';

/** Lifetime of an entry, as the providers write it. */
export type CacheTtl = '5m' | '30m' | '1h' | '12h';

/** A stretch of a block's text: two blocks that begin alike share their first pieces. */
export interface CachePiece {
  readonly id: string;
  readonly tokens: number;
}

/** What a cache counts as one position. */
export interface SimulatedBlock {
  /** Equal for blocks that the provider renders alike, marks left aside. */
  readonly id: string;
  readonly tokens: number;
  readonly tier: CacheTier;
  /** Whether a mark on it counts. */
  readonly cacheable: boolean;
  /** The mark that it carries. */
  readonly mark?: CacheTtl | undefined;
  /**
   * What ends with it, where an entry may end by itself (OpenAI from GPT-5.6): `input` a message of the user or the last of a
   * group of tool results; `developer` the instructions that a request begins with.
   */
  readonly ending?: 'input' | 'developer' | undefined;
  /** Its text in short stretches, for caches that find prefixes token by token. Default: the block as one piece. */
  readonly pieces?: readonly CachePiece[] | undefined;
}

/** A request body as a prompt cache sees it. */
export interface CachePrompt {
  /** In cache order: tools, system, messages. */
  readonly blocks: readonly SimulatedBlock[];
  /** What makes equal blocks different from the beginning of a tier on. */
  readonly salts: Readonly<Record<CacheTier, string>>;
  /** Anthropic: the mark that the request carries as a whole, set on its last block by the provider. */
  readonly automatic?: CacheTtl | undefined;
  /** OpenAI from GPT-5.6: `explicit` keeps nothing but what is marked. Default: `implicit`. */
  readonly mode?: 'implicit' | 'explicit' | undefined;
  /** OpenAI from GPT-5.6: lifetime of all entries of this request. Default: `30m`. */
  readonly ttl?: CacheTtl | undefined;
  /** OpenAI: the request's `prompt_cache_key`. */
  readonly key?: string | undefined;
  /** OpenAI before GPT-5.6: the request's `prompt_cache_retention`. Default: the simulator's. */
  readonly retention?: 'in_memory' | '24h' | undefined;
  /** Gemini: the name of the cached content that the request continues. */
  readonly cachedContent?: string | undefined;
  readonly model?: string | undefined;
  /** Why the provider answers 400 to this body, whatever it keeps. */
  readonly refusal?: string | undefined;
}

/** A prompt and its circumstances. Requests are processed in the order of `at`. */
export interface CacheRequest extends CachePrompt {
  /** When it is sent, in seconds. */
  readonly at: number;
  /** Seconds until its answer's first byte: what it writes can be read from then on. Default: 1. */
  readonly readableAfter?: number | undefined;
  /** Seconds until its answer's end. Default: 2, or `readableAfter` where that is longer. */
  readonly duration?: number | undefined;
  /** Requests of different scopes share nothing: organization, workspace, region, user. Default: one scope. */
  readonly scope?: string | undefined;
  /** DeepSeek: the answer, as the blocks that it will be in the next request's history. Default: not known, nothing kept. */
  readonly output?: readonly SimulatedBlock[] | undefined;
}

/**
 * Input tokens of one request, in disjoint buckets: `read + write5m + write1h + write + uncached` is `total`, none is
 * negative. All are 0 for a request that was refused.
 */
export interface CacheResult {
  readonly total: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  /** Written with a lifetime that is neither 5 minutes nor an hour. */
  readonly write: number;
  readonly uncached: number;
  /** Index of the block that the prefix read ends with, where an entry ends with a block. */
  readonly hit?: number | undefined;
  /** Why the provider answers 400. */
  readonly refusal?: string | undefined;
  /** Where a provider promises nothing: the least and the most that may have been read. */
  readonly band?: { readonly pessimistic: number; readonly optimistic: number } | undefined;
}

/** A provider's prompt cache. Deterministic: the same requests give the same results. */
export interface CacheSimulator {
  process(request: CacheRequest): CacheResult;
}

/** Counts the tokens of a text. What it says is remembered per function, so pass the same one each time. */
export type TokensOf = (text: string) => number;

/** What tokens cost relative to plain input tokens of the same model. */
export interface CachePrices {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  /** For `CacheResult.write`. */
  readonly write: number;
}
