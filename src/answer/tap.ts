import type { AnswerFacts, HeaderLookup, Wire } from '../types.ts';
import type { JsonView } from '../util/json-view.ts';
import { createAwsFraming } from './aws-framing.ts';
import { createDocumentFraming, type DocumentFramingOptions } from './document-framing.ts';
import type { Framing, FramingOptions } from './framing.ts';
import { createLinesFraming } from './lines-framing.ts';
import { sniffFraming, type FramingKind } from './sniff-framing.ts';
import { createSseFraming } from './sse-framing.ts';

export interface AnswerTapOptions {
  readonly wire: Wire;
  readonly contentType: string | undefined;
  /** Where a provider reports usage in response headers. */
  readonly headers?: HeaderLookup | undefined;
  readonly limits?: Partial<TapLimits> | undefined;
}

export interface TapLimits {
  /** So many bytes wait unread before they are read in one go. Default 64 KB. */
  readonly foldBytes: number;
  /** A longer stream frame or JSON document is not kept whole. Default 1 MB. */
  readonly maxFrameBytes: number;
  /** So many bytes of the start and of the end are kept of it. Default 64 KB. */
  readonly keepBytes: number;
}

/** Reads what an answer tells about itself while its bytes pass. */
export interface AnswerTap {
  /** Bytes of the answer so far. */
  readonly bytes: number;
  /**
   * Whether the answer comes as events: SSE, JSON lines, AWS frames or a JSON array. An empty answer counts as what its
   * content type announces. Known once the first bytes are read, so ask after `facts`.
   */
  readonly isStream: boolean;
  /** Whether a whole JSON answer is missing or lacks its end, as HTTP alone does not tell. Ask after `facts`. */
  readonly isBroken: boolean;
  /** The first error that the wire threw. The tap itself never throws; what was being read then is missing. */
  readonly fault: unknown;
  /**
   * Takes note of the next chunk of the decoded answer. Keeps a reference for a while: nobody may overwrite or
   * transfer the chunk's memory (a `ReadableStream` of type `bytes` does).
   */
  push(chunk: Uint8Array): void;
  /** What the answer told. Reads all that is left, an unterminated last event included. */
  facts(): AnswerFacts;
  /**
   * The text that the part of the answer still at hand brings, and which share (0 to 1) of the answer's bytes that
   * part is. All of a short answer, at least the last `foldBytes` of a long one. Ends the reading like `facts`.
   */
  outputText(): { text: string; share: number };
}

/**
 * The tap on one answer. A chunk costs some 12 ns: it is only put on a list. Every 64 KB, and at the end, the list is
 * read in one go and forgotten, so a stream of any length takes constant memory.
 */
export function createAnswerTap(options: AnswerTapOptions): AnswerTap {
  return new Tap(options);
}

class Tap implements AnswerTap {
  bytes = 0;
  fault: unknown;

  readonly #wire: Wire;
  readonly #contentType: string | undefined;
  readonly #headers: HeaderLookup | undefined;
  readonly #limits: TapLimits;
  readonly #facts: AnswerFacts = {};

  #chunks: Uint8Array[] = [];
  #pendingBytes = 0;
  /** What is read, but no whole frame yet; without its middle when that would be too long. */
  #carry = '';
  #gap = 0;
  #isOpen = false;
  #kind: FramingKind | undefined;
  #isArray = false;
  #framing: Framing | undefined;
  /** The frames of the last two batches, for `outputText`. */
  #before = '';
  #latest = '';
  #latestGap = 0;

  constructor({ wire, contentType, headers, limits }: AnswerTapOptions) {
    this.#wire = wire;
    this.#contentType = contentType;
    this.#headers = headers;
    this.#limits = limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...limits };
  }

  get isStream(): boolean {
    if (this.bytes === 0)
      return this.#contentType !== undefined && STREAM_TYPE.test(this.#contentType);
    return this.#kind === 'document' ? this.#isArray : this.#kind !== undefined;
  }

