import type { Attempt, Call } from '../../call.ts';
import { LazyResponse } from '../../http/lazy-response.ts';
import { headersOf, streamable } from '../../http/read-request.ts';
import { Answer, type AnswerOptions } from './answer.ts';
import { edited } from './edited-call.ts';
import { routerHeaders } from '../../http/router-headers.ts';

/**
 * Sends through a `fetch`. A call that nothing has changed is passed on with the very arguments of the host; an answer
 * that is no `Response` (a test's stand-in) goes back as it is.
 */
export async function forward(
  call: Call,
  attempt: Attempt,
  fetch: typeof globalThis.fetch,
  options: AnswerOptions,
): Promise<Response> {
  const { clock } = options;
  let upstream: Response;
  attempt.cut = (error) => {
    call.finishAttempt(attempt, 'aborted', clock.now(), error);
  };
  try {
    upstream = await (call.changed
      ? fetch(call.url, changedInit(call))
      : fetch(call.input, call.init));
  } catch (error) {
    const end = call.signal?.aborted === true ? 'aborted' : 'failed';
    call.finishAttempt(attempt, end, clock.now(), error);
    throw error;
  }
  if (attempt.end !== undefined) {
    // Cut while the transport was still busy: nobody waits for this answer.
    upstream?.body?.cancel?.().catch(() => {});
    throw new TypeError('fetch failed', { cause: attempt.error });
  }
  if (!isResponse(upstream) || upstream.bodyUsed || upstream.body?.locked === true) {
    attempt.headersAt = clock.now();
    attempt.status = typeof upstream?.status === 'number' ? upstream.status : undefined;
    call.finishAttempt(attempt, 'complete', clock.now());
    return upstream;
  }

  const headers = withRouterHeaders(upstream.headers, routerHeaders(call, attempt.number));
  const body = upstream.body;
  const head = {
    status: upstream.status,
    statusText: upstream.statusText,
    headers,
    url: upstream.url,
    redirected: upstream.redirected,
    type: upstream.type,
  };
  const lookup = (name: string): string | undefined => headers.get(name) ?? undefined;
  if (body === null) {
    const answer = new Answer(call, attempt, NO_FLOW, options);
    answer.start(upstream.status, lookup);
    answer.complete();
    // Nothing was read from it: the transport's own object may go back, with whatever its maker gave it.
    return headers === upstream.headers ? upstream : new LazyResponse(head, null);
  }
  const pump = new Pump(body.getReader());
  const answer = new Answer(call, attempt, pump, options);
  answer.start(upstream.status, lookup);
  const stop = (reason: unknown, seen: unknown): void => {
    answer.break('aborted', seen, reason);
    pump.cancel(reason);
  };
  const { signal } = call;
  const onAbort = (): void => {
    // A pump that reads sees the transport's own abort, and what a transport delivers in spite of it is delivered.
    if (answer.queue.paused) stop(signal?.reason, signal?.reason);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  attempt.release = () => signal?.removeEventListener('abort', onAbort);
  attempt.cut = (error) => {
    stop(error, new TypeError('terminated', { cause: error }));
  };
  void pump.run(answer, signal);
  if (signal?.aborted === true) onAbort();
  return new LazyResponse(head, answer.queue);
}

const NO_FLOW = { pause: () => {}, resume: () => {}, cancel: () => {} };

/** Moves a stream's chunks into an answer, and waits while the host does not read. */
class Pump {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #paused = false;
  #resume: (() => void) | undefined;
  #cancelled = false;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  async run(answer: Answer, signal: AbortSignal | undefined): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (done) break;
        answer.push(value);
        if (this.#paused) await new Promise<void>((resolve) => (this.#resume = resolve));
        if (this.#cancelled) return;
      }
      this.#reader.releaseLock();
      answer.complete();
    } catch (error) {
      answer.break(signal?.aborted === true ? 'aborted' : 'failed', error);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#resume?.();
  }

  cancel(reason: unknown): void {
    this.#cancelled = true;
    this.resume();
    // The upstream's own complaint about being cancelled concerns nobody any more.
    this.#reader.cancel(reason).catch(() => {});
    this.#reader.releaseLock();
  }
}

function changedInit(call: Call): RequestInit {
  const { method, redirect, signal } = call;
  const { headers, body } = edited(call);
  const init: RequestInit = { ...call.init, method, headers: headersOf(headers), body };
  // Left out where the host left it out: a transport may tell the two apart.
  if (redirect !== 'follow') init.redirect = redirect;
  if (signal !== undefined) init.signal = signal;
  return streamable(init);
}

/** In place where they can be changed, so that the object stays the one the transport gave. */
function withRouterHeaders(headers: Headers, added: Readonly<Record<string, string>>): Headers {
  try {
    for (const name of Object.keys(added)) headers.set(name, added[name]!);
    return headers;
  } catch {
    const copy = new Headers(headers);
    for (const name of Object.keys(added)) copy.set(name, added[name]!);
    return copy;
  }
}

/** Whether it is one whose body can be passed on: node-fetch has a class of that name over Node's streams. */
function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  if (typeof value !== 'object' || value === null || !('body' in value)) return false;
  if (Object.prototype.toString.call(value) !== '[object Response]') return false;
  const { body } = value;
  return body === null || (typeof body === 'object' && body !== null && 'getReader' in body);
}
