import type { Clock } from '../../types.ts';
import { isHttp, readRequest, signalOf } from '../seen-request.ts';
import type { FetchInput, SeenRequest } from '../seen-request.ts';
import { answerTo } from './answer.ts';
import type { Answer, AnswerOption } from './answer.ts';
import { anthropicDialect } from './anthropic-dialect.ts';
import { quarterOfBytes } from './cache/block-facts.ts';
import { createCache } from './caches.ts';
import type { ProviderOptions } from './caches.ts';
import { createCallLog } from './call-log.ts';
import type { SimulatedCall, SimulatedTotals } from './call-log.ts';
import { deepseekDialect } from './deepseek-dialect.ts';
import { geminiDialect } from './gemini-dialect.ts';
import { openaiDialect } from './openai-dialect.ts';
import type { Dialect, JsonObject, Refusal } from './reply.ts';
import { timedResponse } from './timed-response.ts';

export type SimulateOptions = ProviderOptions & AnswerOptions;

export interface AnswerOptions {
  /** What answers. Default: `ok`. */
  answer?: AnswerOption;
  /** The model that answers, whatever was asked for. Default: the one that was asked for. */
  model?: string;
  /**
   * Requests of different scopes (organizations, workspaces, regions) share nothing in the prompt cache. Default: all share
   * one.
   */
  scope?: string | ((request: { headers: Headers; body: unknown }) => string);
  /**
   * Tokens of a text: of each block of a prompt, by itself, and of the answer. Default: a quarter of its UTF-8 bytes. Images and
   * other data count 1500.
   */
  tokensOf?: (text: string) => number;
  /** Time, and what waits for it: the router's clock. Default: none, answers come at once and no time passes. */
  clock?: Clock;
  /** Milliseconds, where there is no `clock`: how old prompt cache entries are. Default: always 0. */
  now?: () => number;
  /**
   * From the request to the first byte of a stream, in milliseconds; what a request writes into the prompt cache can be read
   * from then on. Default: 1000, without a clock 0.
   */
  firstByteMs?: number;
  /** From the request to the end of a stream, or to the headers of a whole answer. Default: 2000, without a clock 0. */
  durationMs?: number;
  /** Told of every call when it arrives. */
  onCall?: (call: SimulatedCall) => void;
}

/** A `fetch` that answers like a provider. */
export interface SimulatedProvider {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Every call so far, in order of arrival; the latest 10 000. */
  readonly calls: readonly SimulatedCall[];
  /** Sums over every call so far. */
  totals(): SimulatedTotals;
}

const DIALECTS: Readonly<Record<SimulateOptions['provider'], Dialect>> = {
  anthropic: anthropicDialect,
  openai: openaiDialect,
  deepseek: deepseekDialect,
  gemini: geminiDialect,
};

/**
 * A `fetch` that answers like a provider, streaming and not, without a network: given texts and tool calls, the usage that the
 * provider's prompt cache would have made of the requests so far, and its errors. Requests are told apart by the path of
 * their URL; the host does not count. The same calls give the same bytes in every run.
 *
 * Rejects with the signal's reason when a call is aborted; the prompt cache has then seen it all the same. `data:` URLs go to
 * the real `fetch`.
 */
