import type { JsonMember } from '../../util/json-view.ts';
import type { Block, Prompt, PromptApi, Span, Tier } from '../types.ts';
import type { Body, BodyMember } from './body.ts';
import type { Chain } from './chain.ts';
import type { Element } from './elements.ts';
import { addBlocks, layOut, type Layout } from './layout.ts';
import { TextPieces } from './text-pieces.ts';

/** What of a body is sent, where it is not as it came. */
export interface Arrangement {
  readonly tools: readonly Element[];
  readonly messages: readonly Element[];
}

/** A body as it is sent: canonical, its elements arranged. Its text is put together when somebody asks for all of it. */
export interface BodyPrompt extends Prompt {
  readonly body: Body;
  readonly tools: readonly Element[];
  readonly toolBlocks: readonly Block[];
  readonly layout: Layout;
  /** All members, in the order of the text. */
  readonly members: readonly JsonMember[];
  /** Whether the text is the body's own, the very same string. */
  readonly isAsSent: boolean;
  /** Hashes of its prefixes, once they were taken. */
  chain: Chain | undefined;
}

/** `known`: a prompt whose first `count` messages are the first of this one. */
export function buildPrompt(
  body: Body,
  { tools, messages }: Arrangement,
  known?: { readonly prompt: BodyPrompt; readonly count: number },
): BodyPrompt {
  const isInPlace = !body.isCanonical && tools === body.tools && messages === body.messages;
  const isKnown = known !== undefined && known.prompt.layout.isInPlace === isInPlace;
  const layout = layOut(
    messages,
    body.dialect,
    { isList: body.hasMessageList, isInPlace },
    isKnown ? { layout: known.prompt.layout, count: known.count } : undefined,
  );
  if (isInPlace) return inPlace(body, layout);
  const pieces = new TextPieces(body.source);
  const members: JsonMember[] = [];
  const starts: Starts = { tools: 0, system: 0, messages: 0 };
  pieces.mark('{');
  for (const index of body.order) {
    const member = body.members[index];
    if (member === undefined) continue;
    if (members.length > 0) pieces.mark(',');
    pieces.span(member.keyStart, member.keyEnd);
    pieces.mark(':');
    const start = pieces.length;
    if (index === body.toolsAt) {
      starts.tools = start + 1;
      addList(pieces, tools, member.start);
    } else if (index === body.messagesAt && body.hasMessageList) {
      starts.messages = start + 1;
      addList(pieces, messages, member.start);
    } else if (index === body.systemAt && body.system !== undefined) {
      starts.system = start;
      addElement(pieces, body.system, member.start);
    } else {
      if (index === body.messagesAt) starts.messages = start;
      addValue(pieces, member);
    }
    members.push({ key: member.key, start, end: pieces.length });
  }
  pieces.mark('}');
  pieces.end();
  return assemble(
    body,
    { tools, layout, pieces, members, starts },
    isKnown ? known.prompt : undefined,
  );
}

/** The body as it came, every character of it. */
function inPlace(body: Body, layout: Layout): BodyPrompt {
  const { source, members, tools } = body;
  const pieces = new TextPieces(source);
  pieces.span(0, source.length);
  pieces.end();
  const startOf = (index: number): number => members[index]?.start ?? 0;
  const starts: Starts = {
    tools: startOf(body.toolsAt) + 1,
    system: startOf(body.systemAt),
    messages: startOf(body.messagesAt) + (body.hasMessageList ? 1 : 0),
  };
  return assemble(body, { tools, layout, pieces, members, starts }, undefined);
}

type Starts = Record<Tier, number>;

interface Parts {
  readonly tools: readonly Element[];
  readonly layout: Layout;
  readonly pieces: TextPieces;
  readonly members: readonly JsonMember[];
  /** Of the first tool, of the system prompt's value, of the first message. */
  readonly starts: Starts;
}

function assemble(body: Body, parts: Parts, known: BodyPrompt | undefined): BodyPrompt {
  const { tools, layout, pieces, members, starts } = parts;
  const toolBlocks = known?.tools === tools ? known.toolBlocks : blocksOfTools(tools, layout);
  // Leading system messages count from the first message, and then so does the system prompt beside them.
  const base = layout.leading > 0 ? starts.messages : starts.system;
  const systemBlocks: Block[] = [];
  if (body.system !== undefined) {
    const at = { tier: 'system', role: 'system', message: -1, endsTurn: false } as const;
    addBlocks(systemBlocks, body.system.parts, { ...at, start: starts.system - base });
  }
  const blocks = [...toolBlocks, ...systemBlocks, ...layout.blocks];
  const api: PromptApi = body.dialect.api;
  return {
    api,
    get text() {
      return pieces.toString();
    },
    offsets: { tools: starts.tools, system: base, messages: starts.messages },
    blocks,
    member: (key: string): Span | undefined => members.findLast((member) => member.key === key),
    end: body.isCanonical ? pieces.length - 1 : pieces.toString().lastIndexOf('}'),
    body,
    tools,
    toolBlocks,
    layout,
    members,
    isAsSent: pieces.isSource,
    chain: undefined,
    slice: (start: number, end: number) => pieces.slice(start, end),
  };
}

function blocksOfTools(tools: readonly Element[], { isInPlace }: Layout): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  for (const tool of tools) {
    if (isInPlace) start = tool.start - 1;
    const at = { tier: 'tools', role: '', message: -1, start, endsTurn: false } as const;
    addBlocks(blocks, tool.parts, at);
    start += (tool.text?.length ?? tool.end - tool.start) + 1;
  }
  return blocks;
}

/** Elements that stand side by side in the source are added in one piece. */
function addList(pieces: TextPieces, elements: readonly Element[], base: number): void {
  pieces.mark('[');
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i];
    if (element === undefined) break;
    if (i > 0) pieces.mark(',');
    if (element.text !== undefined) {
      pieces.string(element.text);
      continue;
    }
    let { end } = element;
    for (;;) {
      const next = elements[i + 1];
      if (next === undefined || next.text !== undefined || next.start !== end + 1) break;
      end = next.end;
      i++;
    }
    pieces.span(base + element.start, base + end);
  }
  pieces.mark(']');
}

function addElement(pieces: TextPieces, { start, end, text }: Element, base: number): void {
  if (text === undefined) pieces.span(base + start, base + end);
  else pieces.string(text);
}

function addValue(pieces: TextPieces, { start, end, text }: BodyMember): void {
  if (text === undefined) pieces.span(start, end);
  else pieces.string(text);
}
