export { errorCodes, isRouterError, RouterError, type RouterErrorCode } from './errors.ts';
export type { RouterEvents } from './events.ts';
export type { RouterOptions } from './options.ts';
export type { PromptCacheSnapshot } from './prompt-cache/cache-tally.ts';
export type { MissReport, MissRow } from './prompt-cache/diagnosis/miss-ledger.ts';
export type { Plan, PlannedBlock, PlannedMark } from './prompt-cache/explain.ts';
export type {
  HistoryOptions,
  PromptCacheMode,
  PromptCacheOptions,
} from './prompt-cache/settings.ts';
export type {
  CacheOrder,
  CacheRules,
  HostMode,
  MissReason,
  PromptCaching,
} from './prompt-cache/types.ts';
export type { PriceOverrides } from './pricing/overrides.ts';
export type { BoundRouter, Router, RouterSnapshot } from './router-api.ts';
export { createRouter } from './router.ts';
export type {
  AnswerFacts,
  Api,
  CacheMiss,
  CallContext,
  Clock,
  Cost,
  Endpoint,
  HeaderLookup,
  Middleware,
  MiddlewareRequest,
  Outcome,
  Priority,
  PromptCacheWish,
  ProviderAdapter,
  Random,
  Sink,
  StreamEvent,
  TokenUsage,
  UsageRecord,
  Wire,
} from './types.ts';
export { usageRecordSchema } from './usage-record.ts';
