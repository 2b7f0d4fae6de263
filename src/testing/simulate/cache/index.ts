/** Providers' prompt caches, simulated: what each request reads, writes and pays in full. */
export { anthropicCache } from './anthropic-cache.ts';
export type { AnthropicCacheOptions } from './anthropic-cache.ts';
export { deepseekCache } from './deepseek-cache.ts';
export type { DeepSeekCacheOptions } from './deepseek-cache.ts';
export { geminiCache } from './gemini-cache.ts';
export type { CachedContent, GeminiCacheOptions, GeminiCacheSimulator } from './gemini-cache.ts';
export type { BoundRules } from './least-cost.ts';
export { quarterOfBytes } from './block-facts.ts';
export { lowerBound } from './lower-bound.ts';
export type { BoundOptions } from './lower-bound.ts';
export { openaiBreakpointCache } from './openai-breakpoint-cache.ts';
export type { OpenAIBreakpointCacheOptions } from './openai-breakpoint-cache.ts';
export { openaiPrefixCache } from './openai-prefix-cache.ts';
export type { OpenAIPrefixCacheOptions } from './openai-prefix-cache.ts';
export { cachePrices, relativeCost } from './prices.ts';
export { readAnthropic } from './read-anthropic.ts';
export type { ReadAnthropicOptions } from './read-anthropic.ts';
export { readDeepSeek } from './read-deepseek.ts';
export { readGemini } from './read-gemini.ts';
export { readOpenAI } from './read-openai.ts';
export type { ReadOpenAIOptions } from './read-openai.ts';
export type {
  CachePiece,
  CachePrices,
  CachePrompt,
  CacheRequest,
  CacheResult,
  CacheSimulator,
  CacheTier,
  CacheTtl,
  SimulatedBlock,
  TokensOf,
} from './types.ts';
