import type { Clock } from '../../src/types.ts';
import { errorCodeOf } from '../../src/util/error-code.ts';

/**
 * Why a request was not taken. Only the status or the network's code, and no cause: addresses and headers hold keys, and answers
 * quote what was sent.
 */
export class PostError extends Error {
  override readonly name = 'PostError';
  /** `HTTP_503`, `TIMEOUT`, `CLOSED`, or the network's, such as `ECONNREFUSED`. */
  readonly code: string;
  /** Absent when nobody answered. */
  readonly status: number | undefined;
  /** How long the receiver wants to be left alone; an hour at most. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    detail: { code: string; status?: number; retryAfterMs?: number | undefined },
  ) {
    super(message);
    this.code = detail.code;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

export interface PostOptions {
  /** Who sends: messages of errors begin with it. */
  readonly sink: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** From the request to the end of its answer. */
  readonly timeoutMs: number;
  /** Ends the request when its sender is closed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a request once, and follows no redirect: somebody else's address in an answer is not where the body and its keys were meant to
 * go. Resolves with the text of a 2xx answer, its first 64 KiB; rejects with a `PostError` otherwise.
 */
export async function post(request: PostRequest, options: PostOptions): Promise<string> {
  const { sink, fetch, clock, timeoutMs, signal } = options;
  const abort = new AbortController();
  let reason: PostError | undefined;
  function end(code: 'TIMEOUT' | 'CLOSED', why: string): void {
    reason ??= new PostError(`${sink}: ${why}`, { code });
    abort.abort(reason);
  }
  const close = (): void => end('CLOSED', 'closed while it wrote');
  const timer = clock.setTimeout(
    () => end('TIMEOUT', `no answer within ${timeoutMs} ms`),
    timeoutMs,
  );
  signal?.addEventListener('abort', close);
  if (signal?.aborted === true) close();
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: abort.signal,
    });
    const text = await startOf(response);
    if (response.ok) return text;
    const { status } = response;
    throw new PostError(`${sink}: the receiver answered ${status}`, {
      code: `HTTP_${status}`,
      status,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock.wallNow()),
    });
  } catch (error) {
    if (error instanceof PostError) throw error;
    if (reason !== undefined) throw reason;
    const code = errorCodeOf(error) ?? 'NETWORK';
    throw new PostError(`${sink}: no answer (${code})`, { code });
  } finally {
    clock.clearTimeout(timer);
    signal?.removeEventListener('abort', close);
  }
}

/** So much of an answer is read, so that its connection can be used again. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Of an answer that says much, or breaks off, the start will do: its status has come, and that is what counts. */
async function startOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // To send again what was taken would only bring it twice.
  }
  return Buffer.concat(chunks).toString();
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Seconds or a date (RFC 9110, 10.2.3, 2022-06). */
function retryAfterMs(value: string | null, wallNow: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - wallNow;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

/** Whether HTTP can carry it. `fetch` would refuse it at every request, and quote it. */
export function isHeader(name: string, value: unknown): value is string {
  if (typeof value !== 'string') return false;
  try {
    new Headers().append(name, value);
    return true;
  } catch {
    return false;
  }
}
