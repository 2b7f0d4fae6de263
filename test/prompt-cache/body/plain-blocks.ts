import type { Block, PromptApi } from '../../../src/prompt-cache/types.ts';
import type { Api } from '../../../src/types.ts';
import { LISTS } from './bodies.ts';

/** A block as the plainest reader sees it: through JSON.parse, by value instead of by place. */
export type PlainBlock = Pick<Block, 'tier' | 'kind' | 'role' | 'message' | 'mark' | 'endsTurn'> & {
  readonly value: unknown;
};

interface Message {
  readonly role: string;
  readonly values: ReadonlyArray<readonly [kind: Block['kind'], value: unknown, mark?: unknown]>;
  readonly isOutput: boolean;
  readonly tier: 'system' | 'messages';
}

// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>;

export function plainBlocks(api: Api & PromptApi, body: Json): PlainBlock[] {
  const key = LISTS[api];
  const list = Array.isArray(body[key]) ? (body[key] as Json[]) : [];
  let messages = list.map((message) => messageOf(api, message));
  if (api === 'responses' && typeof body[key] === 'string') {
    messages = [
      { role: 'user', values: stringValues(body[key], 'text'), isOutput: false, tier: 'messages' },
    ];
  }
  const hasLeading = api === 'chat.completions' || api === 'responses';
  const isSystem = ({ role }: Message): boolean => role === 'system' || role === 'developer';
  const others = messages.findIndex((message) => !isSystem(message));
  const leading = hasLeading ? (others < 0 ? messages.length : others) : 0;
  const blocks: PlainBlock[] = [...toolBlocks(api, body), ...systemBlocks(api, body)];
  for (const [index, message] of messages.entries()) {
    const next = messages[index + 1];
    const isEnd =
      next === undefined || (next.isOutput && !(api === 'responses' && message.isOutput));
    for (const [at, [kind, value, mark]] of message.values.entries()) {
      blocks.push({
        tier: index < leading ? 'system' : 'messages',
        kind,
        role: message.role,
        value,
        message: Array.isArray(body[key]) ? index : -1,
        mark: markOf(value) ?? markOf(mark),
        endsTurn: isEnd && at === message.values.length - 1,
      });
    }
  }
  return blocks;
}

function toolBlocks(api: Api & PromptApi, body: Json): PlainBlock[] {
  const tools = (Array.isArray(body['tools']) ? body['tools'] : []) as Json[];
  const values = tools.flatMap((tool) => {
    const declared = api === 'generateContent' ? (tool['functionDeclarations'] as unknown[]) : [];
    return Array.isArray(declared) && declared.length > 0 ? declared : [tool];
  });
  return values.map((value) => topBlock('tools', 'tool', '', value));
}

function systemBlocks(api: Api & PromptApi, body: Json): PlainBlock[] {
  const { system, instructions, systemInstruction } = body;
  const value =
    api === 'messages'
      ? system
      : api === 'responses'
        ? instructions
        : (systemInstruction?.parts ?? []);
  if (api === 'chat.completions') return [];
  if (typeof value === 'string') {
    return value === '' ? [] : [topBlock('system', 'text', 'system', value)];
  }
  const parts: unknown[] = Array.isArray(value) ? value : [];
  return parts.map((part) => topBlock('system', kindOf(api, part as Json), 'system', part));
}

function topBlock(
  tier: Block['tier'],
  kind: Block['kind'],
  role: string,
  value: unknown,
): PlainBlock {
  return { tier, kind, role, message: -1, mark: markOf(value), endsTurn: false, value };
}

function messageOf(api: Api & PromptApi, message: Json): Message {
  const role = String(message['role'] ?? '');
  const own = message['cache_control'] === undefined ? undefined : message;
  if (api === 'responses' && message['content'] === undefined) {
    const kind = kindOf(api, message);
    const isOutput = kind === 'tool_call' || kind === 'thinking';
    return { role, values: [[kind, message]], isOutput, tier: 'messages' };
  }
  const content: unknown = api === 'generateContent' ? message['parts'] : message['content'];
  const fixed = role === 'tool' ? 'tool_result' : undefined;
  const values = [
    ...(Array.isArray(content)
      ? (content as Json[]).map((part) => [fixed ?? kindOf(api, part), part] as const)
      : stringValues(content, fixed ?? 'text')),
    ...((message['tool_calls'] ?? []) as Json[]).map((call) => ['tool_call', call] as const),
  ].map(([kind, value], index, all) =>
    index === all.length - 1 ? ([kind, value, own] as const) : ([kind, value] as const),
  );
  const isOutput = role === 'assistant' || role === 'model';
  // Without content only a mark makes it a block.
  if (values.length === 0 && markOf(own) !== undefined) {
    return { role, values: [['other', message]], isOutput, tier: 'messages' };
  }
  return { role, values, isOutput, tier: 'messages' };
}

function stringValues(
  value: unknown,
  kind: Block['kind'],
): Array<readonly [Block['kind'], unknown]> {
  return typeof value === 'string' && value !== '' ? [[kind, value]] : [];
}

function kindOf(api: Api & PromptApi, part: Json): Block['kind'] {
  if (api === 'generateContent') {
    if (part['thought'] === true) return 'thinking';
    if (part['text'] !== undefined) return 'text';
    if (part['functionCall'] !== undefined) return 'tool_call';
    if (part['functionResponse'] !== undefined) return 'tool_result';
    const type = String(part['inlineData'].mimeType);
    return type.startsWith('image') ? 'image' : type.startsWith('audio') ? 'audio' : 'document';
  }
  const kinds: Record<string, Block['kind']> = {
    text: 'text',
    input_text: 'text',
    output_text: 'text',
    image_url: 'image',
    image: 'image',

    input_image: 'image',
    tool_use: 'tool_call',
    function_call: 'tool_call',

    tool_result: 'tool_result',
    function_call_output: 'tool_result',
    thinking: 'thinking',
    reasoning: 'thinking',
  };
  return kinds[String(part['type'])] ?? 'other';
}

function markOf(value: unknown): Block['mark'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const { cache_control: control, prompt_cache_breakpoint: point } = value as Json;
  if (point) return '30m';
  return control ? (control.ttl === '1h' ? '1h' : '5m') : undefined;
}
