import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';

import type { PostRequest } from '../../shared/http-post.ts';
import type { Clock, UsageRecord } from '../../../src/types.ts';
import { recordJson } from '../../../src/util/record-json.ts';
import { messageId, signature } from './signature.ts';

/** The next message: its body as JSON, and how many records are in it. */
export interface Message {
  readonly count: number;
  readonly body: string;
}

const START = '{"type":"usage.records","schemaVersion":1,"records":[';
const END = ']}';

/**
 * As many records from index `from` on, in their order, as fit into `maxBytes`; at least one, whatever its size. The same records
 * give the same message.
 */
export function messageFrom(
  records: readonly UsageRecord[],
  from: number,
  maxBytes: number,
): Message {
  const parts: string[] = [];
  let bytes = START.length + END.length;
  for (let at = from; at < records.length; at++) {
    const json = recordJson(records[at]!);
    bytes += Buffer.byteLength(json) + (parts.length === 0 ? 0 : 1);
    if (parts.length > 0 && bytes > maxBytes) break;
    parts.push(json);
  }
  return { count: parts.length, body: START + parts.join(',') + END };
}

export interface RequestOptions {
  readonly url: string;
  readonly keys: readonly Buffer[];
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly clock: Clock;
}

const gzipped = promisify<string, Buffer<ArrayBuffer>>(gzipWithCallback);

/** The request with a message, signed by each of the keys. */
export async function signedRequest(options: RequestOptions, body: string): Promise<PostRequest> {
  const { url, keys, headers, gzip, clock } = options;
  const sent = gzip ? await gzipped(body) : body;
  const id = messageId(body);
  const timestamp = String(Math.floor(clock.wallNow() / 1000));
  // Some servers hand on what came, others unpack it first: each finds a signature of what it has.
  const forms = gzip ? [sent, body] : [body];
  const signatures = keys.flatMap((key) =>
    forms.map((form) => signature(key, id, timestamp, form)),
  );
  return {
    url,
    headers: {
      ...headers,
      'content-type': 'application/json',
      ...(gzip && { 'content-encoding': 'gzip' }),
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    },
    body: sent,
  };
}
