import type { Block, Mark, Prompt, Ttl } from '../../src/prompt-cache/types.ts';
import { COLON, skipSpace, skipString } from '../../src/util/json-scan.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { blockText } from '../shared/cache-marks.ts';
import { MAX_MARKS } from './cache-rules.ts';

/** A mark that will be in the request whatever is decided here. */
interface PlacedMark {
  /** Index of its block. Half before it where it stands within the block. */
  readonly at: number;
  readonly ttl: Ttl;
}

/**
 * The marks that the host has set itself: on blocks, within them (parts of a tool result or a document), and one at the end
 * for the provider's automatic caching, which takes a slot like any other.
 */
export function hostMarks(prompt: Prompt, automatic: Ttl | undefined): PlacedMark[] {
  const placed = [...lookInside(prompt).inner];
  // Twice as fast as a loop over entries, and there may be a thousand.
  prompt.blocks.forEach(({ mark }, at) => {
    if (mark !== undefined) placed.push({ at, ttl: mark });
  });
  if (automatic !== undefined) placed.push({ at: prompt.blocks.length, ttl: automatic });
  return placed;
}

/**
 * The marks that may be added: at most four with the host's, and no mark of an hour behind one of five minutes, which is
 * answered with 400. `wanted` is in the order of value: what fits is taken from its start, the rest is dropped. The host's
 * marks are never touched, so one of ours that would not be legal beside them is dropped as well.
 */
export function fittingMarks(host: readonly PlacedMark[], wanted: readonly Mark[]): Mark[] {
  const placed = [...host];
  const fitting: Mark[] = [];
  for (const mark of wanted) {
    if (placed.length >= MAX_MARKS) break;
    if (mark.ttl !== '5m' && mark.ttl !== '1h') continue;
    const isLegal = placed.every(({ at, ttl }) =>
      at < mark.block ? ttl === '1h' || mark.ttl === '5m' : ttl === '5m' || mark.ttl === '1h',
    );
    if (!isLegal || placed.some(({ at }) => at === mark.block)) continue;
    placed.push({ at: mark.block, ttl: mark.ttl });
    fitting.push(mark);
  }
  return fitting;
}

/** Whether marks may stand within the blocks of a prompt that could not be counted. */
export function hasUnclearMarks(prompt: Prompt): boolean {
  return lookInside(prompt).isUnclear;
}

/** What was found within the blocks of a prompt. */
interface Looked {
  readonly blocks: readonly Block[];
  readonly inner: readonly PlacedMark[];
  readonly isUnclear: boolean;
}

/**
 * By the last block of a prompt, since a conversation's next turn begins with the same blocks: only its new ones are looked
 * into. A look costs 0.25 us a KB, 120 us for 500 KB of tool results.
 */
const looked = new WeakMap<Block, Looked>();

function lookInside(prompt: Prompt): Looked {
  const { blocks } = prompt;
  const last = blocks.at(-1);
  const known = knownStart(blocks);
  if (last === undefined || known.blocks.length === blocks.length) return known;
  const inner = [...known.inner];
  let { isUnclear } = known;
  for (const [at, block] of blocks.entries()) {
    if (at < known.blocks.length || !mayHoldMarks(block)) continue;
    const found = findInner(blockText(prompt, block));
    if (found === undefined) isUnclear = true;
    for (const ttl of found ?? []) inner.push({ at: at - 0.5, ttl });
  }
  const look = { blocks, inner, isUnclear };
  looked.set(last, look);
  return look;
}

/** The longest start of the blocks that was looked into before. */
function knownStart(blocks: readonly Block[]): Looked {
  for (let at = blocks.length - 1; at >= 0; at--) {
    const block = blocks[at];
    const found = block && looked.get(block);
    if (found?.blocks.length !== at + 1) continue;
    if (found.blocks.every((known, index) => known === blocks[index])) return found;
  }
  return { blocks: [], inner: [], isUnclear: false };
}

/** A tool's or a call's data may hold the word and marks nothing. */
function mayHoldMarks({ kind, isString, tier }: Block): boolean {
  const isContainer = kind === 'tool_result' || kind === 'document' || kind === 'other';
  return isContainer && !isString && tier !== 'tools';
}

const KEY = '"cache_control"';
const MARK = /"cache_control"\s*:(?!\s*null\b)\s*(\{[^{}]*\})?/g;

/** `undefined` where a mark may be written in a way that is not looked for. */
function findInner(text: string): readonly Ttl[] | undefined {
  if (hasEscapedKey(text)) return undefined;
  if (!text.includes(KEY)) return [];
  const own = new JsonView(text).span('cache_control')?.[0];
  const found: Ttl[] = [];
  for (const { index, 0: match, 1: value } of text.matchAll(MARK)) {
    if (value === undefined) return undefined;
    if (index + match.length - value.length === own) continue;
    found.push(/"1h"/.test(value) ? '1h' : '5m');
  }
  return found;
}

/** No key that is known has a character that must be escaped, so one that is may be any. */
function hasEscapedKey(text: string): boolean {
  let at = text.indexOf('\\u');
  while (at >= 0) {
    const end = skipString(text, at);
    if (end < 0) return false;
    if (text.charCodeAt(skipSpace(text, end)) === COLON) return true;
    at = text.indexOf('\\u', end);
  }
  return false;
}
