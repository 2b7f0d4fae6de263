import type { Edit, Prompt } from '../../src/prompt-cache/types.ts';

/** A top-level member's JSON text; `undefined` when it is missing or `null`, which providers read alike. */
export function memberText(prompt: Prompt, key: string): string | undefined {
  const span = prompt.member(key);
  if (span === undefined) return undefined;
  const text = prompt.slice(span.start, span.end);
  return text === 'null' ? undefined : text;
}

/** The model that the body names; `undefined` where the URL names it. */
export function bodyModel(prompt: Prompt): string | undefined {
  const text = memberText(prompt, 'model');
  if (text === undefined) return undefined;
  try {
    const model: unknown = JSON.parse(text);
    return typeof model === 'string' ? model : undefined;
  } catch {
    return undefined;
  }
}

/** A top-level member to be written, with its value as JSON text. */
export type NewMember = readonly [key: string, value: string];

/** Writes members that `memberText` does not find: in the place of a `null`, else behind the others, of which there must be some. */
export function memberEdits(prompt: Prompt, members: readonly NewMember[]): Edit[] {
  const edits: Edit[] = [];
  const appended: string[] = [];
  for (const [key, value] of members) {
    const span = prompt.member(key);
    if (span === undefined) appended.push(`${JSON.stringify(key)}:${value}`);
    else edits.push({ at: span.start, remove: span.end - span.start, insert: value });
  }
  if (appended.length > 0) {
    edits.push({ at: prompt.end, remove: 0, insert: `,${appended.join(',')}` });
  }
  return edits;
}

/** In the order in which they stand in the text, as they must be to be rendered. */
export function inOrder(edits: Edit[]): Edit[] {
  return edits.toSorted((a, b) => a.at - b.at);
}

/** The last character before `at` that is no white space; empty at the start. */
export function precededBy(prompt: Prompt, at: number): string {
  let i = at;
  for (;;) {
    const character = prompt.slice(i - 1, i);
    if (character === '' || !' \n\r\t'.includes(character)) return character;
    i--;
  }
}

/**
 * Names and JSON texts as one string that differs whenever one of them does: no JSON text holds the character between
 * them. What is `undefined` is left out.
 */
export function salt(parts: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(parts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join('\u0000');
}
