/** What kind of value differs. */
export type DifferenceClass = 'timestamp' | 'uuid' | 'counter' | 'other';

/** Index of the first UTF-16 unit that differs, never in the middle of a character; -1 for equal texts. */
export function firstDifference(before: string, after: string): number {
  if (before === after) return -1;
  const end = Math.min(before.length, after.length);
  let i = 0;
  // Comparing slices is a memcmp; character by character it takes ten times as long.
  while (i < end && before.slice(i, i + STRIDE) === after.slice(i, i + STRIDE)) i += STRIDE;
  while (i < end && before.charCodeAt(i) === after.charCodeAt(i)) i++;
  i = Math.min(i, end);
  return i > 0 && isHighSurrogate(before.charCodeAt(i - 1)) ? i - 1 : i;
}

/**
 * The kind of value that stands at the first difference (`at`, as `firstDifference` gives it) in both texts. Looks at no
 * more than 160 characters of each, whatever their length.
 *
 * - `timestamp`: dates and times as ISO 8601, RFC 2822, `Date.toString()`, in English words, with slashes or dots;
 *   seconds, milliseconds, microseconds or nanoseconds since 1970, between 2001 and 2039.
 * - `uuid`: UUIDs, ULIDs, hexadecimal ids of 16 digits or more, and random-looking ids (`req_011CSHoEeqs5C35K2UUqR7Fy`).
 * - `counter`: whole numbers.
 */
export function classifyDifference(before: string, after: string, at: number): DifferenceClass {
  const a = windowAt(before, at);
  const b = windowAt(after, at);
  const isTime = TIMESTAMPS.some((pattern) => differIn(pattern, a, b));
  // A value that is the same on both sides merely stands before what differs.
  if (partAt(a) === partAt(b)) return isTime ? 'timestamp' : 'other';
  const areFixedIds = isFixedId(a) && isFixedId(b);
  // Of digits alone it may be a time.
  if (areFixedIds && !(isDigits(a.word) && isDigits(b.word))) return 'uuid';
  const numbers = [numberAt(a), numberAt(b)];
  if (isTime || numbers.every(isEpoch)) return 'timestamp';
  if (areFixedIds || areLooseIds(a, b)) return 'uuid';
  return numbers.every((digits) => digits !== '') ? 'counter' : 'other';
}

/** The surroundings of a place in a text. */
interface Window {
  readonly text: string;
  /** The place in `text`. */
  readonly at: number;
  /** Letters, digits, `_` and `-` around the place. */
  readonly word: string;
  /** The place in `word`. */
  readonly inWord: number;
}

const STRIDE = 4096;

/** Characters to either side; the longest patterns take about 60. */
const REACH = 80;

function windowAt(source: string, at: number): Window {
  const from = Math.max(0, at - REACH);
  const text = source.slice(from, at + REACH);
  const place = at - from;
  const { start, end } = runAround(text, place, isWordUnit);
  return { text, at: place, word: text.slice(start, end), inWord: place - start };
}

/** The longest run of such characters that holds the place or touches it. */
function runAround(
  text: string,
  at: number,
  belongs: (unit: number) => boolean,
): { start: number; end: number } {
  let start = at;
  let end = at;
  while (start > 0 && belongs(text.charCodeAt(start - 1))) start--;
  while (end < text.length && belongs(text.charCodeAt(end))) end++;
  return { start, end };
}

/** Both have a match over the place, and not the same one: a date that merely stands before the difference is none. */
function differIn(pattern: RegExp, a: Window, b: Window): boolean {
  const before = matchAt(pattern, a);
  const after = matchAt(pattern, b);
  return before !== undefined && after !== undefined && before !== after;
}

function matchAt(pattern: RegExp, { text, at }: Window): string | undefined {
  for (const match of text.matchAll(pattern)) {
    if (match.index <= at && at <= match.index + match[0].length) return match[0];
  }
  return undefined;
}

const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)';
const WEEKDAY =
  '(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:rs(?:day)?)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)';
const DAY = String.raw`\d{1,2}(?:st|nd|rd|th)?`;
const ZONE = String.raw`(?:\s?(?:Z|(?:GMT|UTC)?[+-]\d{2}:?\d{2}|GMT|UTC))?`;
const TIME = String.raw`\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:\s?[AaPp]\.?[Mm]\.?)?${ZONE}`;

