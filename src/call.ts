import type { AnswerTap } from './answer/tap.ts';
import type { RequestBody, RequestParts } from './http/read-request.ts';
import type { Draft } from './prompt-cache/body/prompt-reader.ts';
import type { PlannedCall } from './prompt-cache/cache-keeper.ts';
import type { CacheRequest } from './prompt-cache/cache-request.ts';
import type { CacheAccount, Edit, Fingerprint, Prompt } from './prompt-cache/types.ts';
import type { AnswerFacts, CallContext, Endpoint, Priority } from './types.ts';
import type { JsonView } from './util/json-view.ts';

/** How an attempt's answer came to its end, as seen from the transport. */
export type AttemptEnd =
  /** The body ended as HTTP says it does. */
  | 'complete'
  /** The host stopped reading. */
  | 'cancelled'
  /** The host's signal fired. */
  | 'aborted'
  /** No byte for `idleTimeoutMs`. */
  | 'stalled'
  /** The network failed, before or in mid-body. */
  | 'failed';

/** One request sent upstream, and what came of it. Written by `send`, read by `meter`. */
export class Attempt {
  /** 1 for the first. */
  readonly number: number;
  readonly startedAt: number;
  headersAt: number | undefined;
  firstChunkAt: number | undefined;
  endedAt: number | undefined;
  status: number | undefined;
  requestId: string | undefined;
  /** Reads a copy of the answer; absent where nothing can be billed or before headers. */
  tap: AnswerTap | undefined;
  facts: AnswerFacts = {};
  end: AttemptEnd | undefined;
  error: unknown;
  /** What was asked. Kept here because a middleware may ask something else, elsewhere, in its next attempt. */
  readonly asked: Asked;
  /** Breaks the attempt off from outside. Written by the transport. */
  cut: ((error: Error) => void) | undefined;
  /** Gives back what the transport holds on to while the attempt lasts. */
  release: (() => void) | undefined;
  /** Whether it has its own record. Written by `meter`. */
  isRecorded = false;

  constructor(
    number: number,
    startedAt: number,
    { endpoint, json, model, stream, hidesUsageChunk, cacheAccount }: Asked,
  ) {
    this.number = number;
    this.startedAt = startedAt;
    this.asked = { endpoint, json, model, stream, hidesUsageChunk, cacheAccount };
  }
}

/**
 * One call on its way through the pipeline: the only thing that flows.
 *
 * | field | written by | read by |
 * | --- | --- | --- |
 * | `id`, `startedAt`, `startedEpochMs` | router | meter, send |
 * | `input`, `init`, `transport` | router | send (an untouched call is forwarded as it came) |
 * | `url`, `method`, `headers` | router, middleware | identify, send |
 * | `body` | router, middleware, canonicalize, adapt | identify, chunk, adapt, send |
 * | `signal`, `redirect` | router | send |
 * | `context` | router | meter |
 * | `changed` | router, middleware, canonicalize, adapt, cache-control | send |
 * | `parsedUrl`, `endpoint`, `json`, `model`, `stream` | identify | chunk, adapt, send, meter |
 * | `draft` | chunk, arrange | canonicalize, fingerprint |
 * | `prompt` | canonicalize | warm-up, cache-control |
 * | `fingerprint` | fingerprint | warm-up, cache-control |
 * | `cacheRequest`, `heldMs`, `heldSince` | warm-up | cache-control, meter |
 * | `planned`, `cacheAccount` | cache-control | meter |
 * | `edits` | adapt, cache-control | send |
 * | `hidesUsageChunk` | adapt | send |
 * | `attempts` | send | meter |
 * | `onAttemptEnd` | meter | send |
 */
export class Call {
  /** UUIDv7, also the response header `x-tokenrouter-id`. */
  readonly id: string;
  readonly startedAt: number;
  readonly startedEpochMs: number;
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
  /** The wrapped client's own `fetch`. */
  readonly transport: typeof globalThis.fetch | undefined;
  readonly signal: AbortSignal | undefined;
  readonly redirect: Request['redirect'];
  readonly context: Readonly<CallContext> & { readonly priority: Priority };

  url: string;
  method: string;
  /** Name, value, name, value … as they came, without the router's own. */
  headers: readonly string[];
  body: RequestBody;
  /** Whether anything differs from `input` and `init`. */
  changed: boolean;

  parsedUrl: URL | undefined;
  endpoint: Endpoint = UNKNOWN;
  /** The request body, when it is a JSON object. */
  json: JsonView | undefined;
  model: string | undefined;
  stream = false;

  /** The body taken apart, on its way to be a prompt. */
  draft: Draft | undefined;
  /** The body as blocks, where its format is known; in observe mode as it would be sent. */
  prompt: Prompt | undefined;
  fingerprint: Fingerprint | undefined;
  /** What is still to be written into the body, sorted by place; `send` renders it. */
  edits: readonly Edit[] = [];
  /** The call as the prompt cache sees it. */
  cacheRequest: CacheRequest | undefined;
  /** What is to be kept of it. */
  planned: PlannedCall | undefined;
  /** What the prompt cache is expected to do; the meter settles it. */
  cacheAccount: CacheAccount | undefined;
  /** How long the call waited for another one to fill the cache, in milliseconds. */
  heldMs = 0;
  /** Since when it waits so. */
  heldSince: number | undefined;

  /** The router asked for the usage chunk, so the host must not see it. */
  hidesUsageChunk = false;

  readonly attempts: Attempt[] = [];
  onAttemptEnd: (attempt: Attempt) => void = () => {};
  /** Ends the call at once, wherever it is. Written by `meter`. */
  cut: (error: Error) => void = () => {};
  /** Why the call was cut. */
  cutBy: Error | undefined;

  constructor(start: CallStart, parts: RequestParts) {
    this.id = start.id;
    this.startedAt = start.startedAt;
    this.startedEpochMs = start.startedEpochMs;
    this.input = start.input;
    this.init = start.init;
    this.transport = start.transport;
    this.context = start.context;
    this.headers = start.headers;
    this.changed = start.headers !== parts.headers || parts.consumed;
    this.signal = parts.signal;
    this.redirect = parts.redirect;
    this.url = parts.url;
    this.method = parts.method;
    this.body = parts.body;
  }

  /** Ends an attempt. Only the first end counts. */
  finishAttempt(attempt: Attempt, end: AttemptEnd, now: number, error?: unknown): void {
    if (attempt.end !== undefined) return;
    attempt.end = end;
    attempt.endedAt = now;
    attempt.error = error;
    if (attempt.tap !== undefined) attempt.facts = attempt.tap.facts();
    attempt.release?.();
    this.onAttemptEnd(attempt);
  }
}

/** What an attempt asks for, as the stages before `send` understood it. */
export type Asked = Pick<
  Call,
  'endpoint' | 'json' | 'model' | 'stream' | 'hidesUsageChunk' | 'cacheAccount'
>;

/** What a call starts with, beside the request itself. */
export type CallStart = Pick<
  Call,
  'id' | 'startedAt' | 'startedEpochMs' | 'input' | 'init' | 'transport' | 'context' | 'headers'
>;

const UNKNOWN: Endpoint = { provider: 'unknown', api: 'other' };
