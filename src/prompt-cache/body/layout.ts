import type { Block, Tier } from '../types.ts';
import type { Dialect } from './dialects/dialect.ts';
import { lengthOf, type Element, type Part } from './elements.ts';

/** Messages in the order in which they are sent, and their blocks. Immutable. */
export interface Layout {
  readonly elements: readonly Element[];
  /** Each stands where it stood in the source, white space between them included. */
  readonly isInPlace: boolean;
  /** How many at the front belong to the system prompt. */
  readonly leading: number;
  /** Their blocks. */
  readonly leadingBlocks: number;
  /** Where the canonical text of each element begins, relative to the first. */
  readonly starts: readonly number[];
  readonly blocks: readonly Block[];
}

/** The messages' blocks. `before`: a layout whose first `count` elements are the first here. */
export function layOut(
  elements: readonly Element[],
  dialect: Dialect,
  { isList, isInPlace }: { readonly isList: boolean; readonly isInPlace: boolean },
  before?: { readonly layout: Layout; readonly count: number },
): Layout {
  const count = before?.count ?? 0;
  const starts = before?.layout.starts.slice(0, count) ?? [];
  const blocks = knownBlocks(elements, dialect, before);
  let leading = Math.min(before?.layout.leading ?? 0, count);
  let start = 0;
  const lastKnown = elements[count - 1];
  if (lastKnown !== undefined) start = (starts[count - 1] ?? 0) + lengthOf(lastKnown) + 1;
  for (let index = count; index < elements.length; index++) {
    const element = elements[index];
    if (element === undefined) break;
    if (leading === index && dialect.hasSystemMessages && isSystem(element)) leading++;
    if (isInPlace && isList) start = element.start - 1;
    starts.push(start);
    addBlocks(blocks, element.parts, {
      tier: index < leading ? 'system' : 'messages',
      role: element.role,
      message: isList ? index : -1,
      start,
      endsTurn: endsTurn(element, elements[index + 1], dialect),
    });
    start += lengthOf(element) + 1;
  }
  let leadingBlocks = 0;
  while (blocks[leadingBlocks]?.tier === 'system') leadingBlocks++;
  return { elements, isInPlace, leading, leadingBlocks, starts, blocks };
}

/** Adds an element's blocks. `endsTurn` is said of the last of them. */
export function addBlocks(
  blocks: Block[],
  parts: readonly Part[],
  at: Pick<Block, 'role' | 'message' | 'endsTurn' | 'start'> & { readonly tier: Tier },
): void {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part === undefined) break;
    blocks.push({
      tier: at.tier,
      kind: part.kind,
      role: at.role,
      message: at.message,
      start: at.start + part.start,
      end: at.start + part.end,
      isString: part.isString,
      tokens: part.tokens,
      mark: part.mark,
      endsTurn: at.endsTurn && i === parts.length - 1,
    });
  }
}

/** The blocks of the elements that are known. What follows the last of them may decide anew whether it ends a turn. */
function knownBlocks(
  elements: readonly Element[],
  dialect: Dialect,
  before: { readonly layout: Layout; readonly count: number } | undefined,
): Block[] {
  if (before === undefined || before.count === 0) return [];
  const { layout, count } = before;
  const blocks = layout.blocks.slice(0, countBlocks(layout, count));
  const element = elements[count - 1];
  const last = blocks.at(-1);
  if (element === undefined || element.parts.length === 0 || last === undefined) return blocks;
  const ends = endsTurn(element, elements[count], dialect);
  if (last.endsTurn !== ends) blocks[blocks.length - 1] = { ...last, endsTurn: ends };
  return blocks;
}

/** How many blocks the first `count` elements have. */
export function countBlocks(layout: Layout, count: number): number {
  if (count >= layout.elements.length) return layout.blocks.length;
  let blocks = 0;
  for (let i = 0; i < count; i++) blocks += layout.elements[i]?.parts.length ?? 0;
  return blocks;
}

/** Whether a request could have ended with this message: the model wrote the next one, or there is none. */
function endsTurn(element: Element, next: Element | undefined, dialect: Dialect): boolean {
  if (next === undefined) return true;
  return next.isOutput && !(dialect.splitsAnswers && element.isOutput);
}

function isSystem({ role }: Element): boolean {
  return role === 'system' || role === 'developer';
}
