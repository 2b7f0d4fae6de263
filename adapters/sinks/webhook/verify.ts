import { gunzipSync } from 'node:zlib';

import type { Clock, UsageRecord } from '../../../src/types.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { isSame, signature, webhookKeys } from './signature.ts';

/** A `Headers`, or what `node:http` gives. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyWebhookOptions {
  /** How old a message may be, and how much ahead a sender's time. In milliseconds. Default 300,000. */
  toleranceMs?: number | undefined;
  /** The largest body in bytes that is unpacked from gzip. Default 67,108,864. */
  maxBytes?: number | undefined;
  /** Default: real time. */
  clock?: Clock | undefined;
}

/** A message that was verified. */
export interface WebhookMessage {
  /** Of these records in this company. A message that comes again has the same. */
  readonly id: string;
  /** When it was sent, in milliseconds since the epoch. */
  readonly sentAt: number;
  /** Store the first of each `id`. */
  readonly records: readonly UsageRecord[];
}

/** Why a request is no message of the sender it should be of. Answer 400 or 401. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  /**
   * `headers`: one is missing or not of the format. `timestamp`: too old, or of a clock that is ahead. `signature`: of another
   * secret, or of another body. `body`: signed, but not records.
   */
  readonly reason: 'headers' | 'timestamp' | 'signature' | 'body';

  constructor(reason: WebhookVerificationError['reason'], message: string) {
    super(`verifyWebhook: ${message}`);
    this.reason = reason;
  }
}

/**
 * What a receiver calls: checks who sent a message of `webhookSink`, when, and that nothing was changed, then reads it. `body`
 * must be the bytes that came, or their text, before anybody parsed them; a server that has unpacked gzip will do.
 *
 * Records come as the sender wrote them; their members beyond `id` are not looked at. Throws a `WebhookVerificationError`, and
 * a `RouterError` (`ERR_OPTIONS`) for a wrong `secret`.
 */
export function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  options: VerifyWebhookOptions = {},
): WebhookMessage {
  const { toleranceMs = 300_000, maxBytes = 64 * 2 ** 20, clock = systemClock } = options;
  const keys = webhookKeys(secret, 'verifyWebhook');
  const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
    (name) => header(headers, name),
  );
  if (!id || !timestamp || !given) {
    throw new WebhookVerificationError(
      'headers',
      'expected the headers webhook-id, webhook-timestamp and webhook-signature',
    );
  }
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationError('headers', 'webhook-timestamp must be whole seconds');
  }
  const sentAt = Number(timestamp) * 1000;
  if (!(Math.abs(clock.wallNow() - sentAt) <= toleranceMs)) {
    throw new WebhookVerificationError(
      'timestamp',
      `the message was sent more than ${toleranceMs} ms before or after now`,
    );
  }
  const signatures = given.split(' ');
  const isSigned = keys
    .map((key) => signature(key, id, timestamp, body))
    .some((expected) => signatures.some((each) => isSame(each, expected)));
  if (!isSigned) {
    throw new WebhookVerificationError('signature', 'no signature fits the secret and the body');
  }
  return { id, sentAt, records: recordsIn(body, maxBytes) };
}

function header(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  const value = entry?.[1];
  return typeof value === 'string' ? value : undefined;
}

/** Only called with a body that was signed: nobody else's is unpacked or parsed. */
function recordsIn(body: string | Uint8Array, maxBytes: number): readonly UsageRecord[] {
  let message: unknown;
  try {
    message = JSON.parse(textOf(body, maxBytes));
  } catch {
    throw new WebhookVerificationError('body', 'expected JSON');
  }
  if (!isMessage(message)) {
    throw new WebhookVerificationError(
      'body',
      'expected { type: "usage.records", schemaVersion: 1, records: [...] }',
    );
  }
  return message.records;
}

function textOf(body: string | Uint8Array, maxBytes: number): string {
  if (typeof body === 'string') return body;
  // JSON cannot begin like this, and a header may still say `gzip` of what was unpacked.
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  const bytes = isGzip ? gunzipSync(body, { maxOutputLength: maxBytes }) : body;
  return new TextDecoder().decode(bytes);
}

function isMessage(value: unknown): value is { records: readonly UsageRecord[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'usage.records' &&
    'schemaVersion' in value &&
    value.schemaVersion === 1 &&
    'records' in value &&
    Array.isArray(value.records) &&
    value.records.every(hasId)
  );
}

function hasId(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
  );
}
