/** What stands where a secret stood. */
export const redactionMarker = 'REDACTED';

/** A pattern whose every match is replaced by `REDACTED`, or a function from text to text. */
export type Redactor = RegExp | ((text: string) => string);

/** A part of a text that is replaced, by offsets. */
export interface Edit {
  start: number;
  end: number;
  replacement: string;
}

/** What one redactor replaces in a text, in order. */
export function findEdits(text: string, redactor: Redactor): Edit[] {
  if (typeof redactor === 'function') return differenceOf(text, redactor(text));
  const pattern = redactor.global ? redactor : new RegExp(redactor.source, `${redactor.flags}g`);
  return [...text.matchAll(pattern)]
    .map(({ 0: match, index }) => ({
      start: index,
      end: index + match.length,
      replacement: redactionMarker,
    }))
    .filter(({ start, end }) => end > start);
}

/** What a function changed, as one edit from the first difference to the last. */
function differenceOf(before: string, after: string): Edit[] {
  if (before === after) return [];
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  if (isHighSurrogate(before, start - 1)) start--;
  let same = 0;
  while (same < shorter - start && before.at(-1 - same) === after.at(-1 - same)) same++;
  if (same > 0 && isHighSurrogate(before, before.length - same - 1)) same--;
  return [
    { start, end: before.length - same, replacement: after.slice(start, after.length - same) },
  ];
}

/** A character of two code units is replaced as a whole, so that its bytes can be counted. */
function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let position = 0;
  for (const { start, end, replacement } of edits) {
    result += text.slice(position, start) + replacement;
    position = end;
  }
  return result + text.slice(position);
}

/** Where chunks of these lengths end. */
export function endsOf(chunks: readonly number[]): number[] {
  let end = 0;
  return chunks.map((length) => (end += length));
}

/** Where chunks end after the edits; a chunk that ended inside a replaced part ends behind the replacement. */
export function moveEnds(
  ends: readonly number[],
  text: string,
  edits: readonly Edit[],
  encoding: 'latin1' | 'utf8',
): number[] {
  const sizeOf = (part: string): number => Buffer.byteLength(part, encoding);
  const moved: number[] = [];
  let next = 0;
  let position = 0;
  let positionBytes = 0;
  let shift = 0;
  for (const edit of edits) {
    const start = positionBytes + sizeOf(text.slice(position, edit.start));
    const end = start + sizeOf(text.slice(edit.start, edit.end));
    const added = sizeOf(edit.replacement);
    for (; next < ends.length && ends[next]! <= start; next++) moved.push(ends[next]! + shift);
    for (; next < ends.length && ends[next]! < end; next++) moved.push(start + shift + added);
    shift += added - (end - start);
    position = edit.end;
    positionBytes = end;
  }
  return [...moved, ...ends.slice(next).map((each) => each + shift)];
}
