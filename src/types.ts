/**
 * The contracts between the parts of the router. Types only: nothing here runs.
 */
import type { RateLimiting } from './limits/types.ts';
import type { MissReason, PromptCaching } from './prompt-cache/types.ts';
import type { RouterSnapshot } from './router-api.ts';
import type { JsonView } from './util/json-view.ts';

/** The request format of a call, named after the provider's endpoint; `other` for everything else. */
export type Api =
  | 'chat.completions'
  | 'completions'
  | 'responses'
  | 'messages'
  | 'generateContent'
  | 'embeddings'
  | 'other';

/** How a call ended. Only `ok` is a whole answer. */
export type Outcome =
  | 'ok'
  | 'rate_limited'
  | 'overloaded'
  | 'client_error'
  | 'server_error'
  | 'network_error'
  | 'timeout'
  | 'stalled'
  | 'truncated'
  | 'aborted'
  | 'rejected';

export type Priority = 'urgent' | 'high' | 'normal' | 'low';

/**
 * Tokens of one answer in disjoint buckets. Unknown is `undefined`, never 0.
 *
 * `inputTokens.total` = `uncached` + `cacheRead` + `cacheWrite` + `cacheWrite1h` (unknown parts count as
 * nothing); `outputTokens.reasoning` is a part of `outputTokens.total`.
 */
export interface TokenUsage {
  inputTokens: {
    total?: number | undefined;
    /** Tokens billed at the plain input price. */
    uncached?: number | undefined;
    /** Tokens read from the provider's prompt cache. */
    cacheRead?: number | undefined;
    /** Tokens written to the prompt cache with the default lifetime. */
    cacheWrite?: number | undefined;
    /** Tokens written with a lifetime of one hour; not part of `cacheWrite`. */
    cacheWrite1h?: number | undefined;
  };
  outputTokens: {
    total?: number | undefined;
    reasoning?: number | undefined;
  };
  /**
   * `exact`: the provider's own final numbers. `partial`: some are the provider's, the rest is missing or
   * estimated, or its numbers contradict each other. `estimated`: counted here. `none`: nothing is known.
   */
  grade: 'exact' | 'partial' | 'estimated' | 'none';
  /** The provider's own usage object, merged over the stream where it came in parts. */
  raw?: unknown;
}

/** What an answer cost. Amounts are exact decimal strings in US dollars. */
export interface Cost {
  /** `null` when no price is known, never `"0"`. */
  usd: string | null;
  inputUsd?: string | undefined;
  cacheReadUsd?: string | undefined;
  cacheWriteUsd?: string | undefined;
  outputUsd?: string | undefined;
  /** `exact`: the model's own listed price. `approximate`: an alias or an estimated usage. */
  price: 'exact' | 'approximate' | 'unpriced';
  /** The day (`YYYY-MM-DD`) from which the price applied. */
  priceDate?: string | undefined;
}

/** Why a prefix that could have been read from the prompt cache was not. */
export interface CacheMiss {
  reason: MissReason;
  /** Index, in cache order (tools, system, messages), of the first block that differs or of the last one that was lost. */
  position?: number | undefined;
  /** Where the text of the system prompt or of a tool first differs, and what kind of text differs there. Never the text. */
  difference?: { byte: number; class: 'timestamp' | 'uuid' | 'counter' | 'other' } | undefined;
  /** Input tokens that would have been read. */
  lostTokens?: number | undefined;
  /** What they cost more than they would have. */
  lostUsd?: string | undefined;
}

