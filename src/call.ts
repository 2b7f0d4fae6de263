import type { AnswerTap } from './answer/tap.ts';
import type { RouterErrorCode } from './errors.ts';
import type { RequestBody, RequestParts } from './http/read-request.ts';
import type { Demand, Permit, Verdict } from './limits/types.ts';
import type { Draft } from './prompt-cache/body/prompt-reader.ts';
import type { PlannedCall } from './prompt-cache/cache-keeper.ts';
import type { CacheRequest } from './prompt-cache/cache-request.ts';
import type { CacheAccount, Edit, Fingerprint, Prompt } from './prompt-cache/types.ts';
import type {
  AnswerFacts,
  CallContext,
  Endpoint,
  HeaderLookup,
  Priority,
  UsageRecord,
  TokenUsage,
} from './types.ts';
import { accountOf } from './util/account.ts';
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
  | 'failed'
  /** The host read so slowly that what others had read long ago could not be kept for it (only of a shared answer). */
  | 'slow';

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
  /** Headers of the answer. */
  header: HeaderLookup | undefined;
  /** Told of head, progress and end. */
  readonly watcher: AttemptWatcher | undefined;
  /** So many bytes of the answer, then the watcher wants to know. */
  nextReport: number = Infinity;
  #usage: TokenUsage | undefined;
  /** Who waits for its end. */
  readonly listeners: Array<() => void> = [];
  /** Whether it has its own record. Written by `meter`. */
  isRecorded = false;
  /** What its record says of usage and cost, once somebody has asked. Written by `meter`. */
  account: Account | Promise<Account> | undefined;
  /** What it is to a call of several that share its answer. Written by `dedupe`, read by `meter`. */
  share: Share | undefined;
  /** Takes what it cost, for those that get its answer later. Made by `dedupe`, filled in by `meter`. */
  bill: Bill | undefined;

  constructor(
    number: number,
    startedAt: number,
    { endpoint, json, model, stream, hidesUsageChunk, cacheAccount }: Asked,
    watcher?: AttemptWatcher,
  ) {
    this.number = number;
    this.startedAt = startedAt;
    this.asked = { endpoint, json, model, stream, hidesUsageChunk, cacheAccount };
    this.watcher = watcher;
  }

  /** What the provider reports; `undefined` where nothing is billed. Ask when it is over. */
  usage(): TokenUsage | undefined {
    return (this.#usage ??= this.asked.endpoint.wire?.usage(this.facts.usage));
  }

  /** Calls back when the attempt is over: at once when it is already. */
  whenEnded(listener: () => void): void {
    if (this.end === undefined) this.listeners.push(listener);
    else listener();
  }
}

/** What an attempt used and cost. */
export type Account = Pick<UsageRecord, 'usage' | 'cost' | 'saved' | 'cache'>;

/** A call's part in an answer that several calls share. */
export interface Share {
  readonly role: 'leader' | 'follower' | 'cache';
  /** The call that pays; `undefined` for the leader, which does so itself. */
  readonly leaderId: string | undefined;
  /** The attempt that gave a follower its whole answer. */
  readonly answer: Attempt | undefined;
  /** What an answer from the cache cost when it was new. */
  readonly bill: Bill | undefined;
}

export interface Bill {
  /** As in `Cost.usd`; `undefined` while it is not known. */
  usd: string | null | undefined;
}

/** Follows an attempt from its head to its end. Never throws. */
export interface AttemptWatcher {
  /** The headers are here: `status` and `header` are set. */
  headers(attempt: Attempt): void;
  /** `nextReport` bytes of the answer are here; it sets the next mark. */
  progress(attempt: Attempt): void;
  /** It is over: `end` and `facts` are set. Exactly once. */
  ended(attempt: Attempt): void;
}

