import { objectOf, objectsOf, textOf, without } from './json.ts';
import type { JsonObject } from './json.ts';

/** A message, or an item of a Responses input, as far as a prompt cache tells it apart. */
export interface PromptItem {
  readonly kind: 'instructions' | 'user' | 'tool_result' | 'other';
  /** Its role, and what belongs to it as a whole. */
  readonly place: string;
  readonly parts: readonly PromptPart[];
}

export interface PromptPart {
  readonly content: string | JsonObject;
  /** Whether it is of a type that a mark may be set on. */
  readonly takesMark: boolean;
  readonly isMarked: boolean;
}

/** Types that take a mark (prompt caching guide, 2026-10-02). */
const MARKABLE: ReadonlySet<unknown> = new Set([
  'text',
  'image_url',
  'input_audio',
  'file',
  'refusal',
  'input_text',
  'input_image',
  'input_file',
]);

const TEXT_TYPES: ReadonlySet<unknown> = new Set(['text', 'input_text', 'output_text']);

/** Members of a text part that say nothing to the model. */
const TEXT_EXTRAS = ['type', 'text', 'annotations', 'logprobs', 'prompt_cache_breakpoint'];

/** The messages of a chat completions request. */
export function chatItems(messages: unknown): readonly PromptItem[] {
  return objectsOf(messages).map((message): PromptItem => {
    const { role, content, name, tool_call_id: callId } = message;
    const said = partsOf(content);
    const parts = [
      ...extraParts(message, ['reasoning_content', 'refusal', 'audio', 'function_call']),
      ...said,
      ...extraParts(message, ['tool_calls']),
    ];
    return {
      kind: kindOf(role),
      place: placeOf(textOf(role) ?? '', name, callId),
      // A message without content still is one.
      parts: parts.length === 0 ? [unmarked('')] : parts,
    };
  });
}

/** The instructions and the input of a Responses request. */
export function responsesItems({ instructions, input }: JsonObject): readonly PromptItem[] {
  const first = textOf(instructions);
  const items: PromptItem[] =
    first === undefined
      ? []
      : [{ kind: 'instructions', place: 'developer', parts: [unmarked(first)] }];
  if (typeof input === 'string') {
    return [...items, { kind: 'user', place: 'user', parts: partsOf(input) }];
  }
  return [...items, ...objectsOf(input).map(responsesItem)];
}

function responsesItem(item: JsonObject): PromptItem {
  const { type, role, content } = item;
  if (type === undefined || type === 'message') {
    const parts = partsOf(content);
    return {
      kind: kindOf(role),
      place: placeOf(textOf(role) ?? ''),
      parts: parts.length === 0 ? [unmarked('')] : parts,
    };
  }
  const name = textOf(type) ?? '';
  return {
    kind: name.endsWith('_output') ? 'tool_result' : 'other',
    place: name,
    // An item's id and status are the API's, not the prompt's.
    parts: [unmarked(without(item, 'id', 'status'))],
  };
}

function kindOf(role: unknown): PromptItem['kind'] {
  if (role === 'system' || role === 'developer') return 'instructions';
  if (role === 'tool' || role === 'function') return 'tool_result';
  return role === 'user' ? 'user' : 'other';
}

function placeOf(role: string, ...names: readonly unknown[]): string {
  const given = names.filter((name) => typeof name === 'string');
  return given.length === 0 ? role : JSON.stringify([role, ...given]);
}

/** The parts of a content. A string and a part that holds nothing but the same text are rendered alike. */
function partsOf(content: unknown): readonly PromptPart[] {
  // Without a part there is nowhere to set a mark.
  if (typeof content === 'string') return [unmarked(content)];
  return objectsOf(content).map((part): PromptPart => {
    const { type, text, prompt_cache_breakpoint: mark } = part;
    const isPlain =
      TEXT_TYPES.has(type) &&
      typeof text === 'string' &&
      Object.keys(part).every((name) => TEXT_EXTRAS.includes(name));
    return {
      content: isPlain ? text : without(part, 'prompt_cache_breakpoint'),
      takesMark: MARKABLE.has(type),
      isMarked: objectOf(mark) !== undefined,
    };
  });
}

/** Members of a message that the model sees beside its content, each as a part. */
function extraParts(message: JsonObject, names: readonly string[]): readonly PromptPart[] {
  return names.flatMap((name) => {
    const value = message[name];
    const isEmpty = value == null || value === '' || (Array.isArray(value) && value.length === 0);
    return isEmpty ? [] : [unmarked({ [name]: value })];
  });
}

function unmarked(content: string | JsonObject): PromptPart {
  return { content, takesMark: false, isMarked: false };
}
