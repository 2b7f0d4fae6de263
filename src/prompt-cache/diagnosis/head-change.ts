import type { MissReason, Prompt } from '../types.ts';
import { blockText, hashBlock, plainText } from './block-text.ts';
import {
  classifyDifference,
  firstDifference,
  type DifferenceClass,
} from './classify-difference.ts';
import { headLength, headText, toolCount, type Head } from './head.ts';

/** Where two texts part, and over what. */
export interface Difference {
  /**
   * UTF-8 bytes before it: of the system prompt as the model reads it; of a tool's JSON text for tools; of the JSON text for
   * system blocks that are no text.
   */
  readonly byte: number;
  readonly class: DifferenceClass;
}

/** What changed in a tier. */
export interface TierChange {
  readonly reason: MissReason;
  /** Index in `Prompt.blocks` of the first block that is not as it was. */
  readonly position: number;
  /** Absent where blocks came or went, or where the earlier text was too long to be kept. */
  readonly difference?: Difference | undefined;
}

export function toolsChange(head: Head, prompt: Prompt): TierChange | undefined {
  const count = toolCount(prompt);
  const position = firstUnequal(head, prompt, 0, head.tools, 0, count);
  if (position === undefined) return undefined;
  if (isReordered(head, prompt, count)) return { reason: 'tools-reordered', position };
  const { before, after } = textsAt(head, prompt, position, head.tools, position, count);
  return { reason: 'tools-changed', position, difference: differenceOf(before, after, 0) };
}

export function systemChange(head: Head, prompt: Prompt): TierChange | undefined {
  const start = toolCount(prompt);
  const end = headLength(prompt);
  const ahead = firstUnequal(head, prompt, head.tools, head.hashes.length, start, end);
  if (ahead === undefined) return undefined;
  const position = start + ahead;
  let byte = 0;
  for (const block of prompt.blocks.slice(start, position)) {
    byte += Buffer.byteLength(plainText(blockText(prompt, block)));
  }
  const { before, after } = textsAt(
    head,
    prompt,
    head.tools + ahead,
    head.hashes.length,
    position,
    end,
  );
  return { reason: 'system-changed', position, difference: differenceOf(before, after, byte) };
}

/** How many blocks are equal before the first that is not; `undefined` when all are. */
function firstUnequal(
  head: Head,
  prompt: Prompt,
  fromBefore: number,
  toBefore: number,
  fromAfter: number,
  toAfter: number,
): number | undefined {
  const length = Math.max(toBefore - fromBefore, toAfter - fromAfter);
  for (let i = 0; i < length; i++) {
    if (fromBefore + i >= toBefore || fromAfter + i >= toAfter) return i;
    if (!isEqual(head, fromBefore + i, prompt, fromAfter + i)) return i;
  }
  return undefined;
}

function isEqual(head: Head, before: number, prompt: Prompt, after: number): boolean {
  const block = prompt.blocks[after];
  if (block === undefined || head.hashes[before] !== hashBlock(prompt, block)) return false;
  const kept = headText(head, before);
  return kept === undefined || kept === blockText(prompt, block);
}

function isReordered(head: Head, prompt: Prompt, count: number): boolean {
  if (head.tools !== count) return false;
  const left = new Map<string | number | undefined, number>();
  for (let i = 0; i < count; i++) {
    const tool = headText(head, i) ?? head.hashes[i];
    left.set(tool, (left.get(tool) ?? 0) + 1);
  }
  return prompt.blocks.slice(0, count).every((block) => {
    const tool = head.text === undefined ? hashBlock(prompt, block) : blockText(prompt, block);
    const count = left.get(tool) ?? 0;
    left.set(tool, count - 1);
    return count > 0;
  });
}

function textsAt(
  head: Head,
  prompt: Prompt,
  before: number,
  toBefore: number,
  after: number,
  toAfter: number,
): { before: string | undefined; after: string | undefined } {
  const block = after < toAfter ? prompt.blocks[after] : undefined;
  return {
    before: before < toBefore ? headText(head, before) : undefined,
    after: block === undefined ? undefined : blockText(prompt, block),
  };
}

function differenceOf(
  before: string | undefined,
  after: string | undefined,
  base: number,
): Difference | undefined {
  if (before === undefined || after === undefined) return undefined;
  // Blocks that say the same and still differ do so in another member.
  return differ(plainText(before), plainText(after), base) ?? differ(before, after, base);
}

function differ(before: string, after: string, base: number): Difference | undefined {
  const at = firstDifference(before, after);
  if (at < 0) return undefined;
  return {
    byte: base + Buffer.byteLength(after.slice(0, at)),
    class: classifyDifference(before, after, at),
  };
}
