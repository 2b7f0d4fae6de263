/**
 * The contracts of the prompt-cache part. Types only: nothing here runs.
 *
 * Words: a *block* is what a provider counts as one position of its cache (a tool, a system block, one part of a message);
 * a *prefix* is everything up to and with a block, in cache order (tools, system, messages); a *mark* asks the provider to
 * keep a prefix; an *entry* is a prefix that the provider keeps.
 */
import type { CacheMiss, Cost, TokenUsage } from '../types.ts';
import type { Edit } from '../util/edit.ts';

export type { Edit } from '../util/edit.ts';

/** The request formats whose bodies are read. */
export type PromptApi =
  | 'chat.completions'
  | 'responses'
  | 'messages'
  | 'generateContent'
  | 'converse';

/** Where a block stands in cache order. */
export type Tier = 'tools' | 'system' | 'messages';

export type BlockKind =
  | 'tool'
  | 'text'
  | 'image'
  | 'audio'
  | 'document'
  | 'tool_call'
  | 'tool_result'
  | 'thinking'
  | 'other';

/** Lifetime of an entry, as the providers write it. */
export type Ttl = '5m' | '30m' | '1h';

/** From `start` up to, not with, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One position of a provider's prompt cache. Immutable and shared between the turns of a conversation. */
export interface Block {
  readonly tier: Tier;
  readonly kind: BlockKind;
  /** Of its message; `system` or `developer` in the tier `system`; empty for tools. */
  readonly role: string;
  /** Index in the body's array of messages (or input items, contents); -1 outside of it. */
  readonly message: number;
  /** Offsets of its JSON text, relative to `Prompt.offsets[tier]`. A string content is the string literal with its quotes. */
  readonly start: number;
  readonly end: number;
  /** Its JSON text is a string literal, to be written as a text part before it can carry a mark. */
  readonly isString: boolean;
  /** Estimate, before calibration: about a quarter of its bytes; a fixed number for images. */
  readonly tokens: number;
  /** The host's own mark on it. */
  readonly mark: Ttl | undefined;
  /** The last block of a request that could have been sent before: it ends a message that no further input follows. */
  readonly endsTurn: boolean;
}

/** A request body as text and as blocks. Immutable. */
export interface Prompt {
  readonly api: PromptApi;
  /** The body to be sent, one JSON object. */
  readonly text: string;
  /** Part of `text`. Cheaper than a slice of it, which puts all of a rewritten body together: 0.25 ms at 500 KB. */
  slice(start: number, end: number): string;
  /** Where each tier's blocks begin to count in `text`. */
  readonly offsets: Readonly<Record<Tier, number>>;
  /** In cache order. */
  readonly blocks: readonly Block[];
  /** Where the value of a top-level member stands in `text`. */
  member(key: string): Span | undefined;
  /** Offset of the closing brace of the body in `text`. */
  readonly end: number;
}

/** What makes two equal prefixes different for the provider, one string per tier; mixed in where the tier begins. */
export type Salts = Readonly<Record<Tier, string>>;

/** The hash chain over a prompt's blocks, without marks: equal prefixes have equal hashes. */
export interface Fingerprint {
  /**
   * Hash of the prefix that ends with block `index`, 22 characters; `undefined` where none was taken. There is one at every
   * block of the tiers `tools` (the last only) and `system`, at the first 8 and the last 8 blocks of the messages, and at the
   * ends of turns (`Block.endsTurn`), where an earlier request may have ended: the last 16, and every 8th before them,
   * each with the block behind it.
   */
  at(index: number): string | undefined;
  /** The indexes that have a hash, ascending. */
  readonly positions: readonly number[];
  /** Hash over the whole text. */
  readonly full: string;
  /** What went into the hashes beside the text. */
  readonly salts: Salts;
}

/** A mark that is to be written. */
export interface Mark {
  /** Index in `Prompt.blocks`. */
  readonly block: number;
  readonly ttl: Ttl;
}

/** One lifetime that a provider sells. */
export interface Lifetime {
  readonly ttl: Ttl;
  readonly ms: number;
  /** Price of a written token relative to a plain one; 1 where writing costs nothing extra. */
  readonly write: number;
}

/** How a provider's prompt cache works for one model. Data, with its source and date beside it. */
export interface CacheRules {
  /**
   * Who decides what is kept. `marks`: only what is marked (Anthropic, Bedrock). `endings`: the end of each request, and
   * marks beside it (OpenAI from GPT-5.6). `prefix`: whatever was sent, in steps, at no charge (the others).
   */
  readonly writes: 'marks' | 'endings' | 'prefix';
  /** A shorter prefix is not kept. */
  readonly minTokens: number;
  /** Price of a read token relative to a plain one. */
  readonly read: number;
  /** Shortest first; never empty. */
  readonly lifetimes: readonly Lifetime[];
  /** Marks that one request may carry, the host's included. */
  readonly maxMarks: number;
  /** Positions that are looked at from a mark backwards, the mark's own included. */
  readonly lookback: number;
}

/** What an adapter knows of its provider's prompt cache. Pure. */
export interface PromptCaching {
  /** The request format, where `Endpoint.api` does not name it. */
  readonly format?: PromptApi | undefined;
  /** `undefined` where nothing is known to be kept for this model. */
  rules(model: string | undefined): CacheRules | undefined;
  salts(prompt: Prompt): Salts;
  /** Whether the provider takes a mark on this block. */
  canMark(prompt: Prompt, block: Block): boolean;
  /** Marks that the host set for the request as a whole (Anthropic's automatic caching, OpenAI's explicit mode). */
  hostMode(prompt: Prompt): HostMode;
  /** The text changes that write the marks. Only blocks that `canMark`; never more than fit beside the host's. */
  edits(prompt: Prompt, order: CacheOrder): Edit[];
}

export interface HostMode {
  /** The lifetime of a mark that the provider itself sets on the last block, because the host asked so. */
  readonly automatic?: Ttl | undefined;
  /** The host decides alone (its own cache key, explicit mode, a cached content): nothing is to be added. */
  readonly handsOff?: boolean | undefined;
}

/** What is to be written into the body. */
export interface CacheOrder {
  readonly marks: readonly Mark[];
  /** A stable key for requests that share a prefix, for providers that route by one. */
  readonly key?: string | undefined;
  /** The end of the request is not to be kept: the provider's own choice is to be turned off (OpenAI from GPT-5.6). */
  readonly onlyMarks?: boolean | undefined;
  /** A longer retention that costs nothing was asked for by the user (OpenAI before GPT-5.6). */
  readonly retention?: '24h' | undefined;
}

/** Why a prefix that could have been read from the prompt cache was not. */
export type MissReason =
  | 'tools-changed'
  | 'tools-reordered'
  | 'system-changed'
  | 'history-edited'
  | 'expired'
  | 'too-short'
  | 'lookback'
  | 'not-yet-readable'
  | 'model-changed'
  | 'parameter-changed'
  | 'evicted';

/** What an account of a call says of its prompt cache; the meter asks for it when the usage is known. */
export interface CacheAccount {
  settle(usage: TokenUsage, cost: Cost): CacheOutcome;
}

/** As in `UsageRecord.cache`. */
export interface CacheOutcome {
  readonly prefix: string;
  readonly marks: number;
  readonly expectedRead?: number | undefined;
  readonly miss?: CacheMiss | undefined;
}
