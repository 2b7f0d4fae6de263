import { chatCompletions } from './openai-chat.ts';
import { openaiError } from './openai-dialect.ts';
import type { Dialect, JsonObject, Refusal } from './reply.ts';

/** DeepSeek's chat completions, with and without `/v1`: shapes as recorded in 2026. */
export const deepseekDialect: Dialect = {
  endpoint: ({ pathname }) => (pathname.endsWith('/chat/completions') ? chat : undefined),
  error: (refusal) => openaiError({ code: 'invalid_request_error', ...refusal }),
  headers: (requestId) => ({ 'x-ds-trace-id': requestId }),
  jsonType: 'application/json',
  requestId: (number) => number.toString(16).padStart(32, '0'),
};

const chat = chatCompletions({
  head: { system_fingerprint: 'fp_simulated' },
  usageInLastChunk: true,
  check: (body) =>
    checkMember(typeof body['model'] === 'string', 'model') ??
    checkMember(Array.isArray(body['messages']), 'messages') ??
    checkFilled(body),
  usage({ usage: { inputTokens, outputTokens } }) {
    const { total: input = 0, cacheRead = 0 } = inputTokens;
    const { total: output = 0 } = outputTokens;
    return {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: cacheRead },
      prompt_cache_hit_tokens: cacheRead,
      prompt_cache_miss_tokens: input - cacheRead,
    };
  },
});

function checkMember(isThere: boolean, name: string): Refusal | undefined {
  if (isThere) return undefined;
  const message = `Failed to deserialize the JSON body into the target type: missing field \`${name}\``;
  return { status: 400, message };
}

function checkFilled(body: JsonObject): Refusal | undefined {
  const messages = body['messages'];
  const isEmpty = Array.isArray(messages) && messages.length === 0;
  return isEmpty ? { status: 400, message: 'Empty input messages' } : undefined;
}
