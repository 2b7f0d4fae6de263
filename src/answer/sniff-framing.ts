import { JsonView } from '../util/json-view.ts';

export type FramingKind = 'sse' | 'lines' | 'aws' | 'document';

/**
 * How an answer is framed, from its first bytes; `undefined` while they are too few to tell.
 *
 * The bytes decide and not the content type, because servers get that wrong both ways: Gemini sends plain JSON errors
 * as text/event-stream, gateways send `data:` lines as application/json or text/plain. The content type only tells
 * JSON lines from a document while there is no second line.
 *
 * @param text without byte order mark, latin1.
 */
export function sniffFraming(
  text: string,
  contentType: string | undefined,
  last: boolean,
): FramingKind | undefined {
  const start = text.search(/[^ \t\r\n]/);
  if (start < 0) return last || text.length > PROBE_LENGTH ? 'document' : undefined;
  const first = text[start];
  // An AWS frame starts with its length, which is below 16 MB.
  if (first === '\0') return 'aws';
  if (first === '[') return 'document';
  if (first !== '{') {
    const head = text.slice(start, start + LONGEST_FIELD);
    if (head.length < LONGEST_FIELD && !last) return undefined;
    const isSse = FIELD.test(head) || (contentType?.includes('event-stream') ?? false);
    // An HTML page or plain text: a document that tells nothing.
    return isSse ? 'sse' : 'document';
  }
  const probe = text.slice(start, start + PROBE_LENGTH);
  const isAll = last || probe.length === PROBE_LENGTH;
  const saysLines = contentType !== undefined && JSON_LINES.test(contentType);
  const lineEnd = probe.indexOf('\n');
  if (lineEnd < 0) {
    if (!isAll) return undefined;
    return saysLines ? 'lines' : 'document';
  }
  if (!new JsonView(probe.slice(0, lineEnd), true).isObject) return 'document';
  if (saysLines) return 'lines';
  const second = probe.slice(lineEnd).trimStart();
  if (second === '' && !isAll) return undefined;
  return second.startsWith('{') ? 'lines' : 'document';
}

/** A comment or a field of a server-sent event. */
const FIELD = /^(?::|(?:data|event|id|retry)[:\r\n])/;
const LONGEST_FIELD = 'event:'.length;
const JSON_LINES = /ndjson|jsonl|json-lines|stream\+json/i;
const PROBE_LENGTH = 64 * 1024;
