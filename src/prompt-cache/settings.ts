import { z } from 'zod';
import type { CallContext } from '../types.ts';

export type PromptCacheMode = 'auto' | 'observe' | 'off';

/** What `createRouter({ promptCache })` takes: a mode, or an object with any of these. */
export interface PromptCacheOptions {
  /**
   * `auto`: requests are arranged and marked so that they cost least. `observe`: no byte changes; what `auto` would have done
   * and saved is reported. `off`: nothing of the kind. Default: `auto`.
   */
  mode?: PromptCacheMode | undefined;
  /** Lifetime to ask for where a provider sells several. Default: `auto`, chosen from how soon prefixes came back. */
  ttl?: 'auto' | '5m' | '1h' | undefined;
  warmup?:
    | {
        /**
         * How long a call waits at most for another one that is writing the same long prefix, in milliseconds; 0 for never.
         * Default: 5000.
         */
        maxHoldMs?: number | undefined;
      }
    | undefined;
  /**
   * Order of the tools. `stable`: a set of tools that was seen before goes out in the order, and with the key order, in which
   * it was first seen. `sort`: by name. `keep`: as given. Default: `stable`.
   */
  tools?: 'stable' | 'sort' | 'keep' | undefined;
  /**
   * Whether bodies go out in canonical form: keys in a fixed order where order means nothing, no white space. Without it every
   * character stays; marks are still set. Default: true.
   */
  canonical?: boolean | undefined;
  /**
   * Puts system and developer messages before the first user messages, if they stand among them. It changes what the model is
   * asked, so it is not part of `auto`. Default: false.
   */
  systemFirst?: boolean | undefined;
  /** Prefixes whose reuse is remembered, about 400 bytes each. Default: 65536. */
  maxPrefixes?: number | undefined;
  /** Text of known conversations that is kept so that their next turn costs little, in bytes. Default: 64 MiB. */
  maxBytes?: number | undefined;
}

/** Opt-in truncation of long conversations. */
export interface HistoryOptions {
  /** Whole turns are dropped from the front while a request is estimated to be longer, tools and system prompt included. */
  maxInputTokens: number;
  /** Turns at the end that are never dropped. Default: 2. */
  keepLastTurns?: number | undefined;
}

const mode = z.enum(['auto', 'observe', 'off']);

/** A mode alone is short for an object with it, so that a complaint names the member that is wrong. */
export const promptCacheSchema: z.ZodType<PromptCacheOptions> = z.preprocess(
  (given) => (typeof given === 'string' ? { mode: given } : given),
  z.strictObject({
    mode: mode.optional(),
    ttl: z.enum(['auto', '5m', '1h']).optional(),
    warmup: z.strictObject({ maxHoldMs: z.number().min(0).max(600_000).optional() }).optional(),
    tools: z.enum(['stable', 'sort', 'keep']).optional(),
    canonical: z.boolean().optional(),
    systemFirst: z.boolean().optional(),
    maxPrefixes: z.int().min(1).max(10_000_000).optional(),
    maxBytes: z.int().min(1).optional(),
  }),
);

export const historySchema: z.ZodType<HistoryOptions> = z.strictObject({
  maxInputTokens: z.int().min(1),
  keepLastTurns: z.int().min(1).optional(),
});

/** The options with every default filled in. */
export interface PromptCacheSettings {
  readonly mode: PromptCacheMode;
  readonly ttl: 'auto' | '5m' | '1h';
  readonly maxHoldMs: number;
  readonly tools: 'stable' | 'sort' | 'keep';
  readonly canonical: boolean;
  readonly systemFirst: boolean;
  readonly maxPrefixes: number;
  readonly maxBytes: number;
}

export function promptCacheSettings(options: PromptCacheOptions = {}): PromptCacheSettings {
  return {
    mode: options.mode ?? 'auto',
    ttl: options.ttl ?? 'auto',
    maxHoldMs: options.warmup?.maxHoldMs ?? 5000,
    tools: options.tools ?? 'stable',
    canonical: options.canonical ?? true,
    systemFirst: options.systemFirst ?? false,
    maxPrefixes: options.maxPrefixes ?? 65_536,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
  };
}

/** What one call wants of the prompt cache: its own word over the router's. */
export function wishOf(
  { mode, ttl }: PromptCacheSettings,
  { promptCache }: CallContext,
): Pick<PromptCacheSettings, 'mode' | 'ttl'> {
  if (promptCache === undefined) return { mode, ttl };
  if (promptCache === '5m' || promptCache === '1h') {
    return { mode: mode === 'off' ? 'auto' : mode, ttl: promptCache };
  }
  return { mode: promptCache, ttl };
}
