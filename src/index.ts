export type { BudgetPassed, BudgetSnapshot } from './budgets/budget.ts';
export type {
  BudgetDimension,
  BudgetMatch,
  BudgetRule,
  FallbackPrice,
} from './budgets/settings.ts';
export type { CaptureOptions, CapturedPart } from './capture.ts';
export type { DedupeSnapshot } from './dedupe/dedupe.ts';
export type { DedupeMode, DedupeOptions, ResponseCacheOptions } from './dedupe/settings.ts';
export type { DeliverySettings } from './delivery/settings.ts';
export { readDeadLetters, type DeadLetter } from './delivery/spool/dead-letters.ts';
export { errorCodes, isRouterError, RouterError, type RouterErrorCode } from './errors.ts';
export type { RouterEvents } from './events.ts';
export type { AdaptiveKind, LimitDimension, LimitMatch, LimitRule } from './limits/settings.ts';
export type {
  LimiterSnapshot,
  LimitState,
  LimitUnit,
  MeterSnapshot,
  RateLimiting,
} from './limits/types.ts';
export type { ChangeableOptions, RouterOptions } from './options.ts';
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
export type { RetryOptions } from './retry/settings.ts';
export type { BoundRouter, OptionsDiff, Router, RouterSnapshot } from './router-api.ts';
export { createRouter } from './router.ts';
export type { ScheduleOptions } from './schedule/settings.ts';
export type { LaneName, LaneSnapshot, LimitChange, TrafficSnapshot } from './schedule/traffic.ts';
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
export type { AwayOptions, Exchange, Exchanged, Store } from './stores/types.ts';
export { usageRecordSchema } from './usage-record.ts';
