import type { BlockKind } from '../../types.ts';
import type { Node } from '../canonical-reader.ts';
import { NO_OMISSIONS, type Facts } from '../elements.ts';
import {
  hasMark,
  isArray,
  isString,
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
  roleOf,
  WHOLE_TOOL_LEVELS,
  wholeTool,
  type Dialect,
} from './dialect.ts';

/** OpenAI Responses. */
export const responses: Dialect = {
  api: 'responses',
  tools: ['tools'],
  system: ['instructions'],
  messages: 'input',
  hasSystemMessages: true,
  splitsAnswers: true,
  toolLevels: WHOLE_TOOL_LEVELS,
  tool: wholeTool,
  systemPrompt: (text: string, value: Node): Facts => ({
    role: 'system',
    isOutput: false,
    parts:
      isString(text, value) && value.end - value.start > 2
        ? [partOf(text, value, value.start, 'text')]
        : [],
    omit: NO_OMISSIONS,
  }),
  message(text: string, value: Node): Facts {
    // `input` may be a string, which is a message of the user.
    if (isString(text, value)) {
      const parts = value.end - value.start > 2 ? [partOf(text, value, value.start, 'text')] : [];
      return { role: 'user', isOutput: false, parts, omit: NO_OMISSIONS };
    }
    const role = roleOf(text, value);
    const kind = kindOf(word(text, member(value, 'type')));
    if (role === '' || member(value, 'content') === undefined) {
      const isOutput = role === 'assistant' || kind === 'tool_call' || kind === 'thinking';
      return itemFacts(text, value, { role, isOutput }, kind);
    }
    const omit: number[] = [];
    const parts = contentParts(
      text,
      member(value, 'content'),
      value.start,
      (part) => (part === undefined ? 'text' : kindOf(word(text, member(part, 'type')))),
      omit,
    );
    return factsOf(
      text,
      value,
      { role, isOutput: role === 'assistant' },
      parts,
      omit.length === 0 ? NO_OMISSIONS : omit,
    );
  },
};

/** An item that is one block: its own breakpoint counts, or the first on the parts of a result. */
function itemFacts(
  text: string,
  value: Node,
  who: { readonly role: string; readonly isOutput: boolean },
  kind: BlockKind,
): Facts {
  const part = partOf(text, value, value.start, kind);
  const output = member(value, 'output');
  if (!isArray(text, output)) return factsOf(text, value, who, [part]);
  let { mark } = part;
  const omit: number[] = [];
  for (let item = output.first; item !== undefined; item = item.next) {
    if (!hasMark(item)) continue;
    mark ??= markOf(text, item);
    omitMarks(text, item, value.start, omit);
  }
  return omit.length === 0
    ? factsOf(text, value, who, [part])
    : factsOf(text, value, who, [{ ...part, mark }], omit);
}
