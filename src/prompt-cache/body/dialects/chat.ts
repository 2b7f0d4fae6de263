import type { BlockKind } from '../../types.ts';
import type { Node } from '../canonical-reader.ts';
import { NO_OMISSIONS, type Facts } from '../elements.ts';
import {
  hasMark,
  isArray,
  isObject,
  kindOf,
  markOf,
  member,
  omitMarks,
  partOf,
  word,
} from '../node-facts.ts';
import {
  contentParts,
  factsOf,
  omitMarksWithin,
  roleOf,
  sortedSpans,
  WHOLE_TOOL_LEVELS,
  wholeTool,
  type Dialect,
} from './dialect.ts';

/** OpenAI chat completions, and all who speak it. */
export const chat: Dialect = {
  api: 'chat.completions',
  tools: ['tools', 'functions'],
  system: [],
  messages: 'messages',
  hasSystemMessages: true,
  splitsAnswers: false,
  toolLevels: WHOLE_TOOL_LEVELS + 1,
  tool(text: string, value: Node): Facts {
    const facts = wholeTool(text, value);
    // OpenRouter hands on marks that stand on the function instead of the tool.
    const inner = member(value, 'function');
    const [part] = facts.parts;
    if (inner === undefined || part === undefined || !hasMark(inner)) return facts;
    const omit = [...facts.omit];
    omitMarks(text, inner, value.start, omit);
    const mark = part.mark ?? markOf(text, inner);
    return { ...facts, parts: [{ ...part, mark }], omit: sortedSpans(omit) };
  },
  systemPrompt: wholeTool,
  message(text: string, value: Node): Facts {
    const role = roleOf(text, value);
    const isResult = role === 'tool' || role === 'function';
    const kindOfPart = (part: Node | undefined): BlockKind => {
      if (isResult) return 'tool_result';
      return part === undefined ? 'text' : kindOf(word(text, member(part, 'type')));
    };
    const omit: number[] = [];
    const parts = contentParts(text, member(value, 'content'), value.start, kindOfPart, omit);
    const call = member(value, 'function_call');
    if (call !== undefined && isObject(text, call))
      parts.push(partOf(text, call, value.start, 'tool_call'));
    const calls = member(value, 'tool_calls');
    if (isArray(text, calls)) {
      for (let item = calls.first; item !== undefined; item = item.next) {
        parts.push(partOf(text, item, value.start, 'tool_call'));
        omitMarksWithin(text, item, value.start, omit);
      }
    }
    return factsOf(
      text,
      value,
      { role, isOutput: role === 'assistant' },
      parts,
      omit.length === 0 ? NO_OMISSIONS : omit,
    );
  },
};
