import { piecesOf } from './answer.ts';
import { idOf, sse } from './reply.ts';
import type { Dialect, JsonObject, Refusal, Reply, SimulatedEndpoint } from './reply.ts';

/** The Messages API: shapes as recorded in 2026, errors as on its errors page of 2026-08. */
export const anthropicDialect: Dialect = {
  endpoint: ({ pathname }) => (pathname.endsWith('/v1/messages') ? messages : undefined),
  error: ({ status, message }, requestId) => ({
    type: 'error',
    error: { type: status === 404 ? 'not_found_error' : 'invalid_request_error', message },
    request_id: requestId,
  }),
  headers: (requestId) => ({ 'request-id': requestId }),
  jsonType: 'application/json',
  requestId: (number) => idOf('req_', number),
};

const messages: SimulatedEndpoint = {
  streamType: 'text/event-stream; charset=utf-8',
  isStream: (body) => body['stream'] === true,
  isSilent: isPrewarm,
  check: checkMessages,
  whole: (reply) => ({
    ...head(reply),
    content: content(reply),
    ...ending(reply),
    usage: usage(reply),
  }),
  chunks(reply) {
    const start = {
      ...head(reply),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // What is known of the output when it begins; the final count comes at the end.
      usage: { ...usage(reply), output_tokens: Math.min(1, outputTokens(reply)) },
    };
    const blocks = content(reply).flatMap((block, index) => [
      event({ type: 'content_block_start', index, content_block: emptied(block) }),
      ...(index === 0 ? [event({ type: 'ping' })] : []),
      ...deltas(block).map((delta) => event({ type: 'content_block_delta', index, delta })),
      event({ type: 'content_block_stop', index }),
    ]);
    const { cache_creation: _, service_tier: __, ...counts } = usage(reply);
    return [
      event({ type: 'message_start', message: start }),
      ...blocks,
      event({ type: 'message_delta', delta: ending(reply), usage: counts }),
      event({ type: 'message_stop' }),
    ];
  },
};

function event(data: { type: string } & JsonObject): string {
  return sse(data, data.type);
}

function checkMessages(body: JsonObject): Refusal | undefined {
  if (typeof body['model'] !== 'string') return invalid('model: Field required');
  if (!Array.isArray(body['messages'])) return invalid('messages: Field required');
  if (body['messages'].length === 0) return invalid('messages: at least one message is required');
  return undefined;
}

function invalid(message: string): Refusal {
  return { status: 400, message };
}

function head({ number, model }: Reply): JsonObject {
  return { id: idOf('msg_', number), type: 'message', role: 'assistant', model };
}

function ending(reply: Reply): JsonObject {
  const reason = isPrewarm(reply.body)
    ? 'max_tokens'
    : calls(reply).length > 0
      ? 'tool_use'
      : 'end_turn';
  return { stop_reason: reason, stop_sequence: null };
}

type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown };

function content(reply: Reply): readonly ContentBlock[] {
  const { text } = reply.answer;
  const said: ContentBlock[] = text === '' ? [] : [{ type: 'text', text }];
  return [...said, ...calls(reply)];
}

function calls(reply: Reply): readonly ContentBlock[] {
  return reply.answer.toolCalls.map(({ name, value }, index) => ({
    type: 'tool_use',
    id: idOf('toolu_', reply.number, index),
    name,
    input: value,
  }));
}

function emptied(block: ContentBlock): ContentBlock {
  return block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} };
}

function deltas(block: ContentBlock): readonly JsonObject[] {
  if (block.type === 'text') {
    return piecesOf(block.text).map((text) => ({ type: 'text_delta', text }));
  }
  return ['', ...piecesOf(JSON.stringify(block.input))].map((partial) => ({
    type: 'input_json_delta',
    partial_json: partial,
  }));
}

function usage(reply: Reply): JsonObject {
  const { uncached, cacheRead, cacheWrite = 0, cacheWrite1h = 0 } = reply.usage.inputTokens;
  return {
    input_tokens: uncached,
    cache_creation_input_tokens: cacheWrite + cacheWrite1h,
    cache_read_input_tokens: cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite,
      ephemeral_1h_input_tokens: cacheWrite1h,
    },
    output_tokens: outputTokens(reply),
    service_tier: 'standard',
  };
}

function outputTokens({ usage: { outputTokens } }: Reply): number {
  return outputTokens.total ?? 0;
}

/** A request that only warms the prompt cache: nothing is said (prompt caching guide, 2026-10). */
function isPrewarm(body: JsonObject): boolean {
  return body['max_tokens'] === 0;
}