/**
 * One call on its way through the pipeline: the only thing that flows.
 *
 * | field | written by | read by |
 * | --- | --- | --- |
 * | `id`, `sequence`, `startedAt`, `startedEpochMs` | router | meter, schedule, send |
 * | `input`, `init`, `transport` | router | send (an untouched call is forwarded as it came) |
 * | `url`, `method`, `headers` | router, middleware | identify, send |
 * | `body` | router, middleware, canonicalize, budget, adapt | identify, chunk, adapt, send |
 * | `signal`, `redirect` | router | send |
 * | `context` | router, dedupe | dedupe, schedule, meter |
 * | `changed` | router, middleware, canonicalize, budget, adapt, cache-control | send |
 * | `parsedUrl`, `endpoint`, `json`, `model`, `stream` | identify | chunk, adapt, send, meter |
 * | `draft` | chunk, arrange | canonicalize, fingerprint |
 * | `prompt` | canonicalize | warm-up, cache-control |
 * | `fingerprint` | fingerprint | warm-up, cache-control |
 * | `cacheRequest`, `heldMs`, `heldSince` | warm-up | cache-control, meter |
 * | `onHurry` | schedule | dedupe |
 * | `planned`, `cacheAccount` | cache-control | meter |
 * | `edits` | budget, adapt, cache-control | send |
 * | `hidesUsageChunk` | adapt | send |
 * | `attemptsLeft` | retry | schedule |
 * | `demand`, `permits`, `queueCharge` | schedule | limit, retry, meter |
 * | `queuedMs`, `queuedSince`, `refusal` | budget, schedule | dedupe, retry, meter |
 * | `watcher`, `verdict` | limit | send, retry |
 * | `attempts` | send, dedupe | budget, retry, meter |
 * | `onAttemptEnd` | meter, dedupe | send, dedupe |
 */
export class Call {
  /** UUIDv7, also the response header `x-tokenrouter-id`. */
  readonly id: string;
  /** In the order of arrival. */
  readonly sequence: number = sequence++;
  readonly startedAt: number;
  readonly startedEpochMs: number;
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
  /** The wrapped client's own `fetch`. */
  readonly transport: typeof globalThis.fetch | undefined;
  readonly signal: AbortSignal | undefined;
  readonly redirect: Request['redirect'];
  /** Changed only in a fork, which is as urgent as the most urgent call that waits for it. */
  context: Readonly<CallContext> & { readonly priority: Priority };
  /** Told when `context` has become more urgent while the call waits for its turn. */
  onHurry: (() => void) | undefined;

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

  /** How many more attempts there may be after the next. */
  attemptsLeft = 0;
  /** What the next attempt will take of the limits. */
  demand: Demand | undefined;
  /** One of each limit that the next attempt falls under: it may go. */
  permits: Permit | undefined;
  /** How long the call has waited for its turns, in milliseconds. */
  queuedMs = 0;
  /** Since when it waits for one. */
  queuedSince: number | undefined;
  /** What its turn counted in the queue, for when it comes back. */
  queueCharge: number | undefined;
  /** Why the router did not send it. */
  refusal: RouterErrorCode | undefined;
  watcher: AttemptWatcher | undefined;
  /** What the last attempt says about load, once it has ended. */
  verdict: Verdict | undefined;

  readonly attempts: Attempt[] = [];
  onAttemptEnd: (attempt: Attempt) => void = () => {};
  /** Ends the call at once, wherever it is. Written by `meter`. */
  cut: (error: Error) => void = () => {};
  /** Why the call was cut. */
  cutBy: Error | undefined;

  #account: { readonly of: readonly string[]; readonly name: string } | undefined;

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

  /** Whose account pays: a short name, the same for the same credentials, that says nothing of them. */
  get account(): string {
    if (this.#account?.of !== this.headers) {
      this.#account = { of: this.headers, name: accountOf(this.headers) };
    }
    return this.#account.name;
  }

  /**
   * The same request for the stages inside, with a signal and an end of its own, so that it can answer several calls. It knows
   * of earlier attempts only to count on from them.
   */
  fork(signal: AbortSignal): Call {
    const { url, method, body, redirect } = this;
    const parts = { url, method, body, redirect, signal, headers: [], consumed: true };
    const fork = Object.assign(new Call(this, parts), this, {
      signal,
      // The host's own arguments name the host's own signal.
      changed: true,
      attempts: this.attempts.filter(({ number }) => number > 0),
      onAttemptEnd: nothing,
      cut: nothing,
    });
    fork.#account = this.#account;
    return fork;
  }

  /** Ends an attempt. Only the first end counts. */
  finishAttempt(attempt: Attempt, end: AttemptEnd, now: number, error?: unknown): void {
    if (attempt.end !== undefined) return;
    attempt.end = end;
    attempt.endedAt = now;
    attempt.error = error;
    if (attempt.tap !== undefined) attempt.facts = attempt.tap.facts();
    attempt.release?.();
    attempt.watcher?.ended(attempt);
    this.onAttemptEnd(attempt);
    for (const listener of attempt.listeners.splice(0)) listener();
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

const nothing = (): void => {};
let sequence = 0;
const UNKNOWN: Endpoint = { provider: 'unknown', api: 'other' };
