import type { RankTable } from './rank-table.ts';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const PADDING = 0x3d;

/** Characters of the shortest token with its separator: one byte is four base64 characters. */
const MIN_TOKEN_CHARS = 5;

/** Longer than any token; the longest of o200k_base has 128 bytes. */
const MAX_TOKEN_BYTES = 1024;

/** Upper bounds for the table that a source of this length fills. */
export function tableBounds(source: string): { maxTokens: number; maxBytes: number } {
  return {
    maxTokens: Math.ceil(source.length / MIN_TOKEN_CHARS) + 1,
    maxBytes: Math.ceil((source.length * 3) / 4),
  };
}

/**
 * Reads js-tiktoken's rank text into a table, as far as it is told at a time. The text is lines of
 * `<name> <first rank> <base64 token> <base64 token> …`, the tokens in the order of their ranks.
 */
export class RankDecoder {
  readonly #source: string;
  readonly #table: RankTable;
  readonly #bytes: Uint8Array = new Uint8Array(MAX_TOKEN_BYTES);
  #at = 0;
  #word = 0;
  #rank = 0;

  constructor(source: string, table: RankTable) {
    this.#source = source;
    this.#table = table;
  }

  /** Decodes at least `chars` more characters; false when the source is at its end. */
  advance(chars: number): boolean {
    const source = this.#source;
    const stop = Math.min(this.#at + chars, source.length);
    while (this.#at < stop) {
      const end = wordEnd(source, this.#at);
      this.#readWord(this.#at, end);
      this.#word = source.charCodeAt(end) === LINE_FEED ? 0 : this.#word + 1;
      this.#at = end + 1;
    }
    return this.#at < source.length;
  }

  #readWord(start: number, end: number): void {
    if (this.#word === 0) return;
    if (this.#word === 1) {
      this.#rank = Number(this.#source.slice(start, end));
      return;
    }
    const length = decodeBase64(this.#source, start, end, this.#bytes);
    this.#table.add(this.#bytes, length, this.#rank);
    this.#rank++;
  }
}

function wordEnd(source: string, start: number): number {
  let end = start;
  while (end < source.length) {
    const unit = source.charCodeAt(end);
    if (unit === SPACE || unit === LINE_FEED) break;
    end++;
  }
  return end;
}

const SIX_BITS: Uint8Array = new Uint8Array(128);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let i = 0; i < ALPHABET.length; i++) SIX_BITS[ALPHABET.charCodeAt(i)] = i;

/** Padded base64 to bytes; a native call for each of 200,000 short words would take several times as long. */
function decodeBase64(source: string, start: number, end: number, bytes: Uint8Array): number {
  let length = 0;
  let bits = 0;
  let held = 0;
  for (let i = start; i < end; i++) {
    const unit = source.charCodeAt(i);
    if (unit === PADDING) break;
    held = (held << 6) | SIX_BITS[unit]!;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = (held >> bits) & 0xff;
    }
  }
  return length;
}
