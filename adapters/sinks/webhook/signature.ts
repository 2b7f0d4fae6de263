import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { RouterError } from '../../../src/errors.ts';

/**
 * How a message is signed: Standard Webhooks (spec/standard-webhooks.md of github.com/standard-webhooks/standard-webhooks, as
 * of its last change on 2025-02-16). HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`. Secrets are 24 to 64 random
 * bytes in base64, mostly behind `whsec_`. The header holds a list of signatures, so that a secret can be replaced without a gap.
 */
export function webhookKeys(
  secrets: string | readonly string[],
  where: string,
): readonly [Buffer, ...Buffer[]] {
  const list: readonly unknown[] = Array.isArray(secrets) ? secrets : [secrets];
  const [first, ...rest] = list.map((secret) => keyOf(secret, where));
  if (first === undefined) throw badSecret(where, 'an empty list');
  return [first, ...rest];
}

const PREFIX = 'whsec_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

function keyOf(secret: unknown, where: string): Buffer {
  if (typeof secret !== 'string') throw badSecret(where, typeof secret);
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  if (!BASE64.test(text)) throw badSecret(where, 'something that is not base64');
  const key = Buffer.from(text, 'base64');
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) {
    throw badSecret(where, `${key.length} bytes`);
  }
  return key;
}

/** Never the secret itself. */
function badSecret(where: string, came: string): RouterError {
  return new RouterError(
    'ERR_OPTIONS',
    `${where}: secret must be ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} random bytes in base64, best behind "${PREFIX}", got ${came}. ` +
      `\`openssl rand -base64 32\` makes one`,
  );
}

/** The same for the same bytes, so that a receiver can tell a repetition. It holds no dot, as the format demands. */
export function messageId(body: string): string {
  return `msg_${createHash('sha256').update(body).digest('base64url').slice(0, 32)}`;
}

export function signature(
  key: Buffer,
  id: string,
  timestamp: string,
  body: string | Uint8Array,
): string {
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  return `v1,${hmac.digest('base64')}`;
}

/** In constant time for signatures of the right length; the length of one is no secret. */
export function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