/** Every quantifier is bounded, so a match never takes more than the window. */
const TIMESTAMPS: readonly RegExp[] = [
  // 2026-03-03, 2026-03-03T10:15:22.123Z, 2026-03-03 10:15
  String.raw`(?<![\dA-Za-z])\d{4}-\d{2}-\d{2}(?:[T ]${TIME})?(?![\dA-Za-z])`,
  // 20260303, 20260303T101522Z
  String.raw`(?<![\dA-Za-z])(?:19|20)\d{2}[01]\d[0-3]\d(?:T?\d{4,6}Z?)?(?![\dA-Za-z])`,
  // 2026/03/03, 03/03/2026, 3/3/26, 3.3.2026
  String.raw`(?<!\d)(?:\d{4}/\d{1,2}/\d{1,2}|\d{1,2}/\d{1,2}/\d{2}(?:\d{2})?|\d{1,2}\.\d{1,2}\.\d{4})(?!\d)`,
  // 10:15, 10:15:22.123, 9:05 PM, 10:15:22 GMT+0100
  String.raw`(?<!\d)${TIME}`,
  // Tuesday, 3 March 2026; Tue, 03 Mar 2026; 3rd of March
  String.raw`\b(?:${WEEKDAY},?\s{1,3})?(?:the\s)?${DAY}(?:\sof)?[\s-]${MONTH}\b(?:[.,]?[\s-]\d{4})?`,
  // Tuesday, March 3, 2026; Mar 3rd; Tue Mar 03 2026 10:15:22; Tue Mar  3 10:15:22 2026
  String.raw`\b(?:${WEEKDAY},?\s{1,3})?${MONTH}\.?\s{1,2}${DAY}\b(?:,?\s\d{4}\b)?(?:\s${TIME}(?:\s\d{4})?)?`,
  // March 2026; Tuesday
  String.raw`\b(?:${MONTH},?\s\d{4}|${WEEKDAY})\b`,
  // 2026年3月3日
  String.raw`\d{4}\u5e74\d{1,2}\u6708\d{1,2}\u65e5`,
].map((source) => new RegExp(source, 'g'));

const UUID =
  /(?<![\dA-Za-z])[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?![\dA-Za-z])/gi;
/** Crockford's base 32, 128 bits: the first digit is at most 7. */
const ULID = /^[0-7][\dA-HJKMNP-TV-Z]{25}$/i;
const HEX = /^[\da-f]{16,}$/i;

/** An id in one of the formats that have a name, or a long hexadecimal one. */
function isFixedId(window: Window): boolean {
  const part = partAt(window);
  return HEX.test(part) || ULID.test(part) || matchAt(UUID, window) !== undefined;
}

/** Shorter ones are too easily names (`covid19`, `sha256`). */
const MIN_LOOSE_ID = 10;

/** Of nanoid's kind, as requests and sessions have them: as long on both sides, and one of them looks random. */
function areLooseIds(a: Window, b: Window): boolean {
  const before = a.word.replaceAll(SEPARATORS, '');
  const after = b.word.replaceAll(SEPARATORS, '');
  if (a.word.length !== b.word.length) return false;
  return looksRandom(before) || looksRandom(after);
}

const SEPARATORS = /[_-]/g;

/** Digits, capitals and small letters take turns more often than in names of any style and in version numbers. */
function looksRandom(id: string): boolean {
  if (id.length < MIN_LOOSE_ID) return false;
  let changes = 0;
  let ofDigits = 0;
  for (let i = 1; i < id.length; i++) {
    const before = id.charCodeAt(i - 1);
    const unit = id.charCodeAt(i);
    if (isDigit(before) !== isDigit(unit)) ofDigits++;
    if (kindOf(before) !== kindOf(unit)) changes++;
  }
  return ofDigits >= 2 && changes * 4 >= id.length;
}

function kindOf(unit: number): 'digit' | 'capital' | 'small' {
  if (isDigit(unit)) return 'digit';
  return unit < 0x61 ? 'capital' : 'small';
}

/** The letters and digits around the place. */
function partAt({ word, inWord }: Window): string {
  const { start, end } = runAround(word, inWord, isAlphanumeric);
  return word.slice(start, end);
}

/** The whole number at the place; empty where there is none, or where it is part of an id (`a1b2`). */
function numberAt(window: Window): string {
  return /^[A-Za-z]*(\d+)[A-Za-z]{0,3}$/.exec(partAt(window))?.[1] ?? '';
}

/** 2001-09-09 to 2039-12-31, in seconds, and the same with 3, 6 and 9 more digits. */
function isEpoch(digits: string): boolean {
  if (![10, 13, 16, 19].includes(digits.length)) return false;
  const seconds = Number(digits.slice(0, 10));
  return seconds >= 1_000_000_000 && seconds < 2_209_000_000;
}

function isDigits(text: string): boolean {
  return /^\d+$/.test(text);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function isAlphanumeric(unit: number): boolean {
  return isDigit(unit) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}

function isWordUnit(unit: number): boolean {
  return isAlphanumeric(unit) || unit === 0x5f || unit === 0x2d;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
