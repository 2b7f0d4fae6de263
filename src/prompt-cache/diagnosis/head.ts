import { ownText } from '../arrange/own-text.ts';
import type { Block, Prompt } from '../types.ts';
import { hashBlock, hashText, withoutMark } from './block-text.ts';

/** The tools and the system prompt of a request, copied small: what has to be compared when a later one differs. */
export interface Head {
  /** How many of the blocks are tools; the rest is the system prompt. */
  readonly tools: number;
  /** `hashBlock` of each block. */
  readonly hashes: Uint32Array;
  /** The blocks' JSON texts and what stands between them; absent when that is longer than is kept. */
  readonly text: string | undefined;
  /** Where each block begins and ends in `text`, one pair after the other. */
  readonly places: Uint32Array;
  readonly traits: HeadTraits;
  /** Memory that it takes. */
  readonly bytes: number;
}

/** What stays the same when little of a head changes. */
export interface HeadTraits {
  /** Over the names of the tools, in whatever order. */
  readonly toolNames: number;
  /** Over the first and over the last characters of the system prompt: a value in it changes one of them at most. */
  readonly systemStart: number;
  readonly systemEnd: number;
}

/** In characters. Of longer heads only hashes are kept: they tell what changed, not where in it. */
export const MAX_HEAD_LENGTH: number = 256 * 1024;

/** Blocks of the tools and of the system prompt. */
export function headLength({ blocks }: Prompt): number {
  let length = 0;
  while (length < blocks.length && blocks[length]?.tier !== 'messages') length++;
  return length;
}

export function toolCount({ blocks }: Prompt): number {
  let count = 0;
  while (count < blocks.length && blocks[count]?.tier === 'tools') count++;
  return count;
}

/** Copies the head out of the body: a slice would keep the whole body alive for as long as it is remembered. */
export function copyHead(prompt: Prompt): Head {
  const tools = toolCount(prompt);
  const blocks = prompt.blocks.slice(0, headLength(prompt));
  const places = new Uint32Array(2 * blocks.length);
  const toolTexts = copyBlocks(prompt, blocks.slice(0, tools), places, 0, 0);
  const text = toolTexts + copyBlocks(prompt, blocks.slice(tools), places, tools, toolTexts.length);
  const isKept = text.length <= MAX_HEAD_LENGTH;
  return {
    tools,
    hashes: Uint32Array.from(blocks, (block) => hashBlock(prompt, block)),
    text: isKept ? ownText(text) : undefined,
    places,
    traits: headTraits(prompt),
    // V8 takes two bytes for every character of a text as soon as one of the body's needs them.
    bytes: FIXED_BYTES + (isKept ? 2 * text.length : 0) + 12 * blocks.length,
  };
}

/** The stretch of the body that holds the blocks of a tier; notes where they stand in it. */
function copyBlocks(
  prompt: Prompt,
  blocks: readonly Block[],
  places: Uint32Array,
  index: number,
  base: number,
): string {
  const first = blocks[0];
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) return '';
  for (const [i, block] of blocks.entries()) {
    places[2 * (index + i)] = base + block.start - first.start;
    places[2 * (index + i) + 1] = base + block.end - first.start;
  }
  const { offsets } = prompt;
  return prompt.slice(offsets[first.tier] + first.start, offsets[first.tier] + last.end);
}

/** The JSON text of a block without a mark on it; `undefined` when it was not kept. */
export function headText({ text, places }: Head, index: number): string | undefined {
  return text === undefined
    ? undefined
    : withoutMark(text.slice(places[2 * index], places[2 * index + 1]));
}

export function headTraits(prompt: Prompt): HeadTraits {
  const { offsets, blocks } = prompt;
  const tools = toolCount(prompt);
  let toolNames = tools;
  for (const tool of blocks.slice(0, tools)) {
    const json = prompt.slice(offsets.tools + tool.start, offsets.tools + tool.end);
    toolNames = (toolNames + nameHash(json)) >>> 0;
  }
  const system = blocks.slice(tools, headLength(prompt));
  const first = system[0];
  const last = system.at(-1);
  if (first === undefined || last === undefined) return { toolNames, systemStart: 0, systemEnd: 0 };
  const start = offsets.system + first.start;
  const end = offsets.system + last.end;
  const opening = withoutMark(prompt.slice(start, Math.min(end, start + NEAR)));
  const closing = withoutMark(prompt.slice(Math.max(start, end - NEAR), end));
  const begin = textStart(opening);
  return {
    toolNames,
    systemStart: hashText(opening, begin, Math.min(opening.length, begin + EDGE)),
    systemEnd: hashText(closing, Math.max(0, closing.length - EDGE)),
  };
}

/** Where the text begins in a text block's JSON; 0 for string literals, and where it does not stand near the beginning. */
function textStart(json: string): number {
  const member = json.startsWith('"') ? -1 : json.indexOf(TEXT_MEMBER);
  return member < 0 ? 0 : member + TEXT_MEMBER.length;
}

const TEXT_MEMBER = '"text":';

/** Over the value of the first `name`; canonical tools have it near their beginning. Over the whole tool without one. */
function nameHash(tool: string): number {
  const key = tool.slice(0, NEAR).indexOf('"name"');
  const open = key < 0 ? -1 : tool.indexOf('"', key + '"name"'.length);
  const close = open < 0 ? -1 : tool.indexOf('"', open + 1);
  return close < 0 ? hashText(tool) : hashText(tool, open, close);
}

/** Characters within which the first members of a block are looked for. */
const NEAR = 400;

/** `You are a helpful assistant.` and its like; short enough that a clock rarely stands in both. */
const EDGE = 32;

/** Objects, array headers and the entry in the index. */
const FIXED_BYTES = 600;