/** One call as the sinks store it, schema version 1. Every call gives exactly one with `final: true`. */
export interface UsageRecord {
  schemaVersion: 1;
  /** UUIDv7; sinks insert idempotently by it. */
  id: string;
  callId: string;
  /** 1 for the first request sent upstream; 0 when none was sent. */
  attempt: number;
  final: boolean;
  /** ISO 8601, UTC. */
  startedAt: string;
  /** OpenTelemetry `gen_ai.provider.name` where one exists, else the host name. */
  provider: string;
  api: Api;
  requestModel?: string | undefined;
  responseModel?: string | undefined;
  route?: string | undefined;
  target?: string | undefined;
  stream: boolean;
  outcome: Outcome;
  status?: number | undefined;
  /** The router's `ERR_…` code, or the provider's own error code or type. */
  errorCode?: string | undefined;
  providerRequestId?: string | undefined;
  usage: TokenUsage;
  cost: Cost;
  saved: { cacheUsd?: string | undefined; dedupeUsd?: string | undefined };
  timing: {
    queuedMs: number;
    heldMs: number;
    timeToHeadersMs?: number | undefined;
    timeToFirstChunkMs?: number | undefined;
    durationMs: number;
  };
  dedupe?: { role: 'leader' | 'follower' | 'cache'; leaderId?: string | undefined } | undefined;
  cache?:
    | {
        prefix: string;
        marks: number;
        expectedRead?: number | undefined;
        miss?: CacheMiss | undefined;
      }
    | undefined;
  context: {
    tenant?: string | undefined;
    user?: string | undefined;
    priority: Priority;
    session?: string | undefined;
    tags?: Record<string, string> | undefined;
  };
  /** The span that the call was made in, where its caller named one (W3C trace context). Lower-case hex. */
  trace?: { traceId: string; spanId: string; sampled: boolean } | undefined;
  /** Text of the request and of the answer. Only with the option `capture`, and as its `redact` left it. */
  captured?: { request?: string | undefined; answer?: string | undefined } | undefined;
}

/**
 * Where usage records go. `write` resolves when the batch is stored; a rejection is retried with backoff.
 * A sink never sees two writes at once and never fails a call.
 */
export interface Sink {
  readonly name: string;
  write(records: readonly UsageRecord[]): Promise<void>;
  flush?(): Promise<void>;
  close?(): Promise<void>;
  /** Called once by a router that the sink was given to, before any write: for sinks that show more than records. */
  attach?(router: RouterView): void;
}

/** What a sink may see of its router. */
export interface RouterView {
  snapshot(): RouterSnapshot;
}

/** The only source of time. Timers it sets must not keep the process alive. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallNow(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** Uniform in [0, 1). The only source of randomness. */
export type Random = () => number;

/** Who makes a call and what they want of it. Also as request headers `x-tokenrouter-…`. */
export interface CallContext {
  priority?: Priority | undefined;
  tenant?: string | undefined;
  user?: string | undefined;
  tags?: Record<string, string> | undefined;
  /** A conversation. */
  session?: string | undefined;
  /** What this call wants of the prompt cache: a mode of the option of that name, or a lifetime. */
  promptCache?: PromptCacheWish | undefined;
  /**
   * Milliseconds from the call until the head of its answer must be there. A call that cannot make it is refused
   * (`ERR_DEADLINE`), at once where that can be foreseen. Default: none.
   */
  deadlineMs?: number | undefined;
  /** Whether identical calls in flight share one request, whatever the router's mode says. Default: as the mode says. */
  dedupe?: 'off' | 'force' | undefined;
  /**
   * The span that the call belongs to, as a W3C `traceparent`. It is sent on as the header of that name, unless the request has
   * one, which goes before this. Default: what the request's own header says.
   */
  traceparent?: string | undefined;
}

export type PromptCacheWish = 'auto' | 'observe' | 'off' | '5m' | '1h';

/** A user function around the pipeline; the first listed is the outermost. */
export type Middleware = (
  request: MiddlewareRequest,
  next: (request: MiddlewareRequest) => Promise<Response>,
  context: Readonly<CallContext> & { readonly callId: string },
) => Promise<Response>;

/** The parts of a request that a middleware may look at or replace. */
export interface MiddlewareRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array | null;
}

