import type { Answer } from './answer.ts';
import { quarterOfBytes } from './cache/block-facts.ts';
import {
  anthropicCache,
  deepseekCache,
  geminiCache,
  openaiBreakpointCache,
  openaiPrefixCache,
  readAnthropic,
  readDeepSeek,
  readGemini,
  readOpenAI,
} from './cache/index.ts';
import type {
  AnthropicCacheOptions,
  CachePrompt,
  CacheRequest,
  CacheResult,
  DeepSeekCacheOptions,
  GeminiCacheOptions,
  OpenAIBreakpointCacheOptions,
  OpenAIPrefixCacheOptions,
  TokensOf,
} from './cache/index.ts';
import { assistantMessage } from './openai-chat.ts';
import { hasBreakpoints } from './openai-dialect.ts';
import type { JsonObject, SimulatedUsage } from './reply.ts';

/** Which provider is simulated, and what is assumed of its prompt cache. */
export type ProviderOptions =
  | { provider: 'anthropic'; cache?: AnthropicCacheOptions }
  /** Models from GPT-5.6 on have a cache of marks, earlier ones one of prefixes; each takes of the options what is its own. */
  | { provider: 'openai'; cache?: OpenAIBreakpointCacheOptions & OpenAIPrefixCacheOptions }
  | { provider: 'deepseek'; cache?: DeepSeekCacheOptions }
  | {
      provider: 'gemini';
      cache?: Omit<GeminiCacheOptions, 'report'>;
      /** Nothing is promised or documented of what Gemini keeps: which end of what is possible is played. Default: `pessimistic`. */
      band?: 'pessimistic' | 'optimistic';
    };

/** A request as a prompt cache gets it. */
export interface CacheCall {
  /** How many requests were answered before. */
  readonly number: number;
  readonly scope: string | undefined;
  readonly model: string;
  readonly body: JsonObject;
  /** What will be answered. Asked for before the result only where the cache keeps answers. */
  answer(): Answer;
}

/** When a request is answered, in milliseconds. */
export interface CacheTiming {
  readonly at: number;
  readonly readableAfter: number;
  readonly duration: number;
}

/** A request whose prompt was read and which has left no trace yet. */
export interface CacheLookup {
  /** All input tokens, cached or not. */
  readonly promptTokens: number;
  /** What the cache makes of it, and keeps of it. */
  process(timing: CacheTiming): CacheReading;
}

export interface CacheReading {
  readonly result: CacheResult;
  /** The result in the buckets that the provider reports. */
  readonly inputTokens: SimulatedUsage['inputTokens'];
}

/** The prompt caches of one provider. */
export type ProviderCache = (call: CacheCall) => CacheLookup;

/** How a provider's bodies are read, what keeps their prefixes, and what it tells of that. */
export function createCache(
  options: ProviderOptions,
  tokensOf: TokensOf = quarterOfBytes,
): ProviderCache {
  switch (options.provider) {
    case 'anthropic': {
      const cache = anthropicCache(options.cache);
      return (call) =>
        lookUp(call, readAnthropic(bodyOf(call), tokensOf), (request) => {
          const result = cache.process(request);
          const { write5m: cacheWrite, write1h: cacheWrite1h } = result;
          return { result, inputTokens: { ...readTokens(result), cacheWrite, cacheWrite1h } };
        });
    }
    case 'openai': {
      const withMarks = openaiBreakpointCache(options.cache);
      const withPrefixes = openaiPrefixCache(options.cache);
      return (call) => {
        const takesMarks = hasBreakpoints(call.model);
        const read = readOpenAI(bodyOf(call), tokensOf, { pieces: !takesMarks });
        const prompt = takesMarks ? read : withoutMarks(read, call.body);
        return lookUp(call, prompt, (request) => {
          const result = (takesMarks ? withMarks : withPrefixes).process(request);
          const inputTokens = readTokens(result);
          return {
            result,
            inputTokens: takesMarks ? { ...inputTokens, cacheWrite: result.write } : inputTokens,
          };
        });
      };
    }
    case 'deepseek': {
      const cache = deepseekCache(options.cache);
      return (call) =>
        lookUp(call, readDeepSeek(bodyOf(call), tokensOf), (request) => {
          const said = { messages: [assistantMessage(call.number, call.answer())] };
          const output = readDeepSeek(said, tokensOf).blocks;
          const result = cache.process({ ...request, output });
          return { result, inputTokens: readTokens(result) };
        });
    }
    case 'gemini': {
      const cache = geminiCache({ ...options.cache, report: options.band ?? 'pessimistic' });
      return (call) =>
        lookUp(call, readGemini(call.body, tokensOf), (request) => {
          const result = cache.process(request);
          const { cacheRead, ...others } = readTokens(result);
          // Nothing is reported where nothing was read.
          return { result, inputTokens: { ...others, ...(cacheRead !== 0 && { cacheRead }) } };
        });
    }
  }
}

/** The body as the model sees it that answers. */
function bodyOf({ body, model }: CacheCall): JsonObject {
  return { ...body, model };
}

function lookUp(
  { scope, model }: CacheCall,
  prompt: CachePrompt,
  process: (request: CacheRequest) => CacheReading,
): CacheLookup {
  return {
    get promptTokens() {
      return prompt.blocks.reduce((sum, { tokens }) => sum + tokens, 0);
    },
    process: ({ at, readableAfter, duration }) =>
      process({
        ...prompt,
        model,
        scope,
        at: at / 1000,
        readableAfter: readableAfter / 1000,
        duration: duration / 1000,
      }),
  };
}

/** What every provider reports. */
function readTokens({ total, uncached, read }: CacheResult): SimulatedUsage['inputTokens'] {
  return { total, uncached, cacheRead: read };
}

/** Models before GPT-5.6 refuse options and marks (OpenAI prompt caching guide, 2026-10). */
function withoutMarks(prompt: CachePrompt, body: JsonObject): CachePrompt {
  const wrong =
    body['prompt_cache_options'] === undefined
      ? prompt.blocks.some(({ mark }) => mark !== undefined) && 'prompt_cache_breakpoint'
      : 'prompt_cache_options';
  return wrong === false
    ? prompt
    : { ...prompt, refusal: `Unsupported parameter: '${wrong}' is not supported with this model.` };
}
