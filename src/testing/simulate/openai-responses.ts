import { piecesOf } from './answer.ts';
import { idOf, seconds, sse } from './reply.ts';
import type { JsonObject, Reply, SimulatedEndpoint } from './reply.ts';

/** The Responses API: shapes as recorded in 2026. Nothing is stored. */
export function responses(usage: (reply: Reply) => JsonObject): Omit<SimulatedEndpoint, 'check'> {
  return {
    streamType: 'text/event-stream; charset=utf-8',
    isStream: (body) => body['stream'] === true,
    whole: (reply) => response(reply, 'completed', items(reply), usage(reply)),
    chunks(reply) {
      const started = response(reply, 'in_progress', [], null);
      const events: readonly Event[] = [
        { type: 'response.created', response: started },
        { type: 'response.in_progress', response: started },
        ...items(reply).flatMap(itemEvents),
        {
          type: 'response.completed',
          response: response(reply, 'completed', items(reply), usage(reply)),
        },
      ];
      return events.map((event, number) => sse({ ...event, sequence_number: number }, event.type));
    },
  };
}

type Event = { readonly type: string } & JsonObject;

interface MessageItem {
  readonly type: 'message';
  readonly id: string;
  readonly text: string;
}

interface CallItem {
  readonly type: 'function_call';
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly json: string;
}

type Item = MessageItem | CallItem;

function items({ number, answer }: Reply): readonly Item[] {
  const calls = answer.toolCalls.map(({ name, json }, index): CallItem => {
    const [id, callId] = [idOf('fc_', number, index), idOf('call_', number, index)];
    return { type: 'function_call', id, callId, name, json };
  });
  const said: MessageItem = { type: 'message', id: idOf('msg_', number), text: answer.text };
  return answer.text === '' && calls.length > 0 ? calls : [said, ...calls];
}

/** An item as the answer shows it; `in_progress` ones have nothing in them yet. */
function itemJson(item: Item, status: 'in_progress' | 'completed'): JsonObject {
  const { id, type } = item;
  const isWhole = status === 'completed';
  if (item.type === 'message') {
    return { id, type, status, role: 'assistant', content: isWhole ? [part(item.text)] : [] };
  }
  const { callId, name, json } = item;
  return { id, type, status, call_id: callId, name, arguments: isWhole ? json : '' };
}

function part(text: string): JsonObject {
  return { type: 'output_text', annotations: [], logprobs: [], text };
}

function itemEvents(item: Item, index: number): readonly Event[] {
  const at = { item_id: item.id, output_index: index };
  const added = { output_index: index, item: itemJson(item, 'in_progress') };
  const done = { output_index: index, item: itemJson(item, 'completed') };
  return [
    { type: 'response.output_item.added', ...added },
    ...(item.type === 'message' ? textEvents(item, at) : argumentEvents(item, at)),
    { type: 'response.output_item.done', ...done },
  ];
}

function textEvents({ text }: MessageItem, item: JsonObject): readonly Event[] {
  const at = { ...item, content_index: 0 };
  const deltas = piecesOf(text).map((delta) => ({
    type: 'response.output_text.delta',
    ...at,
    delta,
    logprobs: [],
  }));
  return [
    { type: 'response.content_part.added', ...at, part: part('') },
    ...deltas,
    { type: 'response.output_text.done', ...at, text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: part(text) },
  ];
}

function argumentEvents({ name, json }: CallItem, at: JsonObject): readonly Event[] {
  const deltas = piecesOf(json).map((delta) => ({
    type: 'response.function_call_arguments.delta',
    ...at,
    delta,
  }));
  return [
    ...deltas,
    { type: 'response.function_call_arguments.done', ...at, name, arguments: json },
  ];
}

function response(
  { number, model, wallMs, body }: Reply,
  status: 'in_progress' | 'completed',
  output: readonly Item[],
  usage: JsonObject | null,
): JsonObject {
  const isWhole = status === 'completed';
  return {
    id: idOf('resp_', number),
    object: 'response',
    created_at: seconds(wallMs),
    status,
    background: false,
    completed_at: isWhole ? seconds(wallMs) : null,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    metadata: body['metadata'] ?? {},
    model,
    output: output.map((item) => itemJson(item, 'completed')),
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    prompt_cache_key: body['prompt_cache_key'] ?? null,
    reasoning: body['reasoning'] ?? { effort: null, summary: null },
    service_tier: isWhole ? 'default' : 'auto',
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: body['text'] ?? { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? 1,
    truncation: body['truncation'] ?? 'disabled',
    usage,
    user: null,
  };
}
