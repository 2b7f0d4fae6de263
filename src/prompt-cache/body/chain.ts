import type { Block, Salts } from '../types.ts';
import { textOf, withoutOmissions, type Element } from './elements.ts';
import { countBlocks, type Layout } from './layout.ts';
import type { Body } from './body.ts';
import { digest, HashRun } from './hash-run.ts';

/**
 * The hashes of a prompt's prefixes. Each is SHA-256 over that of the last anchor in front of it and the text from there on. A
 * block of the messages is an anchor when enough text lies between it and the one before. So which blocks are anchors depends
 * on the prefix alone, equal prefixes have equal hashes however much of them was known before, and the next turn begins at
 * the last anchor.
 *
 * Not hashed are the host's marks, and whether a text that is alone in its message was written as a string or as a part:
 * hosts that mark the end of a conversation turn one into the other and back.
 */
export interface Chain {
  readonly salts: Salts;
  /** Of all tools; also where there are none. */
  readonly tools: string;
  /** At each block of the system prompt that is a member of its own. */
  readonly system: readonly string[];
  /** At blocks of the messages, the leading system messages included. */
  readonly messages: ReadonlyArray<string | undefined>;
  /** Indexes of those whose hash the next ones begin with, ascending. */
  readonly anchors: readonly number[];
  /** Indexes, among all blocks, at which an earlier or later request may have ended. */
  readonly positions: readonly number[];
}

/** What is hashed. */
export interface Hashed {
  readonly body: Body;
  readonly tools: readonly Element[];
  readonly toolBlocks: readonly Block[];
  readonly layout: Layout;
  readonly blocks: readonly Block[];
}

/** A chain over a prompt whose first `count` messages are the first of another one. */
export interface KnownChain {
  readonly prompt: Hashed;
  readonly chain: Chain;
  readonly count: number;
}

export function hashPrompt(prompt: Hashed, salts: Salts, known?: KnownChain): Chain {
  const tools = hashTools(prompt, salts, known);
  const sameSystem =
    known !== undefined &&
    known.chain.tools === tools &&
    known.chain.salts.system === salts.system &&
    known.prompt.body.system === prompt.body.system;
  const system = sameSystem ? known.chain.system : hashSystem(prompt, salts, tools);
  const from = sameSystem && known.chain.salts.messages === salts.messages ? known : undefined;
  const before = { salts, tools, system, positions: choosePositions(prompt) };
  return { ...before, ...hashMessages(prompt, before, from) };
}

/** What is behind the last hash: the rest of the messages, and `others`. */
export function hashAll(prompt: Hashed, chain: Chain, others: string): string {
  const { layout } = prompt;
  let rest = '';
  const from = lastWithHash(chain.messages, chain.messages.length);
  const walk = startWalk(prompt, chain, from);
  rest += walk.text;
  for (let i = walk.element; i < layout.elements.length; i++) {
    rest += restOfElement(prompt, i, i === walk.element ? walk.from : 0, chain.salts);
  }
  return digest(walk.anchor + rest + others);
}

function hashTools({ body, tools }: Hashed, salts: Salts, known: KnownChain | undefined): string {
  const isSame = known?.prompt.tools === tools && known.chain.salts.tools === salts.tools;
  if (isSame) return known.chain.tools;
  const base = body.members[body.toolsAt]?.start ?? 0;
  let text = framed(salts.tools);
  for (const tool of tools) {
    const own = textOf(tool, body.source, base);
    text += `${withoutOmissions(own, 0, own.length, tool.omit)},`;
  }
  return digest(text);
}

function hashSystem({ body }: Hashed, salts: Salts, tools: string): string[] {
  const { system } = body;
  if (system === undefined) return [];
  const text = systemText(body, system);
  let before = tools + framed(salts.system);
  let from = 0;
  return system.parts.map(({ end }) => {
    before = digest(before + withoutOmissions(text, from, end, system.omit));
    from = end;
    return before;
  });
}

