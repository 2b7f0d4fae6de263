import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { post, PostError } from '../../shared/http-post.ts';
import type { Clock } from '../../../src/types.ts';
import type { Destination } from './destination.ts';

export interface SenderOptions {
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly clock: Clock;
  /** For one request with its answer. */
  readonly timeoutMs: number;
}

/**
 * Sends requests, one at a time, and repeats none: the caller is told, and comes again. Where a receiver said how long to stay away,
 * the next request waits for that first.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #closing = new AbortController();
  /** On the clock. */
  #notBefore = -Infinity;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Resolves with the answer's text when it was a 2xx; rejects with a `PostError` otherwise. */
  async send({ url, headers }: Destination, json: string): Promise<string> {
    const { fetch = globalThis.fetch, clock, timeoutMs } = this.#options;
    const plain = Buffer.from(json);
    const isLarge = plain.length >= GZIP_FROM;
    const request = {
      url,
      headers: {
        ...headers,
        'content-type': 'application/json',
        ...(isLarge && { 'content-encoding': 'gzip' }),
      },
      body: isLarge ? await compress(plain) : plain,
    };
    await this.#stayAway();
    try {
      const { signal } = this.#closing;
      return await post(request, { sink: 'otlpSink', fetch, clock, timeoutMs, signal });
    } catch (error) {
      if (error instanceof PostError && error.retryAfterMs !== undefined) {
        this.#notBefore = clock.now() + Math.min(error.retryAfterMs, LONGEST_WAIT_MS);
      }
      throw error;
    }
  }

  /** Ends what is under way, and whatever comes later. */
  close(): void {
    this.#closing.abort();
  }

  async #stayAway(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    const ms = this.#notBefore - clock.now();
    if (ms <= 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      function end(): void {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      }
      const timer = clock.setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}

/** In bytes. Smaller ones are not worth it. */
const GZIP_FROM = 4_096;

/** A receiver that asks for more is asked again nevertheless. */
const LONGEST_WAIT_MS = 300_000;

const compress = promisify<Buffer, Buffer<ArrayBuffer>>(gzip);
