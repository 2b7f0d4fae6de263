import { hash } from 'node:crypto';
import { skipScalar, skipString } from '../../util/json-scan.ts';

/**
 * What a tool is, apart from the order of keys: two canonical JSON texts have the same identity only if they are equal
 * once the members of every object, at every depth, are sorted. Everything else counts character by character, so `1` and
 * `1.0`, or `"a"` and `"\u0061"`, are different.
 *
 * A text with a key twice in one object (which of them counts is the reader's choice), with white space between its
 * tokens, nested deeper than any real schema, or not JSON at all equals only its own exact text.
 */
export function toolIdentity(text: string): string {
  const sorted = sortMembers(text);
  return hash('sha256', sorted === undefined ? `exact ${text}` : `sorted ${sorted}`, 'base64url');
}

/** The text with the members of every object sorted by the text of their keys; `undefined` as said above. */
export function sortMembers(text: string): string | undefined {
  const value = sortedValue(text, 0, 0);
  return value?.end === text.length ? value.text : undefined;
}

/** Real schemas have some twenty levels; a bound keeps hostile ones off the stack. */
const MAX_DEPTH = 256;

interface Sorted {
  readonly text: string;
  /** Behind the value, in the source. */
  readonly end: number;
}

function sortedValue(source: string, at: number, depth: number): Sorted | undefined {
  if (depth > MAX_DEPTH) return undefined;
  switch (source[at]) {
    case '{':
      return sortedObject(source, at, depth);
    case '[':
      return sortedArray(source, at, depth);
    default: {
      const end = source[at] === '"' ? skipString(source, at) : skipScalar(source, at);
      return end < 0 ? undefined : { text: source.slice(at, end), end };
    }
  }
}

function sortedArray(source: string, at: number, depth: number): Sorted | undefined {
  const items: string[] = [];
  let i = at + 1;
  if (source[i] === ']') return { text: '[]', end: i + 1 };
  for (;;) {
    const item = sortedValue(source, i, depth + 1);
    if (item === undefined) return undefined;
    items.push(item.text);
    i = item.end + 1;
    if (source[item.end] === ']') return { text: `[${items.join(',')}]`, end: i };
    if (source[item.end] !== ',') return undefined;
  }
}

function sortedObject(source: string, at: number, depth: number): Sorted | undefined {
  const members: Member[] = [];
  let i = at + 1;
  if (source[i] === '}') return { text: '{}', end: i + 1 };
  for (;;) {
    const colon = source[i] === '"' ? skipString(source, i) : -1;
    if (colon < 0 || source[colon] !== ':') return undefined;
    const value = sortedValue(source, colon + 1, depth + 1);
    if (value === undefined) return undefined;
    members.push({ key: source.slice(i, colon), value: value.text });
    i = value.end + 1;
    if (source[value.end] === '}') break;
    if (source[value.end] !== ',') return undefined;
  }
  if (hasDuplicates(members)) return undefined;
  members.sort((a, b) => (a.key < b.key ? -1 : 1));
  return { text: `{${members.map(({ key, value }) => `${key}:${value}`).join(',')}}`, end: i };
}

interface Member {
  /** With its quotes and escapes. */
  readonly key: string;
  readonly value: string;
}

/** As a reader sees the keys: two that are escaped in different ways are one. */
function hasDuplicates(members: readonly Member[]): boolean {
  const keys = new Set<unknown>();
  for (const { key } of members) keys.add(key.includes('\\') ? decoded(key) : key.slice(1, -1));
  return keys.size < members.length || keys.has(undefined);
}

function decoded(key: string): unknown {
  try {
    return JSON.parse(key) as unknown;
  } catch {
    return undefined;
  }
}
