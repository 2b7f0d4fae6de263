import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { captureSchema, type CaptureOptions } from './capture.ts';
import { type BudgetRule, budgetsSchema } from './budgets/settings.ts';
import {
  dedupeSchema,
  responseCacheSchema,
  type DedupeOptions,
  type ResponseCacheOptions,
} from './dedupe/settings.ts';
import { deliverySchema, type DeliverySettings } from './delivery/settings.ts';
import { RouterError } from './errors.ts';
import { limitsSchema, type LimitRule } from './limits/settings.ts';
import {
  historySchema,
  promptCacheSchema,
  type HistoryOptions,
  type PromptCacheMode,
  type PromptCacheOptions,
} from './prompt-cache/settings.ts';
import { priceOverridesSchema, type PriceOverrides } from './pricing/overrides.ts';
import { retrySchema, type RetryOptions } from './retry/settings.ts';
import { scheduleSchema, type ScheduleOptions } from './schedule/settings.ts';
import type { Store } from './stores/types.ts';
import type { CallContext, Clock, Middleware, ProviderAdapter, Random, Sink } from './types.ts';

/** What `createRouter` takes. Everything is optional; an unknown or wrong option throws `ERR_OPTIONS`. */
export interface RouterOptions {
  /** The transport below the router: for tests, proxies or other runtimes. Default: undici's dispatcher. */
  fetch?: typeof globalThis.fetch | undefined;
  /** An undici 8 dispatcher for pools, proxies or HTTP/2. Default: the router's own `Agent` over HTTP/1.1. */
  dispatcher?: Dispatcher | undefined;
  /** Provider adapters, matched by URL, first match wins. Default: all built in. */
  adapters?: readonly ProviderAdapter[] | undefined;
  /** Functions around the pipeline, the first outermost. Default: none. */
  middleware?: readonly Middleware[] | undefined;
  /** How the providers' prompt caches are used: a mode, or an object with more. Default: `auto`. */
  promptCache?: PromptCacheMode | PromptCacheOptions | undefined;
  /** Truncates long conversations, in steps that keep the prefix cached between them. Default: off. */
  history?: HistoryOptions | undefined;
  /** Which identical calls in flight share one request. */
  dedupe?: DedupeOptions | undefined;
  /** Answers that are given again to the same request. Default: off. */
  responseCache?: ResponseCacheOptions | undefined;
  /** Who goes first, and how long the others wait. */
  schedule?: ScheduleOptions | undefined;
  /** Limits beside, or in place of, those that the providers turn out to have. Default: `[{ adaptive: true }]`. */
  limits?: readonly LimitRule[] | undefined;
  /** What may be spent in a day or month, in dollars or tokens, and by whom. Default: none. */
  budgets?: readonly BudgetRule[] | undefined;
  /** When a failed request is followed by another. */
  retry?: RetryOptions | undefined;
  /** Prices that go before the built-in price book. Default: none. */
  prices?: PriceOverrides | undefined;
  /** Where usage records go. Default: none. */
  sinks?: readonly Sink[] | undefined;
  /** How records reach sinks, and what is left of them when the process dies. */
  delivery?: DeliverySettings | undefined;
  /** Where limits and budgets count together with those of other routers. Default: this router counts by itself. */
  store?: Store | undefined;
  /** Prompts and answers in usage records. Default: none. */
  capture?: CaptureOptions | undefined;
  /**
   * Gives the span that a call is made in, as a W3C `traceparent`, where neither its request nor its context names one: so that
   * records, and what is sent on, belong to the caller's trace. Default: none.
   */
  traceparent?: (() => string | undefined) | undefined;
  /**
   * How long an answer may pause between two bytes, in milliseconds; then the body fails and the outcome is `stalled`.
   * Default: none of the router's own (undici's `bodyTimeout`, 300 s, applies).
   */
  idleTimeoutMs?: number | undefined;
  /** Source of time. Default: the system's. */
  clock?: Clock | undefined;
  /** Source of randomness, uniform in [0, 1). Default: the system's generator. */
  random?: Random | undefined;
}

