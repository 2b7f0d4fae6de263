import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipScalar,
  skipSpace,
  skipString,
  SPACE,
} from '../../util/json-scan.ts';
import { compareKeys, orderInside, readKey, type Key, type MemberOrder } from './key-order.ts';

/** A value in a text, with its parts as deep as they were asked for. */
export interface Node {
  /** The name of its key, where it is a known one; else empty, as in arrays. */
  key: string;
  /** Of the member it is the value of: the opening quote of the key. */
  keyStart: number;
  readonly start: number;
  readonly end: number;
  readonly first: Node | undefined;
  next: Node | undefined;
}

/**
 * Reads JSON values of a text in one pass: where they end, whether they are canonical already, and what their canonical
 * text is if they are not. Canonical are members in their order (`MemberOrder`) without white space between tokens;
 * keys, strings and numbers stay character for character, and equal keys stay in the order they have.
 *
 * The inside of strings is not looked at, apart from keys: a fault there (a bad escape, a raw control character) goes on
 * as it came, for the provider to judge.
 */
export class CanonicalReader {
  readonly text: string;
  /** Canonical text of the value that was read last; `undefined` where it stands in the text already. */
  rewritten: string | undefined;
  /** The value that was read last, where nodes were asked for. Its offsets mean nothing once it is rewritten. */
  node: Node | undefined;

  /** Members and items of the objects and arrays that are open. The entries are used again and again. */
  readonly #parts: Part[] = [];
  #open = 0;

  readonly #prints: boolean;

  /** `prints` false: every value counts as canonical. */
  constructor(text: string, prints = true) {
    this.text = text;
    this.#prints = prints;
  }

  /** From a value's first character to behind its last; -1 for malformed or too deep. `levels` of nodes are kept. */
  value(at: number, order: MemberOrder, levels: number, depth = 0): number {
    const c = this.text.charCodeAt(at);
    if (c === OPEN_BRACE) return this.#object(at, order, levels, depth);
    if (c === OPEN_BRACKET) return this.#array(at, order, levels, depth);
    this.rewritten = undefined;
    const end = c === QUOTE ? skipString(this.text, at) : skipScalar(this.text, at);
    if (levels > 0) this.node = node(at, end, undefined);
    return end;
  }

