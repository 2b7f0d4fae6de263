import { OPEN_BRACE, OPEN_BRACKET, QUOTE } from '../../util/json-scan.ts';
import type { BlockKind, Ttl } from '../types.ts';
import type { Node } from './canonical-reader.ts';
import type { Part } from './elements.ts';
import { estimateTokens, MEDIA_TOKENS } from './tokens.ts';

/** The member with a known key; of several the last, as in JSON.parse. */
export function member(object: Node | undefined, key: string): Node | undefined {
  let found: Node | undefined;
  for (let child = object?.first; child !== undefined; child = child.next) {
    if (child.key === key) found = child;
  }
  return found;
}

export function isString(text: string, value: Node): boolean {
  return text.charCodeAt(value.start) === QUOTE;
}

export function isObject(text: string, value: Node): boolean {
  return text.charCodeAt(value.start) === OPEN_BRACE;
}

export function isArray(text: string, value: Node | undefined): value is Node {
  return value !== undefined && text.charCodeAt(value.start) === OPEN_BRACKET;
}

/** A short string value, such as a role or a type; empty for anything else. */
export function word(text: string, value: Node | undefined): string {
  if (value === undefined || !isString(text, value) || value.end - value.start > MAX_WORD)
    return '';
  const inside = text.slice(value.start + 1, value.end - 1);
  if (!inside.includes('\\')) return inside;
  try {
    return String(JSON.parse(`"${inside}"`));
  } catch {
    return '';
  }
}

/** Short enough for V8 to copy the characters: a longer slice would keep the whole body in memory. */
const MAX_WORD = 64;

/** The host's mark on an object: Anthropic's `cache_control`, OpenAI's `prompt_cache_breakpoint`. */
export function markOf(text: string, object: Node): Ttl | undefined {
  if (isSet(text, member(object, 'prompt_cache_breakpoint'))) return '30m';
  const control = member(object, 'cache_control');
  if (!isSet(text, control)) return undefined;
  return word(text, member(control, 'ttl')) === '1h' ? '1h' : '5m';
}

/** Whether an object has a mark, be it `null`. */
export function hasMark(object: Node): boolean {
  for (let child = object.first; child !== undefined; child = child.next) {
    if (isMark(child.key)) return true;
  }
  return false;
}

function isSet(text: string, value: Node | undefined): boolean {
  return value !== undefined && !text.startsWith('null', value.start);
}

function isMark(key: string): boolean {
  return key === 'cache_control' || key === 'prompt_cache_breakpoint';
}

/**
 * Adds the spans of an object's marks, each with one comma, so that the rest reads as if it had never had them.
 * `base`: the offset that spans count from.
 */
export function omitMarks(text: string, object: Node, base: number, omit: number[]): void {
  let hasKept = false;
  for (let child = object.first; child !== undefined; child = child.next) {
    if (!isMark(child.key)) hasKept = true;
    else if (hasKept) omit.push(text.lastIndexOf(',', child.keyStart) - base, child.end - base);
    else omit.push(child.keyStart - base, (child.next?.keyStart ?? child.end) - base);
  }
}

/** The string of a text part that has nothing but type, text and marks, so that a plain string says the same. */
export function plainText(text: string, part: Node): Node | undefined {
  let string: Node | undefined;
  let types = 0;
  for (let child = part.first; child !== undefined; child = child.next) {
    if (child.key === 'text' && string === undefined && isString(text, child)) string = child;
    else if (child.key === 'type' && TEXT_TYPES.has(word(text, child))) types++;
    else if (!isMark(child.key)) return undefined;
  }
  return types === 1 && string !== undefined && string.end > string.start + 2 ? string : undefined;
}

/** `input_text` and `output_text`: OpenAI Responses. */
const TEXT_TYPES = new Set(['text', 'input_text', 'output_text']);

/** A part of `kind` that takes up a whole value. `base`: the offset that the part's own count from. */
export function partOf(text: string, value: Node, base: number, kind: BlockKind): Part {
  return {
    kind,
    start: value.start - base,
    end: value.end - base,
    isString: isString(text, value),
    tokens: tokensOf(text, value, kind),
    mark: markOf(text, value),
  };
}

function tokensOf(text: string, value: Node, kind: BlockKind): number {
  if (kind === 'image' || kind === 'audio') return MEDIA_TOKENS;
  if (kind === 'document') {
    const source = member(value, 'source');
    const isText = source !== undefined && TEXT_SOURCES.has(word(text, member(source, 'type')));
    return isText ? estimateTokens(text, value.start, value.end) : MEDIA_TOKENS;
  }
  if (kind !== 'tool_result') return estimateTokens(text, value.start, value.end);
  // Screenshots come back as tool results: their data says nothing of their price.
  let tokens = 0;
  let at = value.start;
  const content = member(value, 'content') ?? member(value, 'output') ?? value;
  if (isArray(text, content)) {
    for (let item = content.first; item !== undefined; item = item.next) {
      const inner = kindOf(word(text, member(item, 'type')));
      if (inner !== 'image' && inner !== 'audio' && inner !== 'document') continue;
      tokens += estimateTokens(text, at, item.start) + tokensOf(text, item, inner);
      at = item.end;
    }
  }
  return tokens + estimateTokens(text, at, value.end);
}

/** Documents that are sent as text (Anthropic Messages, citations and documents). */
const TEXT_SOURCES = new Set(['text', 'content']);

/** The kind of a content part or input item, by its `type` (OpenAI and Anthropic, types of their SDKs, 2026-10). */
export function kindOf(type: string): BlockKind {
  const known = KINDS.get(type);
  if (known !== undefined) return known;
  if (type.endsWith('_tool_result') || type.endsWith('_output')) return 'tool_result';
  return type.endsWith('_tool_use') || type.endsWith('_call') ? 'tool_call' : 'other';
}

const KINDS: ReadonlyMap<string, BlockKind> = new Map([
  ['text', 'text'],
  ['input_text', 'text'],
  ['output_text', 'text'],
  ['refusal', 'text'],
  ['message', 'text'],
  ['image', 'image'],
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['audio', 'audio'],
  ['input_audio', 'audio'],
  ['document', 'document'],
  ['file', 'document'],
  ['input_file', 'document'],
  ['tool_use', 'tool_call'],
  ['function_call', 'tool_call'],
  ['tool_result', 'tool_result'],
  ['thinking', 'thinking'],
  ['redacted_thinking', 'thinking'],
  ['reasoning', 'thinking'],
]);