const fn = <T>(expected: string): z.ZodType<T> =>
  z.custom<T>((value) => typeof value === 'function', {
    error: ({ input }) => `Invalid input: expected ${expected}, received ${typeof input}`,
  });

const withMethods = <T>(expected: string, ...methods: readonly string[]): z.ZodType<T> =>
  z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((name) => typeof Reflect.get(value, name) === 'function'),
    { error: `Invalid input: expected ${expected} (an object with ${methods.join(', ')})` },
  );

/** What is checked. For documentation's tests too. */
export const optionsSchema: z.ZodType<CheckedOptions> = z.strictObject({
  fetch: fn<typeof globalThis.fetch>('a fetch function').optional(),
  dispatcher: withMethods<Dispatcher>('an undici dispatcher', 'dispatch').optional(),
  adapters: z.array(withMethods<ProviderAdapter>('a provider adapter', 'match')).optional(),
  middleware: z
    .array(fn<Middleware>('a function (request, next, context) => Promise<Response>'))
    .optional(),
  promptCache: promptCacheSchema.optional(),
  history: historySchema.optional(),
  dedupe: dedupeSchema.optional(),
  responseCache: responseCacheSchema.optional(),
  schedule: scheduleSchema.optional(),
  limits: limitsSchema.optional(),
  budgets: budgetsSchema.optional(),
  retry: retrySchema.optional(),
  prices: priceOverridesSchema.optional(),
  sinks: z.array(withMethods<Sink>('a sink', 'write')).optional(),
  delivery: deliverySchema.optional(),
  store: withMethods<Store>('a store', 'exchange').optional(),
  capture: captureSchema.optional(),
  traceparent: fn<() => string | undefined>('a function () => string | undefined').optional(),
  idleTimeoutMs: z.number().min(1).max(2_147_483_647).optional(),
  clock: withMethods<Clock>('a clock', 'now', 'wallNow', 'setTimeout', 'clearTimeout').optional(),
  random: fn<Random>('a function () => number').optional(),
});

/** Options as they are used: a mode of the prompt cache has become an object. */
export type CheckedOptions = Omit<RouterOptions, 'promptCache'> & {
  readonly promptCache?: PromptCacheOptions | undefined;
};

/** Checks what a user gave. The message names every wrong option, what was expected and what came. */
export function readOptions(options: unknown): CheckedOptions {
  const result = optionsSchema.safeParse(options);
  if (result.success) return result.data;
  throw new RouterError(
    'ERR_OPTIONS',
    `createRouter was given wrong options:\n${z.prettifyError(result.error)}\nThe options are listed in docs/options.md.`,
  );
}

/** Options that can change while calls are in flight. */
export type ChangeableOptions = Pick<RouterOptions, 'schedule' | 'retry'>;

const changesSchema: z.ZodType<ChangeableOptions> = z.strictObject({
  schedule: scheduleSchema.optional(),
  retry: retrySchema.optional(),
});

/** Checks what is to be changed. */
export function readChanges(changes: unknown): ChangeableOptions {
  const result = changesSchema.safeParse(changes);
  if (result.success) return result.data;
  throw new RouterError(
    'ERR_OPTIONS',
    `router.update was given what it cannot change:\n${z.prettifyError(result.error)}\nOnly schedule and retry change while calls are in flight; for the others make a new router.`,
  );
}

const contextSchema: z.ZodType<CallContext> = z.strictObject({
  priority: z.enum(['urgent', 'high', 'normal', 'low']).optional(),
  tenant: z.string().optional(),
  user: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  session: z.string().optional(),
  promptCache: z.enum(['auto', 'observe', 'off', '5m', '1h']).optional(),
  deadlineMs: z.number().positive().optional(),
  dedupe: z.enum(['off', 'force']).optional(),
  traceparent: z.string().optional(),
});

/** Checks a call context given to `with` or `run`. */
export function readContext(context: unknown): CallContext {
  const result = contextSchema.safeParse(context);
  if (result.success) return result.data;
  throw new RouterError(
    'ERR_OPTIONS',
    `A call context is wrong:\n${z.prettifyError(result.error)}\nIts fields are listed in docs/options.md.`,
  );
}