function hashMessages(
  prompt: Hashed,
  before: Omit<Chain, 'messages' | 'anchors'>,
  known: KnownChain | undefined,
): Pick<Chain, 'messages' | 'anchors'> {
  const { layout } = prompt;
  const { elements, blocks } = layout;
  const offset = prompt.blocks.length - blocks.length;
  const messages = known?.chain.messages.slice(0, countBlocks(layout, known.count)) ?? [];
  const wanted = before.positions
    .map((position) => position - offset)
    .filter((block) => block >= 0 && messages[block] === undefined);
  const first = wanted[0] ?? messages.length;
  const anchors =
    known?.chain.anchors.filter((block) => block < first && messages[block] !== undefined) ?? [];
  if (wanted.length === 0) return { messages, anchors };

  const last = anchors.at(-1) ?? -1;
  const walk = startWalk(prompt, { ...before, messages }, last);
  const run = new HashRun(prompt.body.source, walk.anchor, walk.text);
  const base = prompt.body.members[prompt.body.messagesAt]?.start ?? 0;
  let { from } = walk;
  let block = last + 1;
  let next = 0;
  for (let i = walk.element; i < elements.length; i++) {
    const element = elements[i];
    if (element === undefined) break;
    if (i === layout.leading && from === 0) run.add(framed(before.salts.messages));
    const isPlain = element.text === undefined && element.omit.length === 0;
    const own = isPlain ? '' : messageText(prompt.body, element);
    const start = base + element.start;
    for (const { end } of element.parts) {
      if (end <= from) continue;
      if (isPlain) run.addSlice(start + from, start + end);
      else run.add(withoutOmissions(own, from, end, element.omit));
      from = end;
      const isWanted = wanted[next] === block;
      if (isWanted) next++;
      if (run.length >= ANCHOR_DISTANCE) {
        messages[block] = run.anchor();
        anchors.push(block);
      } else if (isWanted) messages[block] = run.digest();
      block++;
    }
    if (isPlain) run.addSlice(start + from, base + element.end);
    else run.add(withoutOmissions(own, from, own.length, element.omit));
    run.addComma();
    from = 0;
  }
  return { messages, anchors };
}

/** In characters. The next turn hashes at most so much again, 8 us; a first sight pays 0.4 us for each anchor. */
const ANCHOR_DISTANCE = 16 * 1024;

interface Walk {
  /** The last hash, and the text behind it. */
  readonly anchor: string;
  readonly text: string;
  /** The element to go on in, and the offset in its text. */
  readonly element: number;
  readonly from: number;
}

/** Where to go on behind a block that has a hash; -1 for the beginning of the messages. */
function startWalk({ body, layout }: Hashed, chain: Omit<Chain, 'anchors'>, block: number): Walk {
  const { blocks, starts } = layout;
  const last = blocks[block];
  if (last !== undefined) {
    const element = Math.max(0, last.message);
    const from = last.end - (starts[element] ?? 0);
    return { anchor: chain.messages[block] ?? '', text: '', element, from };
  }
  const system = body.system;
  const anchor = chain.system.at(-1) ?? chain.tools;
  const salt = chain.system.length === 0 ? framed(chain.salts.system) : '';
  if (system === undefined) return { anchor, text: salt, element: 0, from: 0 };
  const text = systemText(body, system);
  const rest = withoutOmissions(text, system.parts.at(-1)?.end ?? 0, text.length, system.omit);
  return { anchor, text: `${salt}${rest},`, element: 0, from: 0 };
}

function restOfElement(
  { body, layout }: Hashed,
  index: number,
  from: number,
  salts: Salts,
): string {
  const element = layout.elements[index];
  if (element === undefined) return '';
  const text = messageText(body, element);
  const salt = index === layout.leading && from === 0 ? framed(salts.messages) : '';
  return `${salt}${withoutOmissions(text, from, text.length, element.omit)},`;
}

function lastWithHash(hashes: ReadonlyArray<string | undefined>, count: number): number {
  let last = count - 1;
  while (last >= 0 && hashes[last] === undefined) last--;
  return last;
}

function messageText({ source, members, messagesAt }: Body, element: Element): string {
  return textOf(element, source, members[messagesAt]?.start ?? 0);
}

function systemText({ source, members, systemAt }: Body, system: Element): string {
  return textOf(system, source, members[systemAt]?.start ?? 0);
}

/** A salt can be told from the text around it. */
function framed(salt: string): string {
  return `\n${salt.length}:${salt}`;
}

function choosePositions({ blocks, toolBlocks }: Hashed): number[] {
  const positions: number[] = [];
  if (toolBlocks.length > 0) positions.push(toolBlocks.length - 1);
  let first = toolBlocks.length;
  for (; blocks[first]?.tier === 'system'; first++) positions.push(first);
  let turns = 0;
  for (let i = first; i < blocks.length; i++) if (blocks[i]?.endsTurn === true) turns++;
  let turn = 0;
  let isAfter = false;
  for (let i = first; i < blocks.length; i++) {
    const endsTurn = blocks[i]?.endsTurn === true;
    if (endsTurn) turn++;
    const isChosenTurn = endsTurn && (turn > turns - LAST_TURNS || turn % EVERY === 0);
    // The block behind one is where the planner gives a conversation its longer life.
    if (isChosenTurn || isAfter || i < first + EDGE || i >= blocks.length - EDGE) positions.push(i);
    isAfter = isChosenTurn;
  }
  return positions;
}

/** Blocks at the beginning and at the end of the messages that are all positions. */
const EDGE = 8;
/** Ends of turns that are all positions; of those before them every eighth. */
const LAST_TURNS = 16;
const EVERY = 8;
