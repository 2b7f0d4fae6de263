/**
 * Cuts a long text into segments that are counted one by one, each a bounded piece of work.
 *
 * Where a letter or digit is followed by neither letter, mark, digit nor apostrophe, both encodings end a
 * piece whatever stands around it, so the counts of the two sides add up exactly. Ordinary text has such a place
 * every few characters. Text that has none for a long way (one letter repeated, Chinese or Thai without spaces
 * and punctuation, white space) is cut between two code points; each such cut changes the count by three
 * tokens at most in every kind of text that is tested.
 */

/** Bounds the longest step of a count: a single piece of three-byte characters, 12 KiB to merge. */
export const MAX_SEGMENT_CHARS = 4096;

/** How far a safe place is looked for; more would cost more than the few tokens that it saves. */
export const MAX_LOOK_BACK_CHARS = 256;

const LETTER_OR_DIGIT = /^[\p{L}\p{N}]$/u;
const JOINS_LEFT = /^['\p{L}\p{M}\p{N}]$/u;

/** Where the segment that starts at `start` ends: behind it, at most `maxChars` on. */
export function segmentEnd(
  text: string,
  start: number,
  maxChars: number = MAX_SEGMENT_CHARS,
): number {
  const limit = start + Math.max(maxChars, 2);
  if (limit >= text.length) return text.length;
  const nearest = Math.max(start, limit - MAX_LOOK_BACK_CHARS);
  for (let at = limit; at > nearest; at--) {
    if (isSafeCut(text, at)) return at;
  }
  return isLowSurrogate(text.charCodeAt(limit)) && isHighSurrogate(text.charCodeAt(limit - 1))
    ? limit - 1
    : limit;
}

/** Whether the tokens of `text` are always those before `at` and those from `at` on. */
export function isSafeCut(text: string, at: number): boolean {
  const left = text.charCodeAt(at - 1);
  const right = text.codePointAt(at);
  if (Number.isNaN(left) || right === undefined) return true;
  return isLetterOrDigit(left) && !joinsLeft(right);
}

function isLetterOrDigit(unit: number): boolean {
  return unit < 0x80 ? isAsciiWord(unit) : LETTER_OR_DIGIT.test(String.fromCharCode(unit));
}

function joinsLeft(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint === APOSTROPHE || isAsciiWord(codePoint);
  return JOINS_LEFT.test(String.fromCodePoint(codePoint));
}

const APOSTROPHE = 0x27;

function isAsciiWord(unit: number): boolean {
  const lower = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLowSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}
