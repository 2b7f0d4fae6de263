import type { BlockKind } from '../../types.ts';
import type { Node } from '../canonical-reader.ts';
import { NO_OMISSIONS, type Facts, type Part } from '../elements.ts';
import { isArray, member, partOf } from '../node-facts.ts';
import { factsOf, roleOf, WHOLE_TOOL_LEVELS, wholeTool, type Dialect } from './dialect.ts';

/** Bedrock Converse. Its tools lie within `toolConfig` and are no blocks here: they are a salt. */
export const converse: Dialect = {
  api: 'converse',
  tools: [],
  system: ['system'],
  messages: 'messages',
  hasSystemMessages: false,
  splitsAnswers: false,
  toolLevels: WHOLE_TOOL_LEVELS,
  tool: wholeTool,
  systemPrompt: (text: string, value: Node): Facts => ({
    role: 'system',
    isOutput: false,
    parts: partsOf(text, value, value.start),
    omit: NO_OMISSIONS,
  }),
  message(text: string, value: Node): Facts {
    const role = roleOf(text, value);
    const parts = partsOf(text, member(value, 'content'), value.start);
    return factsOf(text, value, { role, isOutput: role === 'assistant' }, parts);
  },
};

function partsOf(text: string, list: Node | undefined, base: number): Part[] {
  const parts: Part[] = [];
  if (!isArray(text, list)) return parts;
  for (let part = list.first; part !== undefined; part = part.next) {
    parts.push(partOf(text, part, base, kindOfPart(part)));
  }
  return parts;
}

function kindOfPart(part: Node): BlockKind {
  for (let child = part.first; child !== undefined; child = child.next) {
    const kind = KINDS.get(child.key);
    if (kind !== undefined) return kind;
  }
  return 'other';
}

/** By the member that a part has (Bedrock API reference, `ContentBlock`, 2026). */
const KINDS: ReadonlyMap<string, BlockKind> = new Map([
  ['text', 'text'],
  ['image', 'image'],
  ['document', 'document'],
  ['video', 'document'],
  ['toolUse', 'tool_call'],
  ['toolResult', 'tool_result'],
  ['reasoningContent', 'thinking'],
]);