/** What a URL means to an adapter. Computed once per distinct URL and then shared: never changed. */
export interface Endpoint {
  /** As in `UsageRecord.provider`. */
  readonly provider: string;
  readonly api: Api;
  /** How answers of this endpoint are read; absent where nothing can be billed (model lists, files). */
  readonly wire?: Wire | undefined;
  /** The model, where the URL names it (Gemini, Bedrock, Azure deployments). */
  readonly model?: string | undefined;
  /** Set where the URL and not the body decides whether the answer is streamed. */
  readonly stream?: boolean | undefined;
  /**
   * Whether to add `stream_options.include_usage`: `ask` where the provider takes it, `try` where it may
   * answer 400 (asked once more without, then remembered), absent where it must not be sent or is not needed.
   */
  readonly streamUsage?: 'ask' | 'try' | undefined;
  /** How the provider's prompt cache works; absent where nothing is known. */
  readonly cache?: PromptCaching | undefined;
  /** How the provider limits; absent where nothing is known. */
  readonly limits?: RateLimiting | undefined;
}

/** One provider: decides which URLs are its own and how their answers are read. */
export interface ProviderAdapter {
  readonly name: string;
  /** `undefined` when the URL is not this provider's. First match wins. */
  match(url: URL): Endpoint | undefined;
}

/** One event of a streamed answer, whatever its framing (SSE, JSON lines, AWS event stream). */
export interface StreamEvent {
  /** SSE `event:` field, or AWS `:event-type` or `:exception-type`; empty when there is none. */
  readonly name: string;
  /** The event's data as sent; `[DONE]` is passed on like any other. */
  readonly data: string;
  /** The data as JSON, read member by member; empty when it is not an object. */
  readonly json: JsonView;
}

/** What an answer has told so far. Wires write it; unknown stays undefined. */
export interface AnswerFacts {
  /** The model that the provider says answered. */
  model?: string | undefined;
  /** The provider's own usage object, merged by the wire where a stream brings it in parts. */
  usage?: unknown;
  /** `service_tier` or its like, as reported. */
  serviceTier?: string | undefined;
  requestId?: string | undefined;
  /** Something beside tokens is billed (searches, tools), and `usage` does not say so itself. */
  hasOtherCharges?: boolean | undefined;
  /** An error in the body, also inside an HTTP 200. Never its message: it may quote the prompt. */
  error?: { type?: string | undefined; code?: string | undefined } | undefined;
  /** When an error says to come again, in milliseconds, where a provider says so in the body (Gemini's `RetryInfo`). */
  retryAfterMs?: number | undefined;
  /** An error says of the limit that it is none at all (Gemini's and Mistral's limit of 0): waiting does not help. */
  hasNoQuota?: boolean | undefined;
  /** A stream's end marker or finish reason was seen. */
  complete?: boolean | undefined;
  /**
   * Whose usage it is, when not this call's: `earlier` repeats that of a call that was recorded with its cost (a stored
   * answer, a batch's sum), so no cost is given again; `later` means that it will come with another call (a background
   * answer), so it is not estimated.
   */
  usageOf?: 'earlier' | 'later' | undefined;
}

/** How the answers of one API are read. Pure: a wire keeps nothing, all it learns goes into the facts. */
export interface Wire {
  readonly name: string;
  /**
   * Only stream events whose bytes hold one of these are parsed, and a stream's first event, which names the model;
   * an empty list reads every event. They must cover usage, errors and the end of the stream, and should be rare
   * in ordinary frames.
   */
  readonly marks: readonly string[];
  /** Marks of a stream's end, looked for only in its last part and only when the others have not shown it. */
  readonly endMarks?: readonly string[] | undefined;
  /** Reads a whole JSON answer, an error answer included. */
  answer(json: JsonView, facts: AnswerFacts): void;
  /** Reads one event of a stream; events come in order. */
  event(event: StreamEvent, facts: AnswerFacts): void;
  /** From response headers, where a provider reports usage there (Bedrock). */
  headers?(headers: HeaderLookup, facts: AnswerFacts): void;
  /** The provider's usage object in the disjoint buckets. Pure and total: odd numbers never throw. */
  usage(raw: unknown): TokenUsage;
  /** Text, reasoning and tool arguments that one event or whole answer brings, for estimates. */
  outputText(json: JsonView): string;
  /** What this provider's error types and codes mean, where they say more than the status (`outcomeOf`). */
  readonly errorOutcomes?: ReadonlyMap<string, Outcome> | undefined;
}

/** Case-insensitive look-up of a response header. */
export type HeaderLookup = (name: string) => string | undefined;
