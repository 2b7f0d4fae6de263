import type { Block, Edit, Prompt } from '../../src/prompt-cache/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { precededBy } from './body-members.ts';

/** How a mark looks in a provider's body. */
export interface MarkShape {
  /** The member of a block that marks it. */
  readonly key: string;
  /** `type` of the part as which a string is written, since only a part can carry a mark. */
  readonly textType: string;
}

/** A block's JSON text. */
export function blockText(prompt: Prompt, block: Block): string {
  const offset = prompt.offsets[block.tier];
  return prompt.slice(offset + block.start, offset + block.end);
}

/** A block's own `type`; `undefined` where it has none, or has a member twice, of which a provider may read either. */
export function blockType(prompt: Prompt, block: Block): string | undefined {
  return lookAt(prompt, block).type;
}

/** Whether a block of text has none, which takes no mark. White space counts as none. */
export function isBlankText(prompt: Prompt, block: Block): boolean {
  return lookAt(prompt, block).isBlank;
}

interface Look {
  readonly type: string | undefined;
  readonly isBlank: boolean;
}

/** By block, since the next turn of a conversation has the same ones. A look costs 3 us, and 6 us at 500 KB. */
const looks = new WeakMap<Block, Look>();

function lookAt(prompt: Prompt, block: Block): Look {
  let look = looks.get(block);
  if (look === undefined) {
    look = block.isString
      ? { type: undefined, isBlank: isBlank(blockText(prompt, block)) }
      : partLook(new JsonView(blockText(prompt, block)));
    looks.set(block, look);
  }
  return look;
}

function partLook(part: JsonView): Look {
  const { keys } = part;
  const isClear = part.isObject && new Set(keys).size === keys.length;
  const literal = part.raw('text');
  return {
    type: isClear ? part.string('type') : undefined,
    isBlank: literal === undefined || isBlank(literal),
  };
}

/** Most texts show with their first character that they are not blank. What is no string has no text. */
function isBlank(literal: string): boolean {
  if (/^"[^\s\\"]/.test(literal)) return false;
  return !literal.startsWith('"') || BLANK.test(literal);
}

/** White space as Unicode has it, escaped or not. */
const BLANK =
  /^"(?:\s|\\[fnrt]|\\u00(?:09|0[a-d]|1[c-f]|20|85|a0)|\\u(?:1680|200[0-9a]|2028|2029|202f|205f|3000|feff))*"$/i;

/**
 * The changes that mark one block; none where the text is not what the block says, where the block has the member
 * already (`null` included), or where a string stands in an array and so cannot become an array of its own.
 */
export function markEdits(prompt: Prompt, block: Block, shape: MarkShape, value: string): Edit[] {
  const start = prompt.offsets[block.tier] + block.start;
  const end = prompt.offsets[block.tier] + block.end;
  const text = prompt.slice(start, end);
  const member = `${JSON.stringify(shape.key)}:${value}`;
  if (block.isString) {
    const isMember = precededBy(prompt, start) === ':';
    if (!isMember || !text.startsWith('"') || !text.endsWith('"')) return [];
    return [
      { at: start, remove: 0, insert: `[{"type":"${shape.textType}","text":` },
      { at: end, remove: 0, insert: `,${member}}]` },
    ];
  }
  if (!text.startsWith('{') || !text.endsWith('}')) return [];
  if (precededBy(prompt, end - 1) === '{') return [];
  if (text.includes(JSON.stringify(shape.key)) && new JsonView(text).has(shape.key)) return [];
  return [{ at: end - 1, remove: 0, insert: `,${member}` }];
}
