import { JsonView, utf8OfLatin1 } from '../util/json-view.ts';
import type { Batch, FrameLimits, Framing, FramingOptions } from './framing.ts';

/**
 * The AWS event stream (application/vnd.amazon.eventstream; https://smithy.io/2.0/aws/amazon-eventstream.html, read
 * 2026-11): total length, length of the headers and a checksum as 32-bit big-endian numbers, the headers, the payload,
 * a checksum. The checksums are not verified: a reader at the side has nobody to tell.
 *
 * The event's name is the header `:event-type`, for a failure `:exception-type` or `:error-code`; failures are always
 * read. The payload `{"bytes":"<base64>"}` of Bedrock's invoke-with-response-stream is unwrapped: data and marks mean
 * the text inside. A frame longer than the bound is skipped; a frame with impossible lengths ends the reading.
 */
export function createAwsFraming(options: FramingOptions): Framing {
  return new AwsFraming(options);
}

class AwsFraming implements Framing {
  readonly #marks: readonly string[];
  readonly #limits: FrameLimits;
  readonly #onEvent: FramingOptions['onEvent'];
  /** The first event was told. */
  #isBegun = false;
  /** Bytes still to come of a frame that is skipped; Infinity when the stream cannot be read on. */
  #skip = 0;

  constructor({ marks, limits, onEvent }: FramingOptions) {
    this.#marks = marks;
    this.#limits = limits;
    this.#onEvent = onEvent;
  }

  read({ text }: Batch): number {
    let at = Math.min(this.#skip, text.length);
    this.#skip -= at;
    while (text.length - at >= PRELUDE_BYTES) {
      const total = uint32(text, at);
      const headers = uint32(text, at + 4);
      if (total < PRELUDE_BYTES + CHECKSUM_BYTES + headers) {
        this.#skip = Infinity;
        return text.length;
      }
      if (total > this.#limits.maxFrameBytes) {
        const seen = Math.min(total, text.length - at);
        this.#skip = total - seen;
        at += seen;
        continue;
      }
      if (text.length - at < total) break;
      this.#readFrame(text.slice(at, at + total), headers);
      at += total;
    }
    return at;
  }

  #readFrame(frame: string, headersLength: number): void {
    const payloadStart = PRELUDE_BYTES + headersLength;
    const headers = stringHeaders(frame.slice(PRELUDE_BYTES, payloadStart));
    const payload = unwrap(frame.slice(payloadStart, -CHECKSUM_BYTES));
    const failure = headers.get(':exception-type') ?? headers.get(':error-code');
    const name = headers.get(':event-type') ?? failure ?? '';
    const isRead =
      !this.#isBegun ||
      this.#marks.length === 0 ||
      failure !== undefined ||
      this.#marks.some((mark) => payload.includes(mark) || name.includes(mark));
    if (!isRead) return;
    this.#isBegun = true;
    const data = utf8OfLatin1(payload);
    this.#onEvent({ name, data, json: new JsonView(data) });
  }
}

function unwrap(payload: string): string {
  if (!/^\s*\{\s*"bytes"/.test(payload)) return payload;
  const inner = new JsonView(payload, true).string('bytes');
  return inner === undefined ? payload : Buffer.from(inner, 'base64').toString('latin1');
}

/** The headers with string values; other types are stepped over. */
function stringHeaders(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const nameEnd = at + 1 + text.charCodeAt(at);
    const name = text.slice(at + 1, nameEnd);
    const type = text.charCodeAt(nameEnd);
    const hasLength = type === BYTES_TYPE || type === STRING_TYPE;
    const start = nameEnd + (hasLength ? 3 : 1);
    const length = hasLength ? uint16(text, nameEnd + 1) : FIXED_LENGTHS[type];
    // Of an unknown type the length is not known either.
    if (length === undefined || !(start + length <= text.length)) break;
    if (type === STRING_TYPE) found.set(name, utf8OfLatin1(text.slice(start, start + length)));
    at = start + length;
  }
  return found;
}

function uint16(text: string, at: number): number {
  return text.charCodeAt(at) * 0x100 + text.charCodeAt(at + 1);
}

function uint32(text: string, at: number): number {
  return uint16(text, at) * 0x10000 + uint16(text, at + 2);
}

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const BYTES_TYPE = 6;
const STRING_TYPE = 7;
/** Value lengths by header type: true, false, byte, short, integer, long, (bytes, string,) timestamp, UUID. */
const FIXED_LENGTHS: ReadonlyArray<number | undefined> = [
  0,
  0,
  1,
  2,
  4,
  8,
  undefined,
  undefined,
  8,
  16,
];
