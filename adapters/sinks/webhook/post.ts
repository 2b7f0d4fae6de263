import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';

import type { Clock } from '../../../src/types.ts';
import { errorCodeOf } from '../../../src/util/error-code.ts';
import { messageId, signature } from './signature.ts';

export interface PostOptions {
  readonly url: string;
  readonly keys: readonly Buffer[];
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  readonly clock: Clock;
}

/**
 * What went wrong with a message. Only the status or the network's code: addresses hold keys, and answers quote what was sent.
 */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  /** `HTTP_503`, `TIMEOUT`, or the network's, such as `ECONNREFUSED`. */
  readonly code: string;
  /** Absent when nobody answered. */
  readonly status: number | undefined;
  /** In which the receiver wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    detail: { code: string; status?: number; retryAfterMs?: number | undefined },
  ) {
    super(`webhookSink: ${message}`);
    this.code = detail.code;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

const gzipped = promisify(gzipWithCallback);

/** Sends one message. Rejects with a `WebhookError` when the answer is not 2xx, or none comes in time. */
export async function post(options: PostOptions, body: string): Promise<void> {
  const { clock, timeoutMs } = options;
  const sent = options.gzip ? await gzipped(body) : body;
  const abort = new AbortController();
  let isLate = false;
  const timer = clock.setTimeout(() => {
    isLate = true;
    abort.abort();
  }, timeoutMs);
  try {
    const { fetch } = options;
    const response = await fetch(options.url, {
      method: 'POST',
      headers: headersOf(options, body, sent),
      body: sent,
      // Somebody else's address in an answer is not where the records were meant to go.
      redirect: 'manual',
      signal: abort.signal,
    }).catch((error: unknown) => {
      const code = isLate ? 'TIMEOUT' : (errorCodeOf(error) ?? 'NETWORK');
      throw new WebhookError(isLate ? `no answer within ${timeoutMs} ms` : `no answer (${code})`, {
        code,
      });
    });
    await discard(response);
    if (response.ok) return;
    const { status } = response;
    throw new WebhookError(`the receiver answered ${status}`, {
      code: `HTTP_${status}`,
      status,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock),
    });
  } finally {
    clock.clearTimeout(timer);
  }
}

function headersOf(
  { keys, headers, clock, gzip }: PostOptions,
  body: string,
  sent: string | Uint8Array,
): Record<string, string> {
  const id = messageId(body);
  const timestamp = String(Math.floor(clock.wallNow() / 1000));
  // Some servers hand on what came, others unpack it first: each finds a signature of what it has.
  const forms = gzip ? [sent, body] : [body];
  const signatures = keys.flatMap((key) =>
    forms.map((form) => signature(key, id, timestamp, form)),
  );
  return {
    ...Object.fromEntries(headers),
    'content-type': 'application/json',
    ...(gzip && { 'content-encoding': 'gzip' }),
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/** So much of an answer is read, so that its connection can be used again. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** The status is what counts: an answer that breaks off later says nothing new. */
async function discard(response: Response): Promise<void> {
  try {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    let left = MAX_ANSWER_BYTES;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
      if (left < 0) {
        await reader.cancel();
        return;
      }
    }
  } catch {
    // It broke off, or took longer than the whole may.
  }
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Seconds or a date (RFC 9110, 10.2.3, 2022-06). */
function retryAfterMs(value: string | null, clock: Clock): number | undefined {
  if (value === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.wallNow();
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}
