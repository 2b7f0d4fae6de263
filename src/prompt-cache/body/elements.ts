import type { BlockKind, Ttl } from '../types.ts';

/** A block within its element. */
export interface Part {
  readonly kind: BlockKind;
  /** Relative to the element's canonical text. */
  readonly start: number;
  readonly end: number;
  readonly isString: boolean;
  readonly tokens: number;
  readonly mark: Ttl | undefined;
}

/** What a dialect reads out of an element's canonical text. */
export interface Facts {
  /** As sent; empty where there is none. */
  readonly role: string;
  /** Written by the model. */
  readonly isOutput: boolean;
  readonly parts: readonly Part[];
  /** Start, end, start, end …: what is no part of the hash, in the element's canonical text. Ascending, disjoint. */
  readonly omit: readonly number[];
}

/** One tool, message or other value of the body that holds blocks. Immutable, shared between the turns of a conversation. */
export interface Element extends Facts {
  /** In the body as it came, relative to the value or array that it stands in. */
  readonly start: number;
  readonly end: number;
  /** Its canonical text; `undefined` where the body has it as it is. */
  readonly text: string | undefined;
}

export const NO_OMISSIONS: readonly number[] = [];

/** Length of an element's canonical text. */
export function lengthOf({ start, end, text }: Element): number {
  return text === undefined ? end - start : text.length;
}

/** Canonical text of an element. `base`: where the value or array that it stands in begins in `source`. */
export function textOf({ start, end, text }: Element, source: string, base: number): string {
  return text ?? source.slice(base + start, base + end);
}

/** Part of a text, without what is omitted. */
export function withoutOmissions(
  text: string,
  from: number,
  to: number,
  omit: readonly number[],
): string {
  if (omit.length === 0) return text.slice(from, to);
  let kept = '';
  let at = from;
  for (let i = 0; i < omit.length; i += 2) {
    const start = omit[i] ?? to;
    const end = omit[i + 1] ?? to;
    if (start >= to) break;
    if (start > at) kept += text.slice(at, start);
    at = Math.max(at, end);
  }
  return at < to ? kept + text.slice(at, to) : kept;
}
