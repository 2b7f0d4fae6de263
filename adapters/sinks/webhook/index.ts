import { isHeader, post, PostError, type PostOptions } from '../../shared/http-post.ts';
import { RouterError } from '../../../src/errors.ts';
import type { Clock, Sink, UsageRecord } from '../../../src/types.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { checkOptionNames } from '../../../src/util/option-names.ts';
import { messageFrom, signedRequest, type RequestOptions } from './message.ts';
import { webhookKeys } from './signature.ts';

export { verifyWebhook, WebhookVerificationError } from './verify.ts';
export type { VerifyWebhookOptions, WebhookHeaders, WebhookMessage } from './verify.ts';

export interface WebhookSinkOptions {
  /** Where messages are posted: an `http:` or `https:` address without user and password. */
  url: string | URL;
  /**
   * What messages are signed with: 24 to 64 random bytes in base64, with or without `whsec_` before them. Of several secrets each
   * signs, so that receivers can change from one to the next.
   */
  secret: string | readonly string[];
  /** More headers, such as `authorization`. `content-…` and `webhook-…` are set here. Default: none. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** What sends. Not the router's, or every message becomes a record. Default: the platform's at the time of this call. */
  fetch?: typeof globalThis.fetch | undefined;
  /** From a message to the end of its answer, in milliseconds. Default 15,000. */
  timeoutMs?: number | undefined;
  /**
   * The largest message in bytes, before it is compressed; more records go into several. A record that is larger by itself goes
   * alone. Default 1,048,576, which is as much as nginx takes unless told otherwise.
   */
  maxBodyBytes?: number | undefined;
  /** Whether bodies are compressed. Default `false`. */
  gzip?: boolean | undefined;
  /** Of timestamps and timeouts. Default: real time. */
  clock?: Clock | undefined;
}

/**
 * Posts records as signed JSON, following Standard Webhooks: `{ "type": "usage.records", "schemaVersion": 1, "records": [...] }`
 * with the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`. `verifyWebhook` is the other side.
 *
 * A message may come twice: when its answer was lost. The same records then give the same `webhook-id`. Records may also come
 * again in other company, so **receivers keep the first of each `id`**.
 *
 * A write resolves when every message was answered 2xx. Anything else rejects with a status or a network code and nothing more,
 * redirects too, and delivery tries again; what was taken is not sent again. After `retry-after` nothing is sent until then (an
 * hour at most), and after 410 never again by this sink: writes reject at once. After 413 messages get smaller; a record that is
 * refused alone is for delivery to drop, which names and counts it.
 */
export function webhookSink(options: WebhookSinkOptions): Sink {
  const settings = checked(options);
  const { clock } = settings;
  let { maxBodyBytes } = settings;
  /** Records of this batch that arrived, where a later message of it failed. */
  const taken = new Set<string>();
  let refusal: { readonly error: PostError; readonly until: number } | undefined;
  let closed = false;

  async function send(records: readonly UsageRecord[]): Promise<void> {
    let at = 0;
    while (at < records.length) {
      const { count, body } = messageFrom(records, at, maxBodyBytes);
      try {
        await post(await signedRequest(settings, body), settings);
      } catch (error) {
        if (!(error instanceof PostError)) throw error;
        if (error.status === 413 && count > 1) {
          maxBodyBytes = Buffer.byteLength(body) >> 1;
          continue;
        }
        const { status, retryAfterMs = 0 } = error;
        if (status === 410) refusal = { error, until: Infinity };
        else if (retryAfterMs > 0) refusal = { error, until: clock.now() + retryAfterMs };
        throw error;
      }
      for (const { id } of records.slice(at, at + count)) taken.add(id);
      at += count;
    }
  }

  return {
    name: 'webhook',
    async write(records: readonly UsageRecord[]): Promise<void> {
      if (closed) throw new Error('webhookSink: write after close; make a new sink');
      if (refusal !== undefined && clock.now() < refusal.until) throw refusal.error;
      refusal = undefined;
      // Of another batch: that one was given up.
      if (!records.some(({ id }) => taken.has(id))) taken.clear();
      await send(records.filter(({ id }) => !taken.has(id)));
      taken.clear();
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}

interface Settings extends PostOptions, RequestOptions {
  readonly maxBodyBytes: number;
}

const OPTIONS: Readonly<Record<keyof WebhookSinkOptions, true>> = {
  url: true,
  secret: true,
  headers: true,
  fetch: true,
  timeoutMs: true,
  maxBodyBytes: true,
  gzip: true,
  clock: true,
};

function checked(options: WebhookSinkOptions): Settings {
  checkOptionNames('webhookSink', options, OPTIONS);
  const {
    timeoutMs = 15_000,
    maxBodyBytes = 2 ** 20,
    gzip = false,
    clock = systemClock,
    fetch = globalThis.fetch,
  } = options;
  for (const [name, value] of Object.entries({ timeoutMs, maxBodyBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw bad(`${name} must be a whole number from 1 up, got ${String(value)}`);
    }
  }
  if (timeoutMs > MAX_TIMEOUT_MS) {
    throw bad(`timeoutMs must be at most ${MAX_TIMEOUT_MS}, got ${timeoutMs}`);
  }
  if (typeof fetch !== 'function') throw bad(`fetch must be a function, got ${typeof fetch}`);
  if (typeof gzip !== 'boolean') throw bad(`gzip must be true or false, got ${typeof gzip}`);
  return {
    url: checkedUrl(options.url),
    keys: webhookKeys(options.secret, 'webhookSink'),
    headers: checkedHeaders(options.headers),
    sink: 'webhookSink',
    fetch,
    timeoutMs,
    maxBodyBytes,
    gzip,
    clock,
  };
}

/** Longer timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Never the address itself: it may hold a key. */
function checkedUrl(given: unknown): string {
  const url = URL.parse(String(given));
  const expected = 'url must be an address that begins with http:// or https://';
  if (url === null) throw bad(`${expected}, got something else`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw bad(`${expected}, got ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw bad('url must not hold a user or password; put them into `headers`');
  }
  return url.href;
}

function checkedHeaders(given: WebhookSinkOptions['headers'] = {}): Record<string, string> {
  const headers = Object.entries(given).map(([key, value]) => {
    const name = key.toLowerCase();
    if (!isHeader(name, value)) {
      throw bad('headers must be names and values that HTTP can carry, got one that it cannot');
    }
    if (/^(?:webhook-|content-)/.test(name)) {
      throw bad(`headers must not name content-… or webhook-…, got ${name}`);
    }
    return [name, value];
  });
  return Object.fromEntries(headers);
}

function bad(what: string): RouterError {
  return new RouterError('ERR_OPTIONS', `webhookSink: ${what}`);
}
