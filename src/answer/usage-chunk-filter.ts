import { createParser } from 'eventsource-parser';
import { JsonView } from '../util/json-view.ts';
import { frameEnd, frameStart } from './sse-frames.ts';

/** Takes usage-only chunks out of an OpenAI-style SSE byte stream. */
export interface UsageChunkFilter {
  /** How many were taken out so far. */
  readonly removed: number;
  /**
   * What may be passed on now: the chunk itself when nothing changes, `undefined` when all of it is held or taken out.
   * At most the start of one frame is held.
   */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /** What is still held when the stream ends. */
  end(): Uint8Array | undefined;
}

/**
 * Takes out the chunk with `"choices":[]` and a usage object that a provider sends only because
 * `stream_options.include_usage` was asked for: callers that did not ask for it read `choices[0]` and fail. The frame
 * goes with its empty line, every other byte stays. A chunk that also carries an error stays, and so does Azure's first
 * chunk (empty choices and filter results, but no usage).
 *
 * A frame whose end has not come yet is let through as soon as it is clear that it is another one.
 */
export function createUsageChunkFilter(): UsageChunkFilter {
  return new Filter();
}

class Filter implements UsageChunkFilter {
  removed = 0;
  /** The start of a frame that may be usage-only. */
  #held: Buffer | undefined;
  /** In the middle of a frame that is let through; with the line end before the cut, where an empty line may begin. */
  #isPassing = false;
  #seam = '';
  /** The frame taken out last ended with CR: an LF right behind it is the other half. */
  #dropsLineFeed = false;

  push(chunk: Uint8Array): Uint8Array | undefined {
    if (chunk.length === 0) return this.#held === undefined ? chunk : undefined;
    if (this.#dropsLineFeed) {
      this.#dropsLineFeed = false;
      if (chunk[0] === LF) return chunk.length === 1 ? undefined : this.push(chunk.subarray(1));
    }
    if (this.#held === undefined && endsFrame(chunk) && !holdsEmptyArray(chunk)) {
      this.#isPassing = false;
      this.#seam = '';
      return chunk;
    }
    return this.#filter(chunk);
  }

  end(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || !isUsageOnly(held.toString('latin1'))) return held;
    this.removed++;
    return undefined;
  }

  #filter(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    this.#held = undefined;
    const kept: Uint8Array[] = [];
    let keptTo = 0;
    let at = this.#isPassing ? this.#passFrame(text) : 0;
    while (at < text.length) {
      // Frames without an empty array need no look: on to the one that holds the next, or to what is not whole yet.
      at = frameStart(text, emptyArrayAt(text, at), at);
      if (at === text.length) break;
      if (isLineEnd(text.charCodeAt(at))) {
        at++;
        continue;
      }
      const end = frameEnd(text, at);
      if (end < 0) {
        const rest = text.slice(at);
        if (mayBeUsageOnly(rest)) {
          kept.push(bytes.subarray(keptTo, at));
          keptTo = bytes.length;
          // A copy: the host may do what it likes with the chunk's memory.
          this.#held = Buffer.from(rest, 'latin1');
        } else {
          this.#isPassing = true;
          this.#seam = seamOf(rest);
        }
        break;
      }
      if (isUsageOnly(text.slice(at, end))) {
        this.removed++;
        kept.push(bytes.subarray(keptTo, at));
        keptTo = end;
        this.#dropsLineFeed = end === text.length && text.charCodeAt(end - 1) === CR;
      }
      at = end;
    }
    if (keptTo === 0) return bytes;
    kept.push(bytes.subarray(keptTo));
    return joined(kept);
  }

  /** Where the frame ends that is being let through. */
  #passFrame(text: string): number {
    const end = frameEnd(this.#seam + text, 0);
    if (end < 0) {
      this.#seam = seamOf(this.#seam + text);
      return text.length;
    }
    this.#isPassing = false;
    const seamLength = this.#seam.length;
    this.#seam = '';
    return end - seamLength;
  }
}

/** What may be a usage-only chunk's start or whole. Once false for a start, it is false for all that begins so. */
function mayBeUsageOnly(frame: string): boolean {
  if (frame.length > MAX_FRAME_LENGTH) return false;
  const data = DATA_START.exec(frame)?.[1];
  if (data !== undefined && data !== '{') return false;
  const choices = CHOICES_START.exec(frame)?.[1];
  return choices === undefined || choices === ']';
}

function isUsageOnly(frame: string): boolean {
  if (!EMPTY_CHOICES.test(frame) || !mayBeUsageOnly(frame)) return false;
  let data: string | undefined;
  const parser = createParser({
    onEvent: (event) => {
      data = event.data;
    },
  });
  // A byte order mark is the stream's, not the frame's, and never in front of a usage chunk.
  parser.feed(`\n${frame}\n\n`);
  if (data === undefined) return false;
  const json = new JsonView(data, true);
  const choices = json.get('choices');
  if (!json.isObject || !Array.isArray(choices) || choices.length > 0) return false;
  return json.view('usage')?.isObject === true && (json.get('error') ?? undefined) === undefined;
}

/** Whether a chunk ends with an empty line, as far as one can tell from its last bytes alone. */
function endsFrame(chunk: Uint8Array): boolean {
  const { length } = chunk;
  if (chunk[length - 1] !== LF) return false;
  if (chunk[length - 2] === LF) return true;
  return chunk[length - 2] === CR && chunk[length - 3] === LF && chunk[length - 4] === CR;
}

/** A cheap look (50 ns for an ordinary frame) for what every usage-only chunk holds. */
function holdsEmptyArray(chunk: Uint8Array): boolean {
  let at = chunk.indexOf(OPEN_BRACKET);
  while (at >= 0) {
    let next = at + 1;
    while (isSpace(chunk[next])) next++;
    if (chunk[next] === CLOSE_BRACKET) return true;
    at = chunk.indexOf(OPEN_BRACKET, next);
  }
  return false;
}

/** Where the next empty array stands, else the end of the text. */
function emptyArrayAt(text: string, from: number): number {
  let at = text.indexOf('[', from);
  while (at >= 0) {
    let next = at + 1;
    while (isSpace(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === CLOSE_BRACKET) return at;
    at = text.indexOf('[', next);
  }
  return text.length;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === LF || byte === CR || byte === 0x09;
}

/** The line end with which a text breaks off. */
function seamOf(text: string): string {
  if (text.endsWith('\r\n')) return '\r\n';
  return isLineEnd(text.charCodeAt(text.length - 1)) ? text.slice(-1) : '';
}

function isLineEnd(c: number): boolean {
  return c === LF || c === CR;
}

function joined(parts: readonly Uint8Array[]): Uint8Array | undefined {
  const filled = parts.filter((part) => part.length > 0);
  return filled.length > 1 ? Buffer.concat(filled) : filled[0];
}

/** The largest of 150 recorded usage-only chunks (2026-11) has 711 bytes. */
const MAX_FRAME_LENGTH = 8 * 1024;
const EMPTY_CHOICES = /"choices"\s*:\s*\[\s*\]/;
/** The first character of what `choices` is, or holds when it is an array. */
const CHOICES_START = /"choices"\s*:\s*(?:\[\s*)?([^\s[])/;
/** The first character of the first data line. */
const DATA_START = /(?:^|[\r\n])data:[ \t]*([^\s])/;
const LF = 0x0a;
const CR = 0x0d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
