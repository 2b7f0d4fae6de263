import type { Clock, Random } from '../../src/types.ts';

export interface SdkRetriesOptions {
  readonly transport: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: Random;
  /** Requests after the first. The SDKs' default is 2. */
  readonly retries: number;
}

/** A `retry-after` above is not taken (openai 7.57, 2026-11). */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * A `fetch` that does what the official SDKs do when they are refused: each call waits by itself and tries again, after what
 * `retry-after` says or 0.5 s that double up to 8 s, a quarter of it at random (openai 7.57 and @anthropic-ai/sdk 1.12, 2026-11).
 */
export function sdkRetries({
  transport,
  clock,
  random,
  retries,
}: SdkRetriesOptions): typeof globalThis.fetch {
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.setTimeout(resolve, ms));

  return async (input, init) => {
    for (let retry = 0; ; retry++) {
      const answer = await transport(input, init).catch((error: unknown) => error);
      const response = answer instanceof Response ? answer : undefined;
      const mayRetry = response === undefined || isRetried(response.status);
      if (!mayRetry || retry === retries) {
        if (response === undefined) throw answer;
        return response;
      }
      await response?.body?.cancel();
      const backoff = Math.min(500 * 2 ** retry, 8000) * (1 - random() * 0.25);
      await pause(retryAfterMs(response?.headers, clock.wallNow()) ?? backoff);
    }
  };
}

function isRetried(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

function retryAfterMs(headers: Headers | undefined, wallNow: number): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  const text = headers?.get('retry-after') ?? '';
  const seconds = Number.parseFloat(text);
  const ms = [exact, seconds * 1000, Date.parse(text) - wallNow].find(
    (value) => !Number.isNaN(value),
  );
  return ms !== undefined && ms >= 0 && ms < MAX_RETRY_AFTER_MS ? ms : undefined;
}