export function simulateProvider(options: SimulateOptions): SimulatedProvider {
  const { clock, answer = 'ok', scope, onCall } = options;
  const { firstByteMs = clock ? 1000 : 0, durationMs = Math.max(firstByteMs, clock ? 2000 : 0) } =
    options;
  if (!(firstByteMs >= 0 && durationMs >= firstByteMs && durationMs < Infinity)) {
    throw new RangeError(
      `simulateProvider: expected 0 <= firstByteMs <= durationMs, got ${firstByteMs} and ${durationMs}`,
    );
  }
  const dialect = DIALECTS[options.provider];
  const now = clock === undefined ? (options.now ?? (() => 0)) : () => clock.now();
  const cache = createCache(options, options.tokensOf);
  const log = createCallLog(onCall);

  async function simulated(input: FetchInput, init?: RequestInit): Promise<Response> {
    if (!isHttp(input)) return fetch(input, init);
    const signal = signalOf(input, init);
    signal?.throwIfAborted();
    const request = await readRequest(input, init);
    signal?.throwIfAborted();

    const requestId = dialect.requestId(log.size);
    const { status, type, chunks, isStream } = take(request, requestId);
    const arrivedAt = clock?.now() ?? 0;
    // An error is known before a model is asked.
    const [startsAfter, endsAfter] =
      status >= 400 ? [0, 0] : [isStream ? firstByteMs : durationMs, durationMs];
    return timedResponse({
      url: request.url,
      status,
      headers: { 'content-type': type, ...dialect.headers(requestId) },
      chunks,
      startsAt: arrivedAt + startsAfter,
      endsAt: arrivedAt + endsAfter,
      clock,
      signal,
    });
  }

  /** Answers or refuses a request, and logs it. What the answer function throws reaches the caller. */
  function take(request: SeenRequest, requestId: string): Outgoing {
    const url = new URL(request.url);
    const endpoint = request.method === 'POST' ? dialect.endpoint(url) : undefined;
    const body = parseObject(request.body);
    const isStream = endpoint !== undefined && body !== undefined && endpoint.isStream(body);
    const model = options.model ?? endpoint?.model ?? modelIn(body);
    const seen = { at: now(), model, stream: isStream, body };
    const refused = (refusal: Refusal): Outgoing => {
      const { status } = refusal;
      log.push({ ...seen, status, usage: undefined, cache: undefined });
      const chunks = [JSON.stringify(dialect.error(refusal, requestId))];
      return { status, type: dialect.jsonType, chunks, isStream: false };
    };

    if (endpoint === undefined) {
      return refused({ status: 404, message: `Not found: ${request.method} ${url.pathname}` });
    }
    if (body === undefined) return refused({ status: 400, message: 'Invalid JSON in the body.' });
    const fault = endpoint.check(body);
    if (fault !== undefined) return refused(fault);
    if (model === undefined) return refused({ status: 400, message: 'No model was named.' });

    const call = log.totals().calls;
    const given = once(() =>
      endpoint.isSilent?.(body) === true
        ? SILENCE
        : answerTo(answer, { body, call }, options.tokensOf ?? quarterOfBytes),
    );
    const { result, inputTokens } = cache({
      number: call,
      at: seen.at,
      readableAfter: firstByteMs,
      duration: durationMs,
      scope: typeof scope === 'function' ? scope({ headers: request.headers, body }) : scope,
      model,
      body,
      answer: given,
    });
    if (result.refusal !== undefined) return refused({ status: 400, message: result.refusal });

    const outputTokens = { total: given().outputTokens };
    const usage = { inputTokens, outputTokens };
    log.push({ ...seen, status: 200, usage, cache: result });
    const wallMs = clock?.wallNow() ?? 0;
    const reply = { number: call, model, wallMs, body, answer: given(), usage };
    return isStream
      ? { status: 200, type: endpoint.streamType, chunks: endpoint.chunks(reply), isStream }
      : {
          status: 200,
          type: dialect.jsonType,
          chunks: [JSON.stringify(endpoint.whole(reply))],
          isStream,
        };
  }

  return Object.assign(simulated, { calls: log.calls, totals: () => log.totals() });
}

/** A request's outcome before it is timed. */
interface Outgoing {
  readonly status: number;
  readonly type: string;
  readonly chunks: readonly string[];
  readonly isStream: boolean;
}

const SILENCE: Answer = { text: '', toolCalls: [], outputTokens: 0 };

function parseObject(bytes: Uint8Array | null): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? undefined),
    );
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function modelIn(body: JsonObject | undefined): string | undefined {
  const model = body?.['model'];
  return typeof model === 'string' ? model : undefined;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
