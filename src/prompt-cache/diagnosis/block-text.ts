import { JsonView } from '../../util/json-view.ts';
import type { Block, Prompt } from '../types.ts';

/** A block's JSON text without a mark on it: marks move from turn to turn and are no part of what is kept. */
export function blockText(prompt: Prompt, block: Block): string {
  const { start, end } = spanOf(prompt, block);
  return withoutMark(prompt.slice(start, end));
}

export function withoutMark(json: string): string {
  return json.replace(MARK, '');
}

/** What a block says: the text of a text block, the JSON text of any other. */
export function plainText(json: string): string {
  if (!json.startsWith('"')) return new JsonView(json).string('text') ?? json;
  try {
    return String(JSON.parse(json));
  } catch {
    return json;
  }
}

/** Length of each sample. A text of at most four of them is taken whole. */
const SAMPLE = 8;

/** A text of more characters is not read whole by `hashText`. */
export const WHOLE_UP_TO: number = 4 * SAMPLE;

/**
 * 32 bits over a stretch of text: its length, its first and last characters and some in between. It tells blocks apart
 * at 0.05 us each, however long they are. A change in the middle of a long block may escape it.
 */
export function hashText(text: string, start = 0, end: number = text.length, seed = 0): number {
  const length = end - start;
  let hash = Math.imul(FNV_OFFSET ^ seed, FNV_PRIME) ^ length;
  if (length <= WHOLE_UP_TO) {
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
    return hash >>> 0;
  }
  for (let i = 0; i < SAMPLE; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(start + i), FNV_PRIME);
    hash = Math.imul(hash ^ text.charCodeAt(end - 1 - i), FNV_PRIME);
  }
  const step = length / (2 * SAMPLE + 1);
  for (let i = 1; i <= 2 * SAMPLE; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(start + Math.floor(i * step)), FNV_PRIME);
  }
  return hash >>> 0;
}

/** The same over a block and its role, without a mark on it. */
export function hashBlock(prompt: Prompt, block: Block): number {
  const { role, mark } = block;
  // Length and first letter tell all roles of all formats apart.
  const seed = role.length * 256 + (role === '' ? 0 : role.charCodeAt(0));
  if (mark !== undefined) return hashText(blockText(prompt, block), 0, undefined, seed);
  const { start, end } = spanOf(prompt, block);
  return hashText(prompt.slice(start, end), 0, end - start, seed);
}

function spanOf({ offsets }: Prompt, { tier, start, end }: Block): { start: number; end: number } {
  return { start: offsets[tier] + start, end: offsets[tier] + end };
}

/** Within a string the quotes would be escaped, so this is always a member, with the comma that goes with it. */
const MARK =
  /,\s*"(?:cache_control|prompt_cache_breakpoint)"\s*:\s*\{[^{}]*\}|"(?:cache_control|prompt_cache_breakpoint)"\s*:\s*\{[^{}]*\}\s*,?/;

/** The 32-bit parameters of FNV-1a (RFC 9923). */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
