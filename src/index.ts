export { errorCodes, isRouterError, RouterError, type RouterErrorCode } from './errors.ts';
export type { RouterEvents } from './events.ts';
export type { RouterOptions } from './options.ts';
export type { PriceOverrides } from './pricing/overrides.ts';
export type { BoundRouter, Router, RouterSnapshot } from './router-api.ts';
export { createRouter } from './router.ts';
export type {
  AnswerFacts,
  Api,
  CallContext,
  Clock,
  Cost,
  Endpoint,
  HeaderLookup,
  Middleware,
  MiddlewareRequest,
  Outcome,
  Priority,
  ProviderAdapter,
  Random,
  Sink,
  StreamEvent,
  TokenUsage,
  UsageRecord,
  Wire,
} from './types.ts';
export { usageRecordSchema } from './usage-record.ts';
