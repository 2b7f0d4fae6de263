import { chatCompletions } from './openai-chat.ts';
import { responses } from './openai-responses.ts';
import { idOf } from './reply.ts';
import type { Dialect, JsonObject, Refusal, Reply, SimulatedEndpoint } from './reply.ts';

/** OpenAI's own API. Error codes as recorded in 2025 and 2026. */
export const openaiDialect: Dialect = {
  endpoint: ({ pathname }) =>
    pathname.endsWith('/chat/completions')
      ? chat
      : pathname.endsWith('/responses')
        ? response
        : undefined,
  error: openaiError,
  headers: (requestId) => ({ 'x-request-id': requestId, 'openai-version': '2020-10-01' }),
  jsonType: 'application/json',
  requestId: (number) => idOf('req_', number),
};

export function openaiError({ message, param, code }: Refusal): unknown {
  const error = {
    message,
    type: 'invalid_request_error',
    param: param ?? null,
    code: code ?? null,
  };
  return { error };
}

const chat = chatCompletions({
  head: { service_tier: 'default', system_fingerprint: null },
  usageInLastChunk: false,
  check: (body) => checkModel(body) ?? checkList(body, 'messages'),
  usage(reply) {
    const { input, output, cached, total } = counts(reply);
    return {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: total,
      prompt_tokens_details: { ...cached, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    };
  },
});

const response: SimulatedEndpoint = {
  ...responses((reply) => {
    const { input, output, cached, total } = counts(reply);
    return {
      input_tokens: input,
      input_tokens_details: cached,
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: total,
    };
  }),
  check(body) {
    const id = body['previous_response_id'];
    if (typeof id === 'string') {
      return {
        status: 400,
        message: 'Previous response not found: nothing is stored here.',
        param: 'previous_response_id',
        code: 'previous_response_not_found',
      };
    }
    const isText = typeof body['input'] === 'string';
    return checkModel(body) ?? (isText ? undefined : checkList(body, 'input'));
  },
};

function counts({ usage }: Reply): {
  input: number;
  output: number;
  total: number;
  cached: JsonObject;
} {
  const { total: input = 0, cacheRead, cacheWrite } = usage.inputTokens;
  const { total: output = 0 } = usage.outputTokens;
  // Written tokens are told by the models that charge for them, from GPT-5.6 on.
  const cached = {
    cached_tokens: cacheRead,
    ...(cacheWrite !== undefined && { cache_write_tokens: cacheWrite }),
  };
  return { input, output, total: input + output, cached };
}

function checkModel(body: JsonObject): Refusal | undefined {
  return typeof body['model'] === 'string' ? undefined : missing('model');
}

function checkList(body: JsonObject, name: string): Refusal | undefined {
  const list = body[name];
  if (!Array.isArray(list)) return missing(name);
  if (list.length > 0) return undefined;
  return {
    status: 400,
    message: `Invalid '${name}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    param: name,
    code: 'empty_array',
  };
}

function missing(param: string): Refusal {
  return {
    status: 400,
    message: `Missing required parameter: '${param}'.`,
    param,
    code: 'missing_required_parameter',
  };
}

/** Whether a model keeps breakpoints and charges for writes: GPT-5.6 and later (prompt caching guide, 2026-10). */
export function hasBreakpoints(model: string): boolean {
  // One digit only: Azure writes GPT-3.5 as gpt-35.
  const [, major, minor = '0'] = /(?:^|[/:])gpt-(\d)(?:\.(\d+))?(?!\d)/.exec(model) ?? [];
  if (major === undefined) return false;
  return Number(major) > 5 || (Number(major) === 5 && Number(minor) >= 6);
}
