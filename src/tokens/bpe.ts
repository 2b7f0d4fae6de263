import { countMerged } from './merge.ts';
import type { RankTable } from './rank-table.ts';

/**
 * Counts the tokens of one encoding. Equal to the length of js-tiktoken's `encode(text, [], [])` for every
 * text: special tokens in it are ordinary text, a lone surrogate counts as U+FFFD.
 *
 * Work is linear in the text but for a logarithm, and not cut into slices: bound the text, see `segments.ts`.
 */
export class BytePairCounter {
  readonly #ranks: RankTable;
  readonly #pieces: RegExp;
  #bytes: Uint8Array = new Uint8Array(4096);

  /** `pattern` is the encoding's own, which splits a text into pieces that are merged one by one. */
  constructor(ranks: RankTable, pattern: string) {
    this.#ranks = ranks;
    // Sticky: the patterns leave no character out, so every piece starts where the one before ended.
    this.#pieces = new RegExp(pattern, 'uy');
  }

  count(text: string): number {
    const pieces = this.#pieces;
    let tokens = 0;
    let start = 0;
    pieces.lastIndex = 0;
    // `test` moves lastIndex behind the piece without building a match array for it.
    while (start < text.length && pieces.test(text)) {
      tokens += this.#countPiece(text, start, pieces.lastIndex);
      start = pieces.lastIndex;
    }
    return tokens;
  }

  #countPiece(text: string, start: number, end: number): number {
    const maxBytes = (end - start) * 3;
    const bytes = maxBytes <= this.#bytes.length ? this.#bytes : new Uint8Array(maxBytes);
    const length = encodeUtf8(text, start, end, bytes);
    // Only a shortcut: merging reaches every token of both encodings.
    if (this.#ranks.find(bytes, 0, length) >= 0) return 1;
    return countMerged(bytes, length, this.#ranks);
  }
}

/** Writes `text[start, end)` as UTF-8; most pieces are so short that a call to the native encoder costs more. */
function encodeUtf8(text: string, start: number, end: number, bytes: Uint8Array): number {
  let at = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      at = writeThreeBytes(bytes, at, unit);
    } else {
      const codePoint = i + 1 < end ? text.codePointAt(i)! : unit;
      if (codePoint === unit) {
        at = writeThreeBytes(bytes, at, REPLACEMENT);
      } else {
        bytes[at++] = 0xf0 | (codePoint >> 18);
        at = writeThreeBytes(bytes, at, codePoint & 0x3ffff, 0x80);
        i++;
      }
    }
  }
  return at;
}

const REPLACEMENT = 0xfffd;

function writeThreeBytes(bytes: Uint8Array, at: number, value: number, lead = 0xe0): number {
  bytes[at] = lead | (value >> 12);
  bytes[at + 1] = 0x80 | ((value >> 6) & 0x3f);
  bytes[at + 2] = 0x80 | (value & 0x3f);
  return at + 3;
}