  get isBroken(): boolean {
    if (this.bytes === 0) return true;
    return this.#kind === 'document' && /^\s*\{/.test(this.#latest) && !/\}\s*$/.test(this.#latest);
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes >= this.#limits.foldBytes || this.#chunks.length >= MAX_CHUNKS) {
      this.#fold(false);
    }
  }

  facts(): AnswerFacts {
    if (!this.#isOpen || this.#chunks.length > 0 || this.#carry !== '') this.#fold(true);
    const { endMarks } = this.#wire;
    if (endMarks !== undefined && this.isStream && this.#facts.complete !== true) {
      this.#lookForEnd(endMarks);
    }
    return this.#facts;
  }

  outputText(): { text: string; share: number } {
    this.facts();
    let text = '';
    const collect = (json: JsonView): void => {
      text += this.#wire.outputText(json);
    };
    try {
      const framing = createFraming(this.#kind, {
        marks: [],
        limits: this.#limits,
        onEvent: (event) => collect(event.json),
        onDocument: collect,
      });
      framing.read({ text: this.#before, known: 0, gap: 0, last: true });
      framing.read({ text: this.#latest, known: 0, gap: this.#latestGap, last: true });
    } catch (error) {
      this.fault ??= error;
    }
    return { text, share: this.bytes === 0 ? 1 : this.#covered() / this.bytes };
  }

  #lookForEnd(marks: readonly string[]): void {
    try {
      const framing = createFraming(this.#kind, { ...this.#listeners(), marks });
      framing.read({ text: this.#latest, known: 0, gap: this.#latestGap, last: true });
    } catch (error) {
      this.fault ??= error;
    }
  }

  #listeners(): Omit<FramingOptions & DocumentFramingOptions, 'marks'> {
    return {
      limits: this.#limits,
      onEvent: (event) => this.#wire.event(event, this.#facts),
      onDocument: (json) => this.#wire.answer(json, this.#facts),
    };
  }

  #covered(): number {
    const { maxFrameBytes, keepBytes } = this.#limits;
    const { length } = this.#latest;
    const isCut = this.#latestGap > 0 || (this.#kind === 'document' && length > maxFrameBytes);
    return this.#before.length + (isCut ? Math.min(length, 2 * keepBytes) : length);
  }

  #fold(last: boolean): void {
    const carry = this.#carry;
    const chunks = this.#chunks;
    const size = this.#pendingBytes;
    this.#chunks = [];
    this.#pendingBytes = 0;
    this.#carry = '';
    try {
      const text = carry + latin1OfChunks(chunks, size);
      if (this.#framing === undefined) this.#open(text, last);
      else this.#read(this.#framing, text, carry.length, last);
    } catch (error) {
      this.fault ??= error;
    }
  }

  /** Waits for the first bytes that tell how the answer is framed. */
  #open(text: string, last: boolean): void {
    let body = text;
    if (!this.#isOpen) {
      if (!last && text.length < BYTE_ORDER_MARK.length && BYTE_ORDER_MARK.startsWith(text)) {
        this.#carry = text;
        return;
      }
      this.#isOpen = true;
      if (text.startsWith(BYTE_ORDER_MARK)) body = text.slice(BYTE_ORDER_MARK.length);
      if (this.#headers !== undefined) this.#wire.headers?.(this.#headers, this.#facts);
    }
    this.#kind = sniffFraming(body, this.#contentType, last);
    this.#isArray = body.trimStart().startsWith('[');
    if (this.#kind === undefined) {
      // DeepSeek keeps a waiting connection open with empty lines before the answer.
      this.#carry = body.trim() === '' ? body.slice(body.lastIndexOf('\n') + 1) : body;
      return;
    }
    this.#framing = createFraming(this.#kind, { ...this.#listeners(), marks: this.#wire.marks });
    this.#read(this.#framing, body, 0, last);
  }

  #read(framing: Framing, text: string, known: number, last: boolean): void {
    const gap = this.#gap;
    const used = text === '' ? 0 : framing.read({ text, known, gap, last });
    if (used > 0) {
      this.#before = this.#latest;
      this.#latest = text.slice(0, used);
      this.#latestGap = gap;
      this.#gap = 0;
    }
    if (last) return;
    const { maxFrameBytes, keepBytes } = this.#limits;
    const rest = text.slice(used);
    if (rest.length <= maxFrameBytes) {
      this.#carry = rest;
      return;
    }
    this.#carry = copyOf(rest.slice(0, keepBytes) + rest.slice(-keepBytes));
    this.#gap = keepBytes;
  }
}

const STREAM_TYPE = /event-?stream|ndjson|jsonl/i;

const DEFAULT_LIMITS: TapLimits = {
  foldBytes: 64 * 1024,
  maxFrameBytes: 1024 * 1024,
  keepBytes: 64 * 1024,
};
/** A stream of tiny chunks is folded earlier: each one on the list costs some 100 bytes beside its own. */
const MAX_CHUNKS = 2048;
const BYTE_ORDER_MARK = '\xef\xbb\xbf';

function createFraming(
  kind: FramingKind | undefined,
  options: FramingOptions & DocumentFramingOptions,
): Framing {
  if (kind === 'sse') return createSseFraming(options);
  if (kind === 'lines') return createLinesFraming(options);
  if (kind === 'aws') return createAwsFraming(options);
  return createDocumentFraming(options);
}

/** Where batches are put together; fresh memory for each would cost more than the copying. */
const scratch = Buffer.allocUnsafeSlow(128 * 1024);

function latin1OfChunks(chunks: readonly Uint8Array[], size: number): string {
  const [first] = chunks;
  if (first === undefined) return '';
  if (chunks.length === 1) return latin1OfChunk(first);
  if (size > scratch.length) return Buffer.concat(chunks).toString('latin1');
  let end = 0;
  for (const chunk of chunks) {
    scratch.set(chunk, end);
    end += chunk.length;
  }
  return scratch.toString('latin1', 0, end);
}

function latin1OfChunk(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
}

/** A slice keeps the whole text behind it in memory; a copy does not. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
