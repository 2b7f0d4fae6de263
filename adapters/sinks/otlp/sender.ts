import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import type { Clock } from '../../../src/types.ts';
import { errorCodeOf } from '../../../src/util/error-code.ts';
import type { Destination } from './destination.ts';

/** Why a request was not taken. Its code is a status (`HTTP_503`), the network's own, `TIMEOUT` or `CLOSED`. */
export class OtlpError extends Error {
  override readonly name = 'OtlpError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(`otlpSink: ${message}`, options);
    this.code = code;
  }
}

export interface SenderOptions {
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly clock: Clock;
  /** For one request with its answer. */
  readonly timeoutMs: number;
}

/**
 * Sends requests, one at a time, and repeats none: who called is told, and comes again. Where a receiver said how long to stay away,
 * the next request waits for that first.
 */
export class Sender {
  readonly #options: SenderOptions;
  /** On the clock. */
  #notBefore = -Infinity;
  #closed = false;
  /** Ends what is waited for. */
  #interrupt: (() => void) | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Resolves with the answer's text when it was a 2xx; rejects with an `OtlpError` otherwise. */
  async send(destination: Destination, json: string): Promise<string> {
    const { clock, timeoutMs } = this.#options;
    const plain = Buffer.from(json);
    const isLarge = plain.length >= GZIP_FROM;
    const body = isLarge ? await compress(plain) : plain;
    await this.#stayAway();
    if (this.#closed) throw closedError();
    const abort = new AbortController();
    const { signal } = abort;
    const timer = clock.setTimeout(() => {
      abort.abort(new OtlpError('TIMEOUT', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#interrupt = () => abort.abort(closedError());
    try {
      return await this.#exchange(destination, body, isLarge, signal);
    } catch (error) {
      if (error instanceof OtlpError) throw error;
      if (signal.reason instanceof OtlpError) throw signal.reason;
      throw new OtlpError(errorCodeOf(error) ?? 'NETWORK', 'the request failed', { cause: error });
    } finally {
      clock.clearTimeout(timer);
      this.#interrupt = undefined;
    }
  }

  /** Ends what is under way, and whatever comes later. */
  close(): void {
    this.#closed = true;
    this.#interrupt?.();
  }

  async #exchange(
    { url, headers }: Destination,
    body: Buffer<ArrayBuffer>,
    isGzip: boolean,
    signal: AbortSignal,
  ): Promise<string> {
    const { fetch = globalThis.fetch } = this.#options;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        ...(isGzip && { 'content-encoding': 'gzip' }),
      },
      body,
      // Headers hold keys, and go nowhere else.
      redirect: 'manual',
      signal,
    });
    const text = await startOf(response);
    if (response.ok) return text;
    this.#learn(response.headers.get('retry-after'));
    throw new OtlpError(`HTTP_${response.status}`, `expected a 2xx answer, got ${response.status}`);
  }

  #learn(retryAfter: string | null): void {
    const { clock } = this.#options;
    const ms = retryAfterMs(retryAfter, clock.wallNow());
    if (ms !== undefined) this.#notBefore = clock.now() + Math.min(ms, LONGEST_WAIT_MS);
  }

  async #stayAway(): Promise<void> {
    const { clock } = this.#options;
    const ms = this.#notBefore - clock.now();
    if (ms <= 0 || this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, ms);
      this.#interrupt = () => {
        clock.clearTimeout(timer);
        resolve();
      };
    });
    this.#interrupt = undefined;
  }
}

function closedError(): OtlpError {
  return new OtlpError('CLOSED', 'closed while it wrote');
}

/** In bytes. Smaller ones are not worth it. */
const GZIP_FROM = 4_096;

/** A receiver that asks for more is asked again nevertheless. */
const LONGEST_WAIT_MS = 300_000;

const LONGEST_ANSWER = 65_536;

const compress = promisify<Buffer, Buffer<ArrayBuffer>>(gzip);

/** Whole seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(value: string | null, wallNow: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - wallNow;
  return ms > 0 ? ms : undefined;
}

/** Answers say little. Of one that says much, or breaks off, the start will do: its status has come. */
async function startOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > LONGEST_ANSWER) break;
    }
  } catch {
    // Repeating a request that was taken would only bring it twice.
  }
  return Buffer.concat(chunks).toString();
}
