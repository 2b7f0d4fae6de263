import type { BlockKind, PromptApi } from '../../types.ts';
import { ownText } from '../../arrange/own-text.ts';
import type { Node } from '../canonical-reader.ts';
import { NO_OMISSIONS, type Facts, type Part } from '../elements.ts';
import {
  hasMark,
  isArray,
  isString,
  markOf,
  member,
  omitMarks,
  partOf,
  plainText,
  word,
} from '../node-facts.ts';

/** Where a request format keeps its blocks. Pure. */
export interface Dialect {
  readonly api: PromptApi;
  /** Names of the top-level members, of which the last in the body counts. */
  readonly tools: readonly string[];
  readonly system: readonly string[];
  readonly messages: string;
  /** System and developer messages at the front of the messages belong to the system prompt. */
  readonly hasSystemMessages: boolean;
  /** One call and its neighbours in an answer are messages of their own, so that an answer's end is not each of them. */
  readonly splitsAnswers: boolean;
  /** The facts of one tool, of the value of a system member, and of one message. */
  /** How deep `tool` looks, with the lifetime in a mark. */
  readonly toolLevels: number;
  readonly tool: (text: string, value: Node) => Facts;
  readonly systemPrompt: (text: string, value: Node) => Facts;
  readonly message: (text: string, value: Node) => Facts;
}

/** Tool, mark, lifetime. */
export const WHOLE_TOOL_LEVELS = 3;

/** A tool that is one block. */
export function wholeTool(text: string, value: Node): Facts {
  return factsOf(text, value, { role: '', isOutput: false }, [
    partOf(text, value, value.start, 'tool'),
  ]);
}

/**
 * Facts of an object: its own mark counts for its last part, and is not part of the hash. `omit`: what else is not, in
 * the object's members.
 */
export function factsOf(
  text: string,
  value: Node,
  { role, isOutput }: { role: string; isOutput: boolean },
  parts: Part[],
  omit: readonly number[] = NO_OMISSIONS,
): Facts {
  if (!areAscending(parts)) {
    parts.sort((a, b) => a.start - b.start);
    return factsOf(text, value, { role, isOutput }, parts, sortedSpans(omit));
  }
  if (!hasMark(value)) return { role, isOutput, parts, omit };
  const mark = markOf(text, value);
  const last = parts.at(-1);
  if (last === undefined) {
    // A message without content has no block, but a mark on it takes a place like any other.
    if (mark !== undefined) parts.push(partOf(text, value, value.start, 'other'));
  } else if (last.mark === undefined) {
    parts[parts.length - 1] = { ...last, mark };
  }
  const own: number[] = [];
  omitMarks(text, value, value.start, own);
  return { role, isOutput, parts, omit: sortedSpans([...own, ...omit]) };
}

/** They are not where a body stays as it came and its host writes the calls of a message in front of its content. */
function areAscending(parts: readonly Part[]): boolean {
  for (let i = 1; i < parts.length; i++) {
    if ((parts[i]?.start ?? 0) < (parts[i - 1]?.start ?? 0)) return false;
  }
  return true;
}

/** Start, end, start, end … in the order of the text. */
export function sortedSpans(spans: readonly number[]): number[] {
  const pairs: Array<readonly [number, number]> = [];
  for (let i = 0; i < spans.length; i += 2) pairs.push([spans[i] ?? 0, spans[i + 1] ?? 0]);
  return pairs.sort((a, b) => a[0] - b[0]).flat();
}

/**
 * The parts of a content: a string, or an array of parts. An empty string is no block: nothing of it could be kept.
 * What the host marked, and how it wrote a text that is alone, is added to `omit`.
 * `base`: the offset that parts and spans count from.
 */
export function contentParts(
  text: string,
  content: Node | undefined,
  base: number,
  kindOfPart: (part: Node | undefined) => BlockKind,
  omit: number[],
): Part[] {
  if (content === undefined) return [];
  if (isString(text, content)) {
    return content.end - content.start > 2
      ? [partOf(text, content, base, kindOfPart(undefined))]
      : [];
  }
  if (!isArray(text, content)) return [];
  const parts: Part[] = [];
  for (let part = content.first; part !== undefined; part = part.next) {
    parts.push(partOf(text, part, base, kindOfPart(part)));
  }
  const alone = parts.length === 1 && content.first ? plainText(text, content.first) : undefined;
  if (alone !== undefined) {
    const spans = [content.start, alone.start, alone.end, content.end];
    omit.push(...spans.map((offset) => offset - base));
    return parts;
  }
  for (let part = content.first; part !== undefined; part = part.next) {
    omitMarksWithin(text, part, base, omit);
  }
  return parts;
}

/** Marks on a part, and on the parts of a tool result. */
export function omitMarksWithin(text: string, part: Node, base: number, omit: number[]): void {
  const content = member(part, 'content');
  if (!isArray(text, content)) {
    if (hasMark(part)) omitMarks(text, part, base, omit);
    return;
  }
  const spans: number[] = [];
  omitMarks(text, part, base, spans);
  for (let item = content.first; item !== undefined; item = item.next) {
    omitMarks(text, item, base, spans);
  }
  omit.push(...sortedSpans(spans));
}

/** A role that may be kept: it holds on to no body. */
export function roleOf(text: string, value: Node): string {
  const role = word(text, member(value, 'role'));
  return role.length > MAX_COPIED ? ownText(role) : role;
}

/** V8 copies the characters of a slice up to this length; a longer one keeps its source alive. */
const MAX_COPIED = 12;
