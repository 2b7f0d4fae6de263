import type { BlockKind } from '../../types.ts';
import type { Node } from '../canonical-reader.ts';
import { NO_OMISSIONS, type Facts, type Part } from '../elements.ts';
import { isArray, isString, member, partOf, word } from '../node-facts.ts';
import { factsOf, roleOf, type Dialect } from './dialect.ts';

/** Gemini generateContent; its JSON takes names in both spellings. */
export const generateContent: Dialect = {
  api: 'generateContent',
  tools: ['tools'],
  system: ['systemInstruction', 'system_instruction'],
  messages: 'contents',
  hasSystemMessages: false,
  splitsAnswers: false,
  // Tool, declarations, declaration, mark, lifetime.
  toolLevels: 5,
  tool(text: string, value: Node): Facts {
    const list = member(value, 'functionDeclarations') ?? member(value, 'function_declarations');
    const parts: Part[] = [];
    if (isArray(text, list)) {
      for (let item = list.first; item !== undefined; item = item.next) {
        parts.push(partOf(text, item, value.start, 'tool'));
      }
    }
    if (parts.length === 0) parts.push(partOf(text, value, value.start, 'tool'));
    return factsOf(text, value, { role: '', isOutput: false }, parts);
  },
  systemPrompt: (text: string, value: Node): Facts => ({
    role: 'system',
    isOutput: false,
    parts: isString(text, value)
      ? [partOf(text, value, value.start, 'text')]
      : partsOf(text, value),
    omit: NO_OMISSIONS,
  }),
  message(text: string, value: Node): Facts {
    const role = roleOf(text, value);
    return factsOf(text, value, { role, isOutput: role === 'model' }, partsOf(text, value));
  },
};

/** `parts` is an array, or one part by itself. */
function partsOf(text: string, value: Node): Part[] {
  const list = member(value, 'parts');
  if (list === undefined) return [];
  if (!isArray(text, list)) return [partOf(text, list, value.start, kindOfPart(text, list))];
  const parts: Part[] = [];
  for (let part = list.first; part !== undefined; part = part.next) {
    parts.push(partOf(text, part, value.start, kindOfPart(text, part)));
  }
  return parts;
}

function kindOfPart(text: string, part: Node): BlockKind {
  const thought = member(part, 'thought');
  if (thought !== undefined && text.startsWith('true', thought.start)) return 'thinking';
  for (let child = part.first; child !== undefined; child = child.next) {
    const kind = KINDS.get(child.key);
    if (kind === 'document') return mediaKind(text, member(part, child.key) ?? child);
    if (kind !== undefined) return kind;
  }
  return 'other';
}

function mediaKind(text: string, data: Node): BlockKind {
  const type = word(text, member(data, 'mimeType') ?? member(data, 'mime_type'));
  if (type.startsWith('image/')) return 'image';
  return type.startsWith('audio/') ? 'audio' : 'document';
}

/** By the member that a part has (Gemini API reference, `Part`). */
const KINDS: ReadonlyMap<string, BlockKind> = new Map([
  ['text', 'text'],
  ['inlineData', 'document'],
  ['inline_data', 'document'],
  ['fileData', 'document'],
  ['file_data', 'document'],
  ['functionCall', 'tool_call'],
  ['function_call', 'tool_call'],
  ['functionResponse', 'tool_result'],
  ['function_response', 'tool_result'],
  ['executableCode', 'tool_call'],
  ['executable_code', 'tool_call'],
  ['codeExecutionResult', 'tool_result'],
  ['code_execution_result', 'tool_result'],
]);
