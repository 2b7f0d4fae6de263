import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../types.ts';
import { systemClock } from '../util/clock.ts';
import { exchangeFixture } from './exchange-fixture.ts';
import type { Exchange } from './exchange-fixture.ts';
import type { Fault, Fixture } from './fixture.ts';
import type { Redactor } from './text-edits.ts';
import { isHttp, readRequest, signalOf } from './seen-request.ts';
import type { FetchInput, SeenRequest } from './seen-request.ts';
import { tapBody } from './tap-body.ts';

export interface RecordOptions {
  /** What does the calls. Default: the global `fetch`. */
  fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** A JSONL file to which each exchange is added when it has ended; its folder is made. */
  path?: string;
  /** Gets each exchange when it has ended. One of `path` and `onFixture` is needed. */
  onFixture?: (fixture: Fixture) => void;
  /**
   * What to remove beside keys, cookies, account ids and texts that look like keys, which go in any case. `false`
   * keeps everything: such a file must stay private.
   */
  redact?: readonly Redactor[] | false;
  /** Default: real time. */
  clock?: Clock;
  /** An exchange with a larger request or answer is not recorded. Default: 64 MiB. */
  maxBodyBytes?: number;
}

/**
 * A `fetch` that also records what passes. Answers go through untouched, chunk by chunk as the caller reads them. An
 * exchange is recorded when its body was read to the end, was cancelled or broke, or when the call failed; one whose
 * body nobody reads is not. Recording never fails a call: an exchange that cannot be recorded is a process warning.
 */
export function recordFetch(
  options: RecordOptions,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  const {
    clock = systemClock,
    redact = [],
    maxBodyBytes = 64 * 2 ** 20,
    path,
    onFixture,
  } = options;
  const send = options.fetch ?? globalThis.fetch;
  if (path === undefined && onFixture === undefined) {
    throw new TypeError('recordFetch: expected path or onFixture, got neither');
  }

  function keep(exchange: Exchange): void {
    const bytes = Math.max(exchange.request.body?.length ?? 0, exchange.arrivals?.totalBytes ?? 0);
    if (bytes > maxBodyBytes) {
      warn(`a body has ${bytes} bytes, and maxBodyBytes is ${maxBodyBytes}`);
      return;
    }
    const fixture = exchangeFixture(exchange, redact);
    onFixture?.(fixture);
    if (path === undefined) return;
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, `${JSON.stringify(fixture)}\n`);
  }

  return async (input, init) => {
    if (!isHttp(input)) return send(input, init);
    const startedAt = clock.now();
    const sinceStart = (): number => Math.round((clock.now() - startedAt) * 1000) / 1000;
    const signal = signalOf(input, init);
    const { sent, seen } = splitBody(input, init);
    const finish = async (end: Omit<Exchange, 'request'>): Promise<void> => {
      try {
        keep({ request: await seen, ...end });
      } catch (error) {
        // Only its name: a message may quote what was to be redacted.
        warn(error instanceof Error ? error.name : 'unknown reason');
      }
    };

    let response: Response;
    try {
      response = await send(sent.input, sent.init);
    } catch (error) {
      void finish({ fault: faultOf(error, signal) });
      throw error;
    }
    const headersMs = sinceStart();
    if (response.body === null) {
      void finish({ response, headersMs });
      return response;
    }
    const body = tapBody(response.body, {
      now: sinceStart,
      maxBytes: maxBodyBytes,
      onEnd(arrivals, end) {
        const afterBytes = arrivals.totalBytes;
        if (end.kind === 'whole') void finish({ response, headersMs, arrivals });
        else if (end.kind === 'cancelled') {
          void finish({ response, headersMs, arrivals, fault: { kind: 'aborted', afterBytes } });
        } else {
          const fault = { ...faultOf(end.error, signal), afterBytes };
          void finish({ response, headersMs, arrivals, fault });
        }
      },
    });
    return withBody(response, body);
  };
}

function warn(reason: string): void {
  process.emitWarning(`an exchange was not recorded: ${reason}`, { code: 'TOKENROUTER_RECORD' });
}

/** A request body can be read once only where it is a stream; then it is doubled. */
function splitBody(
  input: FetchInput,
  init: RequestInit | undefined,
): { sent: { input: FetchInput; init?: RequestInit }; seen: Promise<SeenRequest> } {
  // The recorder's reading may fail where sending does; the caller learns it from there.
  const read = (...args: Parameters<typeof readRequest>): Promise<SeenRequest> => {
    const seen = readRequest(...args);
    seen.catch(() => {});
    return seen;
  };
  const body = init?.body ?? undefined;
  if (body !== undefined && typeof body === 'object' && Symbol.asyncIterator in body) {
    const stream = body instanceof ReadableStream ? body : ReadableStream.from(body);
    const [one, other] = stream.tee();
    return {
      sent: { input, init: { ...init, body: one } },
      seen: read(input, { ...init, body: other }),
    };
  }
  const copy = input instanceof Request && body === undefined ? input.clone() : input;
  return { sent: { input, ...(init && { init }) }, seen: read(copy, init) };
}

function faultOf(error: unknown, signal: AbortSignal | undefined): Fault {
  if (signal?.aborted === true) return { kind: 'aborted' };
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return { kind: 'reset', ...(typeof code === 'string' && { code }) };
}

function withBody(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers, url, redirected } = response;
  const copy = new Response(body, { status, statusText, headers });
  return Object.defineProperties(copy, { url: { value: url }, redirected: { value: redirected } });
}
