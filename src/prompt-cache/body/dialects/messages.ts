import type { BlockKind } from '../../types.ts';
import type { Node } from '../canonical-reader.ts';
import { NO_OMISSIONS, type Facts } from '../elements.ts';
import { kindOf, member, word } from '../node-facts.ts';
import {
  contentParts,
  factsOf,
  roleOf,
  WHOLE_TOOL_LEVELS,
  wholeTool,
  type Dialect,
} from './dialect.ts';

/** Anthropic Messages. */
export const messages: Dialect = {
  api: 'messages',
  tools: ['tools'],
  system: ['system'],
  messages: 'messages',
  hasSystemMessages: false,
  splitsAnswers: false,
  toolLevels: WHOLE_TOOL_LEVELS,
  tool: wholeTool,
  systemPrompt: (text: string, value: Node): Facts => {
    const omit: number[] = [];
    const parts = contentParts(text, value, value.start, (part) => kindOfPart(text, part), omit);
    return { role: 'system', isOutput: false, parts, omit };
  },
  message(text: string, value: Node): Facts {
    const role = roleOf(text, value);
    const omit: number[] = [];
    const content = member(value, 'content');
    const parts = contentParts(text, content, value.start, (part) => kindOfPart(text, part), omit);
    return factsOf(
      text,
      value,
      { role, isOutput: role === 'assistant' },
      parts,
      omit.length === 0 ? NO_OMISSIONS : omit,
    );
  },
};

function kindOfPart(text: string, part: Node | undefined): BlockKind {
  return part === undefined ? 'text' : kindOf(word(text, member(part, 'type')));
}
