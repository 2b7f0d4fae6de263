import { prose, seededNumbers } from './text.ts';

/** Pieces of text in every stream. */
export const STREAM_CHUNKS = 200;

/** What every whole answer reports; a client that parsed it can say so. */
export const ANSWER_TOKENS = { input: 487, output: 125 } as const;

const CHAT_MODEL = 'gpt-4o-mini-2024-07-18';
const MESSAGES_MODEL = 'claude-sonnet-5';

export interface HttpAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpStream {
  readonly headers: Readonly<Record<string, string>>;
  /** One chunk of text each, and what stands around them. */
  readonly frames: readonly Uint8Array[];
}

/** As many header fields as providers send: reading them is a part of every call. */
function headersOf(contentType: string): Record<string, string> {
  return {
    date: 'Sat, 21 Nov 2026 10:00:00 GMT',
    'content-type': contentType,
    'access-control-expose-headers': 'X-Request-ID',
    'openai-organization': 'org-bench',
    'openai-processing-ms': '412',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-remaining-tokens': '1999502',
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-reset-tokens': '14ms',
    'x-request-id': 'req_0123456789abcdef0123456789abcdef',
    'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
    'cf-ray': '9a1b2c3d4e5f6789-FRA',
    'set-cookie': '__cf_bm=abcdefghijklmnopqrstuvwxyz; path=/; HttpOnly; Secure',
  };
}

const CHAT_USAGE = {
  prompt_tokens: ANSWER_TOKENS.input,
  completion_tokens: ANSWER_TOKENS.output,
  total_tokens: ANSWER_TOKENS.input + ANSWER_TOKENS.output,
  prompt_tokens_details: { cached_tokens: 128, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

const MESSAGES_USAGE = {
  input_tokens: ANSWER_TOKENS.input - 128,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 128,
  output_tokens: ANSWER_TOKENS.output,
  service_tier: 'standard',
};

/** A whole chat completion. */
export function chatAnswer(): HttpAnswer {
  return json({
    id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012',
    object: 'chat.completion',
    created: 1795255200,
    model: CHAT_MODEL,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: prose(seededNumbers(1), 650),
          refusal: null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: CHAT_USAGE,
    service_tier: 'default',
    system_fingerprint: 'fp_0123456789',
  });
}

/** A whole message in Anthropic's format. */
export function messagesAnswer(): HttpAnswer {
  return json({
    id: 'msg_01AbCdEfGhIjKlMnOpQrStUv',
    type: 'message',
    role: 'assistant',
    model: MESSAGES_MODEL,
    content: [{ type: 'text', text: prose(seededNumbers(1), 650) }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: MESSAGES_USAGE,
  });
}

/**
 * A chat completion in chunks. The chunk with usage comes only for requests that ask for it. OpenAI then also puts
 * `"usage":null` into every other chunk; here it always stands there, so that all clients read the same bytes.
 */
export function chatStream(withUsage: boolean): HttpStream {
  const chunk = (choices: unknown[], usage: unknown = null): string =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012',
      object: 'chat.completion.chunk',
      created: 1795255200,
      model: CHAT_MODEL,
      service_tier: 'default',
      system_fingerprint: 'fp_0123456789',
      choices,
      usage,
    })}\n\n`;
  const choice = (delta: unknown, finishReason: string | null = null): unknown => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finishReason,
  });
  return stream([
    chunk([choice({ role: 'assistant', content: '', refusal: null })]),
    ...pieces().map((content) => chunk([choice({ content })])),
    chunk([choice({}, 'stop')]),
    ...(withUsage ? [chunk([], CHAT_USAGE)] : []),
    'data: [DONE]\n\n',
  ]);
}

/** A message in Anthropic's events. */
export function messagesStream(): HttpStream {
  const event = (type: string, rest: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
  return stream([
    event('message_start', {
      message: {
        id: 'msg_01AbCdEfGhIjKlMnOpQrStUv',
        type: 'message',
        role: 'assistant',
        model: MESSAGES_MODEL,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...MESSAGES_USAGE, output_tokens: 1 },
      },
    }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...pieces().map((text) =>
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    ),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: ANSWER_TOKENS.output },
    }),
    event('message_stop', {}),
  ]);
}

function pieces(): string[] {
  const random = seededNumbers(2);
  return Array.from({ length: STREAM_CHUNKS }, () => ` ${prose(random, 4)}`);
}

function json(value: unknown): HttpAnswer {
  return { headers: headersOf('application/json'), body: Buffer.from(JSON.stringify(value)) };
}

function stream(frames: readonly string[]): HttpStream {
  return {
    headers: headersOf('text/event-stream; charset=utf-8'),
    frames: frames.map((frame) => Buffer.from(frame)),
  };
}
