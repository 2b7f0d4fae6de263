import { piecesOf } from './answer.ts';
import type { Answer, ToolCall } from './answer.ts';
import { idOf, seconds, sse } from './reply.ts';
import type { JsonObject, Refusal, Reply, SimulatedEndpoint } from './reply.ts';

export interface ChatOptions {
  /** What the provider says of itself in every answer and chunk. */
  readonly head: JsonObject;
  /** The provider's own counts beside the common ones. */
  readonly usage: (reply: Reply) => JsonObject;
  /** Whether a stream's usage stands in its last chunk (DeepSeek), and not in a chunk of its own behind it (OpenAI). */
  readonly usageInLastChunk: boolean;
  readonly check: (body: JsonObject) => Refusal | undefined;
}

/** Chat completions: shapes as recorded in 2026. */
export function chatCompletions(options: ChatOptions): SimulatedEndpoint {
  return {
    streamType: 'text/event-stream; charset=utf-8',
    isStream: (body) => body['stream'] === true,
    check: options.check,
    whole: (reply) => ({
      ...head(reply, 'chat.completion', options),
      choices: [
        {
          index: 0,
          message: assistantMessage(reply.number, reply.answer),
          logprobs: null,
          finish_reason: finishReason(reply),
        },
      ],
      usage: options.usage(reply),
    }),
    chunks: (reply) => chunks(reply, options),
  };
}

function chunks(reply: Reply, options: ChatOptions): readonly string[] {
  const { usage, usageInLastChunk } = options;
  const wantsUsage = includesUsage(reply.body);
  const chunk = (choices: readonly JsonObject[], reported: JsonObject | null): string =>
    sse({
      ...head(reply, 'chat.completion.chunk', options),
      choices,
      // Without the option no chunk mentions usage; with it every chunk does, and one tells it.
      ...(wantsUsage && { usage: reported }),
    });
  const choice = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finish,
  });
  const last = choice({}, finishReason(reply));
  return [
    chunk([choice({ role: 'assistant', content: '', refusal: null })], null),
    ...deltas(reply).map((delta) => chunk([choice(delta)], null)),
    chunk([last], usageInLastChunk ? usage(reply) : null),
    ...(wantsUsage && !usageInLastChunk ? [chunk([], usage(reply))] : []),
    'data: [DONE]\n\n',
  ];
}

function includesUsage(body: JsonObject): boolean {
  const options = body['stream_options'];
  return (
    typeof options === 'object' &&
    options !== null &&
    Reflect.get(options, 'include_usage') === true
  );
}

function head(
  { number, model, wallMs }: Reply,
  object: string,
  { head: own }: ChatOptions,
): JsonObject {
  return {
    id: idOf('chatcmpl-', number),
    object,
    created: seconds(wallMs),
    model,
    ...own,
  };
}

/** An answer as a message, as its reader sends it back in the next request. */
export function assistantMessage(number: number, { text, toolCalls }: Answer): JsonObject {
  return {
    role: 'assistant',
    content: text === '' && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...(toolCalls.length > 0 && {
      tool_calls: toolCalls.map((call, index) => toolCall(number, index, call)),
    }),
  };
}

function toolCall(number: number, index: number, { name, json }: ToolCall): JsonObject {
  return {
    id: idOf('call_', number, index),
    type: 'function',
    function: { name, arguments: json },
  };
}

function deltas({ number, answer }: Reply): readonly JsonObject[] {
  const { text, toolCalls } = answer;
  const calls = toolCalls.flatMap((call, index) => [
    { tool_calls: [{ index, ...toolCall(number, index, { ...call, json: '' }) }] },
    ...piecesOf(call.json).map((piece) => ({
      tool_calls: [{ index, function: { arguments: piece } }],
    })),
  ]);
  return [...piecesOf(text).map((content) => ({ content })), ...calls];
}

function finishReason({ answer }: Reply): string {
  return answer.toolCalls.length > 0 ? 'tool_calls' : 'stop';
}
