import type { HistoryMessage } from '../arrange/truncate-history.ts';
import { listStart, type Body } from './body.ts';
import { textOf, type Element } from './elements.ts';

/** What truncation must know of each message. Each is read once, as long as its conversation is known. */
export function historyMessages(body: Body, messages: readonly Element[]): HistoryMessage[] {
  const base = listStart(body);
  return messages.map((element) => {
    let message = known.get(element);
    if (message === undefined) {
      message = read(element, JSON.parse(textOf(element, body.source, base)));
      known.set(element, message);
    }
    return message;
  });
}

const known = new WeakMap<Element, HistoryMessage>();

/** The four dialects name calls and results in ways that do not meet, so one reader does for all. */
function read({ role, isOutput, parts }: Element, message: unknown): HistoryMessage {
  const toolCallIds: string[] = [];
  const toolResultIds: string[] = [];
  const values = [
    message,
    ...listOf(message, 'content'),
    ...listOf(message, 'parts'),
    ...listOf(message, 'tool_calls').map((call) => ({ type: 'function_call', ...asObject(call) })),
  ];
  for (const value of values) {
    const { call, result } = idsOf(asObject(value));
    if (call !== undefined) toolCallIds.push(call);
    if (result !== undefined) toolResultIds.push(result);
  }
  let tokens = 0;
  for (const part of parts) tokens += part.tokens;
  const isTurnStart = role === 'user' && !isOutput && toolResultIds.length === 0;
  return { role, tokens, toolCallIds, toolResultIds, isTurnStart };
}

/** Ids of one message, part, call or item. */
function idsOf(value: Record<string, unknown>): {
  call?: string | undefined;
  result?: string | undefined;
} {
  const type = typeof value['type'] === 'string' ? value['type'] : '';
  const call = asObject(value['functionCall'] ?? value['function_call']);
  const response = asObject(value['functionResponse'] ?? value['function_response']);
  if (call['name'] !== undefined) return { call: firstOf(call['id'], call['name']) };
  if (response['name'] !== undefined) return { result: firstOf(response['id'], response['name']) };
  if (type.endsWith('_result')) return { result: firstOf(value['tool_use_id']) };
  if (type.endsWith('_output')) return { result: firstOf(value['call_id']) };
  if (type.endsWith('_use')) return { call: firstOf(value['id']) };
  // In an answer: `function` where a chat completion lists its calls.
  if (type.endsWith('_call') || type === 'function')
    return { call: firstOf(value['call_id'], value['id']) };
  if (value['role'] === 'tool') return { result: firstOf(value['tool_call_id']) };
  if (value['role'] === 'function') return { result: firstOf(value['name']) };
  return {};
}

function firstOf(...ids: readonly unknown[]): string | undefined {
  return ids.find((id) => typeof id === 'string');
}

function listOf(value: unknown, key: string): unknown[] {
  const list: unknown = asObject(value)[key];
  return Array.isArray(list) ? (list as unknown[]) : [];
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