  #object(at: number, order: MemberOrder, levels: number, depth: number): number {
    if (depth >= MAX_DEPTH) return -1;
    const { text } = this;
    const base = this.#open;
    let isCanonical = true;
    let isSorted = true;
    let previous: Part | undefined;
    let first: Node | undefined;
    let last: Node | undefined;
    let i = at + 1;
    let c = text.charCodeAt(i);
    if (c <= SPACE) {
      isCanonical = false;
      i = skipSpace(text, i);
      c = text.charCodeAt(i);
    }
    if (c !== CLOSE_BRACE) {
      for (;;) {
        if (c !== QUOTE) return -1;
        const part = this.#push();
        part.keyStart = i;
        i = readKey(text, i, part);
        if (i < 0) return -1;
        if (previous !== undefined && isSorted && order === 'sorted') {
          isSorted = compareKeys(text, previous, part) <= 0;
        }
        previous = part;
        c = text.charCodeAt(i);
        if (c <= SPACE) {
          isCanonical = false;
          i = skipSpace(text, i);
          c = text.charCodeAt(i);
        }
        if (c !== COLON) return -1;
        c = text.charCodeAt(++i);
        if (c <= SPACE) {
          isCanonical = false;
          i = skipSpace(text, i);
          c = text.charCodeAt(i);
        }
        part.start = i;
        i = this.value(i, orderInside(order, part.name, c), levels - 1, depth + 1);
        if (i < 0) return -1;
        part.end = i;
        part.rewritten = this.rewritten;
        if (levels > 1 && this.node !== undefined) {
          const child = this.node;
          child.key = part.name?.name ?? '';
          child.keyStart = part.keyStart;
          if (last === undefined) first = child;
          else last.next = child;
          last = child;
        }
        if (this.rewritten !== undefined) isCanonical = false;
        c = text.charCodeAt(i);
        if (c <= SPACE) {
          isCanonical = false;
          i = skipSpace(text, i);
          c = text.charCodeAt(i);
        }
        if (c === CLOSE_BRACE) break;
        if (c !== COMMA) return -1;
        c = text.charCodeAt(++i);
        if (c <= SPACE) {
          isCanonical = false;
          i = skipSpace(text, i);
          c = text.charCodeAt(i);
        }
      }
    }
    const isPrinted = !(isCanonical && isSorted) && this.#prints;
    this.rewritten = isPrinted ? this.#printObject(base, isSorted) : undefined;
    this.#open = base;
    if (levels > 0) this.node = node(at, i + 1, first);
    return i + 1;
  }

  #array(at: number, order: MemberOrder, levels: number, depth: number): number {
    if (depth >= MAX_DEPTH) return -1;
    const { text } = this;
    const base = this.#open;
    const inside = order === 'map' ? 'sorted' : order;
    let isCanonical = true;
    let first: Node | undefined;
    let last: Node | undefined;
    let i = at + 1;
    let c = text.charCodeAt(i);
    if (c <= SPACE) {
      isCanonical = false;
      i = skipSpace(text, i);
      c = text.charCodeAt(i);
    }
    if (c !== CLOSE_BRACKET) {
      for (;;) {
        const part = this.#push();
        part.start = i;
        i = this.value(i, inside, levels - 1, depth + 1);
        if (i < 0) return -1;
        part.end = i;
        part.rewritten = this.rewritten;
        if (levels > 1 && this.node !== undefined) {
          if (last === undefined) first = this.node;
          else last.next = this.node;
          last = this.node;
        }
        if (this.rewritten !== undefined) isCanonical = false;
        c = text.charCodeAt(i);
        if (c <= SPACE) {
          isCanonical = false;
          i = skipSpace(text, i);
          c = text.charCodeAt(i);
        }
        if (c === CLOSE_BRACKET) break;
        if (c !== COMMA) return -1;
        c = text.charCodeAt(++i);
        if (c <= SPACE) {
          isCanonical = false;
          i = skipSpace(text, i);
        }
      }
    }
    this.rewritten = isCanonical || !this.#prints ? undefined : this.#printArray(base);
    this.#open = base;
    if (levels > 0) this.node = node(at, i + 1, first);
    return i + 1;
  }

  #push(): Part {
    const at = this.#open++;
    const part = this.#parts[at];
    if (part !== undefined) return part;
    const fresh: Part = {
      keyStart: 0,
      keyEnd: 0,
      name: undefined,
      decoded: undefined,
      start: 0,
      end: 0,
      rewritten: undefined,
    };
    this.#parts.push(fresh);
    return fresh;
  }

  #printObject(base: number, isSorted: boolean): string {
    const { text } = this;
    const parts = this.#parts.slice(base, this.#open);
    if (!isSorted) sortParts(text, parts);
    let printed = '{';
    // What stands side by side in the text is copied as one piece.
    let from = -1;
    let to = -1;
    for (const { keyStart, keyEnd, start, end, rewritten } of parts) {
      if (keyStart !== to + 1 || text.charCodeAt(to) !== COMMA) {
        if (from >= 0) printed += `${text.slice(from, to)},`;
        from = keyStart;
      }
      if (start !== keyEnd + 1) {
        printed += `${text.slice(from, keyEnd)}:`;
        from = start;
      }
      if (rewritten !== undefined) {
        printed += text.slice(from, start) + rewritten;
        from = end;
      }
      to = end;
    }
    return from < 0 ? '{}' : `${printed}${text.slice(from, to)}}`;
  }

  #printArray(base: number): string {
    const { text } = this;
    let printed = '';
    for (let i = base; i < this.#open; i++) {
      const part = this.#parts[i];
      if (part === undefined) break;
      printed += i === base ? '[' : ',';
      printed += part.rewritten ?? text.slice(part.start, part.end);
    }
    return printed === '' ? '[]' : `${printed}]`;
  }
}

/** A member of an object that is being read, or an item of an array, which has no key. */
interface Part extends Key {
  start: number;
  end: number;
  rewritten: string | undefined;
}

/** Stable. By insertion where there are few: `sort` takes a microsecond to begin with. */
function sortParts(text: string, parts: Part[]): void {
  if (parts.length > FEW) {
    parts.sort((a, b) => compareKeys(text, a, b));
    return;
  }
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i];
    if (part === undefined) break;
    let at = i;
    for (; at > 0; at--) {
      const before = parts[at - 1];
      if (before === undefined || compareKeys(text, before, part) <= 0) break;
      parts[at] = before;
    }
    parts[at] = part;
  }
}

const FEW = 12;

/** Real bodies have some twenty levels; a bound keeps hostile ones off the stack. */
const MAX_DEPTH = 256;

function node(start: number, end: number, first: Node | undefined): Node {
  return { key: '', keyStart: start, start, end, first, next: undefined };
}

/** The canonical text of a whole JSON text, the very same string where it is canonical; `undefined` for malformed. */
export function canonicalText(text: string): string | undefined {
  const reader = new CanonicalReader(text);
  const start = skipSpace(text, 0);
  const end = reader.value(start, 'sorted', 0);
  if (end < 0 || skipSpace(text, end) !== text.length) return undefined;
  return reader.rewritten ?? text.slice(start, end);
}
