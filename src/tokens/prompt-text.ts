import { BoundedText } from './bounded-text.ts';
import { asArray, asObject, asString, toJson } from './json-value.ts';
import type { JsonObject } from './json-value.ts';
import { definedTools, toolsText } from './tool-text.ts';

/** What a provider bills as input, as far as it is text. */
export interface PromptText {
  /** At most 4 Mi characters; the rest of a longer prompt is left out. */
  text: string;
  /** Messages that a chat template wraps; 0 for plain completions and embeddings. */
  messages: number;
  /** Tools that the caller defines; not those of the provider's own. */
  tools: number;
  /** The member that lists the messages, which tells the dialects apart. */
  conversation?: Conversation | undefined;
}

export type Conversation = (typeof CONVERSATIONS)[number];

export const MAX_PROMPT_CHARS: number = 4 * 1024 * 1024;

/** Parts nested deeper are left out; real ones stay below 10 (a document inside a tool result). */
const MAX_DEPTH = 24;

/** One message of its own each: chat prompts beside the list of messages. */
const INSTRUCTIONS = [
  'system',
  'instructions',
  'systemInstruction',
  'system_instruction',
  'preamble',
  'message',
];

const CONVERSATIONS = ['messages', 'contents', 'input', 'chat_history'] as const;

/** Plain text without a chat template: completions, fill-in, embeddings, reranking, documents. */
const PLAIN = ['prompt', 'suffix', 'inputs', 'texts', 'content', 'query', 'documents'];

/**
 * Members of a message or part that hold text or further parts. All others are left out: images, audio, files,
 * base64, URLs, signatures, ids, cache marks, and reasoning that providers drop again.
 */
const TEXT_MEMBERS = new Set([
  'text',
  'content',
  'parts',
  'message',
  'title',
  'context',
  'name',
  'refusal',
  'thinking',
  'summary',
  'query',
  'results',
  'function',
  'tool_calls',
  'function_call',
  'functionCall',
  'functionResponse',
  'toolUse',
  'toolResult',
  'tool_results',
  'call',
  'outputs',
  'output',
  'reasoningContent',
  'reasoningText',
  'guardContent',
  'document',
  'source',
  'executableCode',
  'code',
  'codeExecutionResult',
]);

/** Members that hold a tool's arguments or result: JSON of the caller's own, billed with its keys. */
const JSON_MEMBERS = new Set(['input', 'arguments', 'args', 'parameters', 'response', 'json']);

/** The text of a parsed request body of any dialect: instructions, messages, tool definitions, calls and results. */
export function promptText(body: unknown): PromptText {
  const request = asObject(body);
  if (request === undefined) return { text: '', messages: 0, tools: 0 };
  const text = new BoundedText(MAX_PROMPT_CHARS);
  let messages = 0;
  for (const key of INSTRUCTIONS) {
    if (request[key] === undefined || request[key] === null) continue;
    messages++;
    addParts(text, request[key], 0);
  }
  for (const key of CONVERSATIONS) {
    messages += countMessages(request, key);
    addParts(text, request[key], 0);
  }
  for (const key of PLAIN) addParts(text, request[key], 0);
  for (const batched of asArray(request['requests']))
    addParts(text, asObject(batched)?.['content'], 0);
  const tools = definedTools(request);
  if (!text.isFull) text.add(toolsText(tools));
  addAnswerSchema(text, request);
  const conversation = CONVERSATIONS.find((key) => request[key] !== undefined);
  return { text: text.toString(), messages, tools: tools.length, conversation };
}

/** `input` is a conversation in responses and plain text in embeddings. */
function countMessages(request: JsonObject, key: string): number {
  const value = request[key];
  if (typeof value === 'string') return isEmbedding(request) ? 0 : 1;
  return asArray(value).filter((item) => asObject(item) !== undefined).length;
}

function isEmbedding(request: JsonObject): boolean {
  if (request['encoding_format'] !== undefined || request['dimensions'] !== undefined) return true;
  return asString(request['model'])?.includes('embed') ?? false;
}

function addParts(text: BoundedText, value: unknown, depth: number): void {
  if (text.isFull || depth > MAX_DEPTH) return;
  if (typeof value === 'string') {
    if (!value.startsWith('data:')) text.add(value);
  } else if (Array.isArray(value)) {
    for (const item of asArray(value)) addParts(text, item, depth + 1);
  } else {
    const part = asObject(value);
    if (part !== undefined) addMembers(text, part, depth);
  }
}

function addMembers(text: BoundedText, part: JsonObject, depth: number): void {
  // By the part's own few members: asking every part for all known ones takes ten times as long.
  for (const [key, value] of Object.entries(part)) {
    if (JSON_MEMBERS.has(key)) addJson(text, value);
    else if (key === 'data') addData(text, part, depth);
    // A web address, where it is no document (Anthropic search results).
    else if (key === 'source' && typeof value === 'string') continue;
    else if (TEXT_MEMBERS.has(key)) addParts(text, value, depth + 1);
  }
}

function addJson(text: BoundedText, value: unknown): void {
  if (text.isFull) return;
  if (typeof value === 'string') text.add(value);
  else if (value !== undefined && value !== null) text.add(toJson(value));
}

/** Anthropic's plain text documents and Cohere's fields; other parts hold base64 here. */
function addData(text: BoundedText, part: JsonObject, depth: number): void {
  const { data } = part;
  if (part['type'] === 'text') addParts(text, data, depth + 1);
  else if (asObject(data) !== undefined) addJson(text, data);
}

/** The schema of a structured answer, which OpenAI writes into the prompt. */
function addAnswerSchema(text: BoundedText, request: JsonObject): void {
  const chat = asObject(asObject(request['response_format'])?.['json_schema']);
  const responses = asObject(asObject(request['text'])?.['format']);
  const schema = chat?.['schema'] ?? responses?.['schema'];
  if (schema !== undefined) text.add(toJson(schema));
}
