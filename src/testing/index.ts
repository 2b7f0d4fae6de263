export { adapterContract, assertTokenUsage } from './adapter-contract.ts';
export type { AdapterCase, ContractCheck } from './adapter-contract.ts';
export type { Chunks } from './chunk-ends.ts';
export { fixtureBytes, fixtureFormat, fixtureSchema, readFixtures } from './fixture.ts';
export type { Fault, Fixture, FixtureRequest, FixtureResponse, FixtureSource } from './fixture.ts';
export { FixtureMissError } from './match-fixture.ts';
export { cacheReadShare, costMatchers, costOf } from './matchers.ts';
export type { CostMatchers, MatcherResult, MatcherState, Run } from './matchers.ts';
export { recordFetch } from './record-fetch.ts';
export type { RecordOptions } from './record-fetch.ts';
export { fixtureResponse, replayFetch } from './replay-fetch.ts';
export type { PlayOptions, ReplayCall, ReplayFetch, ReplayOptions } from './replay-fetch.ts';
export { sampleRecord } from './sample-record.ts';
export { createSeededRandom } from './seeded-random.ts';
export type { CacheResult } from './simulate/cache/index.ts';
export { simulateProvider } from './simulate/simulate-provider.ts';
export type {
  AnswerOptions,
  SimulatedProvider,
  SimulateOptions,
} from './simulate/simulate-provider.ts';
export type { AnswerOption, SimulatedAnswer, SimulatedToolCall } from './simulate/answer.ts';
export type { SimulatedCall, SimulatedTotals } from './simulate/call-log.ts';
export type { ProviderOptions } from './simulate/caches.ts';
export type { SimulatedUsage } from './simulate/reply.ts';
export type {
  SimulatedLatency,
  SimulatedLimit,
  SimulatedLoad,
  SimulatedNeighbours,
  SimulatedOutage,
  SimulatedOverload,
  SimulatedRefusal,
  TimedRequest,
  TrafficOptions,
} from './simulate/traffic/options.ts';
export { sinkContract } from './sink-contract.ts';
export type { ContractCase, SinkContractOptions, SinkUnderTest } from './sink-contract.ts';
export { storeContract } from './store-contract.ts';
export type { StoreContractOptions, StoreUnderTest } from './store-contract.ts';
export type { Redactor } from './text-edits.ts';
export { createVirtualClock } from './virtual-clock.ts';
export type { VirtualClock, VirtualClockOptions } from './virtual-clock.ts';
export {
  anthropicCache,
  cachePrices,
  deepseekCache,
  geminiCache,
  lowerBound,
  openaiBreakpointCache,
  openaiPrefixCache,
  quarterOfBytes,
  readAnthropic,
  readDeepSeek,
  readGemini,
  readOpenAI,
  relativeCost,
} from './simulate/cache/index.ts';
export type {
  AnthropicCacheOptions,
  BoundOptions,
  BoundRules,
  CachedContent,
  CachePiece,
  CachePrices,
  CachePrompt,
  CacheRequest,
  CacheSimulator,
  CacheTier,
  CacheTtl,
  DeepSeekCacheOptions,
  GeminiCacheOptions,
  GeminiCacheSimulator,
  OpenAIBreakpointCacheOptions,
  OpenAIPrefixCacheOptions,
  ReadAnthropicOptions,
  ReadOpenAIOptions,
  SimulatedBlock,
  TokensOf,
} from './simulate/cache/index.ts';
