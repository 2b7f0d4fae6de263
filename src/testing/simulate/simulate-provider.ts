import type { Clock } from '../../types.ts';
import { createSeededRandom } from '../seeded-random.ts';
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
import type { Dialect, Refusal } from './reply.ts';
import { maxOutputTokens, modelIn, parseObject } from './request-body.ts';
import { servedResponse } from './served-response.ts';
import { respond, timedResponse } from './timed-response.ts';
import { checkOptions } from './traffic/check-options.ts';
import type { TrafficOptions } from './traffic/options.ts';
import { createLatency } from './traffic/latency.ts';
import { createTraffic } from './traffic/traffic.ts';
import type { Serve, TurnedAway } from './traffic/traffic.ts';
import { unreachable } from './unreachable.ts';
import type { Unreachable } from './unreachable.ts';

export type SimulateOptions = ProviderOptions & AnswerOptions & TrafficOptions;

export interface AnswerOptions {
  /** What answers. Default: `ok`. */
  answer?: AnswerOption;
  /** The model that answers, whatever was asked for. Default: the one that was asked for. */
  model?: string;
  /**
   * Requests of different scopes (organizations, workspaces, regions) share nothing in the prompt cache, and no limits. Default:
   * all share one.
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
 * the real `fetch`. Throws a `TypeError` for options that it does not know or that are wrong, a `RangeError` for wrong times.
 */
export function simulateProvider(options: SimulateOptions): SimulatedProvider {
  checkOptions(options);
  const { clock, answer = 'ok', scope, onCall } = options;
  const { firstByteMs = clock ? 1000 : 0, durationMs = Math.max(firstByteMs, clock ? 2000 : 0) } =
    options;
  if (!(firstByteMs >= 0 && durationMs >= firstByteMs && durationMs < Infinity)) {
    throw new RangeError(
      `simulateProvider: expected 0 <= firstByteMs <= durationMs, got ${firstByteMs} and ${durationMs}`,
    );
  }
  const { provider } = options;
  const dialect = DIALECTS[provider];
  const now = clock === undefined ? (options.now ?? (() => 0)) : () => clock.now();
  const wallNow = (): number => clock?.wallNow() ?? now();
  const cache = createCache(options, options.tokensOf);
  const log = createCallLog(onCall);
  const random = options.random ?? createSeededRandom();
  const latency = createLatency(options.latency, { headMs: firstByteMs, durationMs }, random);
  const traffic = createTraffic(options, { provider, clock, now, wallNow, random });

  async function simulated(input: FetchInput, init?: RequestInit): Promise<Response> {
    if (!isHttp(input)) return fetch(input, init);
    const signal = signalOf(input, init);
    signal?.throwIfAborted();
    const request = await readRequest(input, init);
    signal?.throwIfAborted();

    const requestId = dialect.requestId(log.size);
    const outgoing = take(request, requestId);
    if ('how' in outgoing) return unreachable(outgoing.how, signal);

    const { status, type, chunks, isStream, serve } = outgoing;
    const head = { 'content-type': type, ...dialect.headers(requestId), ...outgoing.headers };
    const { url } = request;
    if (traffic !== undefined) {
      // Absolute times in headers mean little to whoever does not know what time it is here.
      const headers = (): Readonly<Record<string, string>> => ({
        ...head,
        date: new Date(wallNow()).toUTCString(),
      });
      return serve === undefined
        ? respond(url, chunks.join(''), { status, headers: headers() })
        : servedResponse({ url, status, headers, chunks, isStream, signal, serve });
    }
    const arrivedAt = clock?.now() ?? 0;
    // An error is known before a model is asked.
    const [startsAfter, endsAfter] =
      status >= 400 ? [0, 0] : [isStream ? firstByteMs : durationMs, durationMs];
    return timedResponse({
      url,
      status,
      headers: head,
      chunks,
      startsAt: arrivedAt + startsAfter,
      endsAt: arrivedAt + endsAfter,
      clock,
      signal,
    });
  }

  /** Answers or refuses a request, and logs it. What the answer function throws reaches the caller. */
  function take(request: SeenRequest, requestId: string): Outgoing | Lost {
    const url = new URL(request.url);
    const endpoint = request.method === 'POST' ? dialect.endpoint(url) : undefined;
    const body = parseObject(request.body);
    const isStream = endpoint !== undefined && body !== undefined && endpoint.isStream(body);
    const model = options.model ?? endpoint?.model ?? modelIn(body);
    const seen = { at: now(), model, stream: isStream, body };
    const error = (status: number, content: unknown): Outgoing => {
      const chunks = [JSON.stringify(content)];
      return { status, type: dialect.jsonType, chunks, isStream: false };
    };
    const refused = (refusal: Refusal): Outgoing => {
      const { status } = refusal;
      log.push({ ...seen, status, usage: undefined, cache: undefined });
      return error(status, dialect.error(refusal, requestId));
    };
    const turnedAway = (turned: TurnedAway): Outgoing | Lost => {
      const { reason: refusal } = turned;
      const status = turned.kind === 'lost' ? 0 : turned.status;
      log.push({ ...seen, status, usage: undefined, cache: undefined, refusal });
      if (turned.kind === 'lost') return turned;
      return { ...error(status, turned.body), headers: turned.headers };
    };

    const turned = traffic?.arrive(requestId, model);
    if (turned !== undefined) return turnedAway(turned);
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
    const scopeName =
      typeof scope === 'function' ? scope({ headers: request.headers, body }) : scope;
    const lookup = cache({ number: call, scope: scopeName, model, body, answer: given });
    const { promptTokens } = lookup;
    const admission = traffic?.admit(
      { scope: scopeName ?? '', model },
      { inputTokens: promptTokens, maxOutputTokens: maxOutputTokens(body) },
      requestId,
    );
    if (admission !== undefined && admission.kind !== 'admitted') return turnedAway(admission);

    const timing = latency({
      body,
      inputTokens: promptTokens,
      outputTokens: () => given().outputTokens,
    });
    const { result, inputTokens } = lookup.process({
      at: seen.at,
      readableAfter: timing.headMs,
      duration: timing.durationMs,
    });
    if (result.refusal !== undefined) return refused({ status: 400, message: result.refusal });

    const outputTokens = { total: given().outputTokens };
    const usage = { inputTokens, outputTokens };
    log.push({ ...seen, status: 200, usage, cache: result });
    const wallMs = clock?.wallNow() ?? 0;
    const reply = { number: call, model, wallMs, body, answer: given(), usage };
    const content = isStream
      ? { type: endpoint.streamType, chunks: endpoint.chunks(reply) }
      : { type: dialect.jsonType, chunks: [JSON.stringify(endpoint.whole(reply))] };
    return {
      status: 200,
      ...content,
      isStream,
      ...admission?.enter(inputTokens.cacheRead ?? 0, {
        timing,
        isStream,
        outputTokens: outputTokens.total,
      }),
    };
  }

  return Object.assign(simulated, {
    calls: log.calls,
    totals: () => ({ ...log.totals(), ...traffic?.totals() }),
  });
}

/** A request's outcome before it is timed. */
interface Outgoing {
  readonly status: number;
  readonly type: string;
  readonly chunks: readonly string[];
  readonly isStream: boolean;
  /** Beside those of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What writes the answer, where traffic is simulated. */
  readonly serve?: Serve;
}

/** There is no outcome. */
interface Lost {
  readonly how: Unreachable;
}

const SILENCE: Answer = { text: '', toolCalls: [], outputTokens: 0 };

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
