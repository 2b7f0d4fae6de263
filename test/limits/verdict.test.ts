import { describe, expect, test } from 'vitest';
import { createAnswerTap } from '../../src/answer/tap.ts';
import type { AttemptEnd } from '../../src/call.ts';
import type { Verdict } from '../../src/limits/types.ts';
import { verdictOf } from '../../src/limits/verdict.ts';
import type { Endpoint } from '../../src/types.ts';
import { matchUrl, recordingFolders, recordingsIn, urlOf } from '../adapters/recordings.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const URLS = {
  openai: 'https://api.openai.com/v1/chat/completions',
  responses: 'https://api.openai.com/v1/responses',
  anthropic: 'https://api.anthropic.com/v1/messages',
  gemini: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-4-flash:generateContent',
  geminiCompatible: 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
  vertex:
    'https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/gemini-4:generateContent',
  bedrock: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
  invoke: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke',
  cohere: 'https://api.cohere.com/v2/chat',
  ollama: 'https://ollama.com/api/chat',
  azure: 'https://x.openai.azure.com/openai/v1/chat/completions',
  deepseek: 'https://api.deepseek.com/chat/completions',
  nvidia: 'https://integrate.api.nvidia.com/v1/chat/completions',
  groq: 'https://api.groq.com/openai/v1/chat/completions',
  mistral: 'https://api.mistral.ai/v1/chat/completions',
  moonshot: 'https://api.moonshot.ai/v1/chat/completions',
  openrouter: 'https://openrouter.ai/api/v1/chat/completions',
  xai: 'https://api.x.ai/v1/chat/completions',
  zai: 'https://api.z.ai/api/paas/v4/chat/completions',
  proxy: 'http://litellm.internal:4000/v1/chat/completions',
} as const;

interface Seen {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly end?: AttemptEnd;
  readonly error?: unknown;
  readonly endpoint?: Endpoint;
}

/** The verdict on an answer of which the tap has read the real bytes. */
function verdict(
  who: keyof typeof URLS,
  status: number | undefined,
  { headers = {}, body, end = 'complete', error, endpoint = matchUrl(URLS[who])! }: Seen = {},
): Verdict {
  const header = (name: string): string | undefined => headers[name.toLowerCase()];
  const tap = createAnswerTap({ wire: endpoint.wire!, contentType: undefined, headers: header });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (text !== undefined) tap.push(Buffer.from(text));
  const facts = status === undefined ? {} : tap.facts();
  return verdictOf({ status, facts, header, end, error, asked: { endpoint } }, NOW);
}

const rate = (retryAfterMs?: number): Verdict => ({
  kind: 'rate',
  retryAfterMs,
  isRetryable: true,
});
const overload = (retryAfterMs?: number): Verdict => ({
  kind: 'overload',
  retryAfterMs,
  isRetryable: true,
});
const failure: Verdict = { kind: 'failure', retryAfterMs: undefined, isRetryable: true };
const spent: Verdict = { kind: 'spent', isRetryable: false };
const ok: Verdict = { kind: 'ok', isRetryable: false };
const aborted: Verdict = { kind: 'aborted', isRetryable: false };

const openaiError = (code: string | null, type: string, message = 'No.') => ({
  error: { message, type, param: null, code },
});
const anthropicError = (type: string, message = 'No.', details?: unknown) => ({
  type: 'error',
  error: { type, message, details },
  request_id: 'req_1',
});
const googleError = (code: number, status: string, details: unknown[] = [], message = 'No.') => ({
  error: { code, message, status, details },
});
const quotaFailure = (...violations: unknown[]) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations,
});
const retryInfo = (retryDelay: string) => ({
  '@type': 'type.googleapis.com/google.rpc.RetryInfo',
  retryDelay,
});

describe('too fast for the account', () => {
  test.each<[string, keyof typeof URLS, number, Seen, Verdict]>([
    [
      'OpenAI',
      'openai',
      429,
      {
        headers: { 'retry-after': '2', 'retry-after-ms': '1240', 'x-should-retry': 'true' },
        body: openaiError('rate_limit_exceeded', 'requests'),
      },
      rate(1240),
    ],
    [
      'OpenAI, slow down',
      'openai',
      429,
      { body: openaiError('slow_down', 'rate_limit_error') },
      rate(),
    ],
    [
      'OpenAI, by the message alone',
      'openai',
      429,
      {
        body: openaiError(
          'rate_limit_exceeded',
          'tokens',
          'Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Used 28675, Requested 16144. Please try again in 29.638s.',
        ),
      },
      rate(29_638),
    ],
    [
      'Anthropic',
      'anthropic',
      429,
      { headers: { 'retry-after': '17' }, body: anthropicError('rate_limit_error') },
      rate(17_000),
    ],
    [
      'Anthropic without retry-after',
      'anthropic',
      429,
      { body: anthropicError('rate_limit_error') },
      rate(),
    ],
    [
      'Gemini (as recorded)',
      'gemini',
      429,
      {
        body: googleError(429, 'RESOURCE_EXHAUSTED', [
          quotaFailure({ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier' }),
          retryInfo('34.4s'),
        ]),
      },
      rate(34_400),
    ],
    [
      'Gemini, by the message alone',
      'gemini',
      429,
      {
        body: googleError(
          429,
          'RESOURCE_EXHAUSTED',
          [],
          'You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generate_content_free_tier_requests, limit: 20, model: gemini-4-flash\nPlease retry in 36.429760048s.',
        ),
      },
      rate(36_429.760048),
    ],
    [
      'Gemini in OpenAI’s format, wrapped in an array',
      'geminiCompatible',
      429,
      { body: [googleError(429, 'RESOURCE_EXHAUSTED', [retryInfo('46s')])] },
      rate(46_000),
    ],
    [
      'Vertex (as recorded)',
      'vertex',
      429,
      { body: googleError(429, 'RESOURCE_EXHAUSTED') },
      rate(),
    ],
    [
      'Bedrock, by its header',
      'bedrock',
      429,
      {
        headers: { 'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/coral/' },
        body: { message: 'Too many tokens, please wait before trying again.' },
      },
      rate(),
    ],
    [
      'Bedrock, whatever the status',
      'invoke',
      400,
      { body: { __type: 'com.amazon.coral#ThrottlingException', message: 'Too many requests' } },
      rate(),
    ],
    [
      'Mistral',
      'mistral',
      429,
      {
        headers: { 'x-ratelimit-limit-req-minute': '4' },
        body: {
          object: 'error',
          message: 'Rate limit exceeded',
          type: 'rate_limited',
          param: null,
          code: '1300',
        },
      },
      rate(),
    ],
    ['NVIDIA', 'nvidia', 429, { body: { status: 429, title: 'Too Many Requests' } }, rate()],
    ['DeepSeek', 'deepseek', 429, { body: openaiError(null, 'rate_limit_error') }, rate()],
    [
      'Azure',
      'azure',
      429,
      { body: { error: { code: '429', message: 'Please retry after 12 seconds.' } } },
      rate(12_000),
    ],
    [
      'Moonshot',
      'moonshot',
      429,
      {
        body: {
          error: {
            type: 'rate_limit_reached_error',
            message: 'Your account reached max request, please try again after 1 seconds',
          },
        },
      },
      rate(1000),
    ],
    [
      'OpenRouter',
      'openrouter',
      429,
      { body: { error: { code: 429, message: 'Rate limit exceeded: free-models-per-min.' } } },
      rate(),
    ],
    [
      'z.ai',
      'zai',
      429,
      { body: { error: { code: '1302', message: 'High concurrency' } } },
      rate(),
    ],
    ['a body that is no JSON', 'openai', 429, { body: '<html>Too Many Requests</html>' }, rate()],
    ['a body whose reading broke off', 'openai', 429, { end: 'failed' }, rate()],
    ['a body that the host did not read', 'openai', 429, { end: 'cancelled' }, rate()],
  ])('%s', (_name, who, status, seen, wanted) => {
    expect(verdict(who, status, seen)).toEqual(wanted);
  });
});

describe('overload', () => {
  test.each<[string, keyof typeof URLS, number, Seen, Verdict]>([
    ['Anthropic', 'anthropic', 529, { body: anthropicError('overloaded_error') }, overload()],
    [
      'Anthropic, by name',
      'anthropic',
      500,
      { body: anthropicError('overloaded_error') },
      overload(),
    ],
    [
      'OpenAI',
      'openai',
      503,
      {
        headers: { 'retry-after': '30' },
        body: openaiError('server_is_overloaded', 'service_unavailable_error'),
      },
      overload(30_000),
    ],
    [
      'OpenAI’s flex tier',
      'responses',
      429,
      { body: openaiError('resource_unavailable', 'invalid_request_error') },
      overload(),
    ],
    ['Gemini', 'gemini', 503, { body: googleError(503, 'UNAVAILABLE') }, overload()],
    [
      'Bedrock',
      'bedrock',
      429,
      { headers: { 'x-amzn-errortype': 'ModelNotReadyException' }, body: { message: 'No.' } },
      overload(),
    ],
    [
      'Groq’s flex tier',
      'groq',
      498,
      { body: openaiError('capacity_exceeded', 'flex') },
      overload(),
    ],
    [
      'Mistral',
      'mistral',
      429,
      {
        body: {
          object: 'error',
          message: 'Service tier capacity exceeded for this model.',
          type: 'service_tier_capacity_exceeded',
          param: null,
          code: '3505',
        },
      },
      overload(),
    ],
    [
      'Moonshot',
      'moonshot',
      429,
      { body: { error: { type: 'engine_overloaded_error', message: 'No.' } } },
      overload(),
    ],
    ['z.ai', 'zai', 429, { body: { error: { code: '1312', message: 'No.' } } }, overload()],
    ['any, without a body', 'nvidia', 503, {}, overload()],
  ])('%s', (_name, who, status, seen, wanted) => {
    expect(verdict(who, status, seen)).toEqual(wanted);
  });
});

describe('used up', () => {
  test.each<[string, keyof typeof URLS, number, Seen]>([
    [
      'OpenAI’s old code',
      'openai',
      429,
      { body: openaiError('insufficient_quota', 'insufficient_quota') },
    ],
    ...[
      'credit_balance_exhausted',
      'organization_spend_limit_exceeded',
      'project_spend_limit_exceeded',
      'organization_usage_limit_exceeded',
    ].map((code): [string, 'openai', number, Seen] => [
      `OpenAI, ${code}`,
      'openai',
      429,
      { body: openaiError(code, 'insufficient_quota') },
    ]),
    [
      'OpenAI in spite of what it says of trying again',
      'openai',
      429,
      {
        headers: { 'x-should-retry': 'true' },
        body: openaiError('insufficient_quota', 'insufficient_quota'),
      },
    ],
    [
      'OpenAI in mid-stream',
      'responses',
      200,
      {
        body: 'event: response.failed\ndata: {"type":"response.failed","response":{"error":{"code":"insufficient_quota","message":"No."}}}\n\n',
      },
    ],
    [
      'a proxy that passes OpenAI’s code on',
      'proxy',
      429,
      { body: openaiError('insufficient_quota', 'insufficient_quota') },
    ],
    [
      'Anthropic’s tier',
      'anthropic',
      429,
      {
        body: anthropicError('rate_limit_error', 'You have reached your API usage limits: …', {
          error_code: 'enforced_spend_limit_reached',
        }),
      },
    ],
    [
      'Anthropic’s contract',
      'anthropic',
      429,
      {
        body: anthropicError('rate_limit_error', 'No.', {
          error_code: 'contract_spend_limit_reached',
        }),
      },
    ],
    [
      'Anthropic’s limit of one’s own',
      'anthropic',
      400,
      {
        body: anthropicError(
          'invalid_request_error',
          'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
        ),
      },
    ],
    ['Anthropic, not paid', 'anthropic', 402, { body: anthropicError('billing_error') }],
    [
      'DeepSeek, no balance',
      'deepseek',
      402,
      { body: openaiError('invalid_request_error', 'unknown_error') },
    ],
    [
      'OpenRouter, no credits',
      'openrouter',
      402,
      { body: { error: { code: 402, message: 'No.' } } },
    ],
    [
      'OpenRouter, the day’s free calls',
      'openrouter',
      429,
      {
        body: {
          error: { code: 429, message: 'Rate limit exceeded: free-models-per-day. Add 10 credits' },
        },
      },
    ],
    [
      'OpenRouter, by its metadata',
      'openrouter',
      429,
      {
        body: {
          error: {
            code: 429,
            message: 'No.',
            metadata: { limit_source: 'openrouter_free_tier_daily' },
          },
        },
      },
    ],
    [
      'Gemini, a quota of 0',
      'gemini',
      429,
      {
        body: googleError(429, 'RESOURCE_EXHAUSTED', [
          quotaFailure({
            quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier',
            quotaValue: '0',
          }),
          retryInfo('25s'),
        ]),
      },
    ],
    [
      'Gemini, a quota of 0 in the message',
      'gemini',
      429,
      {
        body: googleError(
          429,
          'RESOURCE_EXHAUSTED',
          [retryInfo('25s')],
          'You exceeded your current quota, please check.\n* Quota exceeded for metric: x/free_tier_requests, limit: 0, model: gemini-4-pro\nPlease retry in 25.4s.',
        ),
      },
    ],
    [
      'Gemini, the day’s',
      'gemini',
      429,
      {
        body: googleError(429, 'RESOURCE_EXHAUSTED', [
          quotaFailure({
            quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier',
            quotaValue: '20',
          }),
          retryInfo('36s'),
        ]),
      },
    ],
    [
      'Mistral, a limit of 0',
      'mistral',
      429,
      {
        headers: { 'x-ratelimit-limit-req-minute': '0' },
        body: {
          object: 'error',
          message: 'Rate limit exceeded',
          type: 'rate_limited',
          code: '1300',
        },
      },
    ],
    [
      'Moonshot',
      'moonshot',
      429,
      { body: { error: { type: 'exceeded_current_quota_error', message: 'No.' } } },
    ],
    [
      'Bedrock, the day’s',
      'bedrock',
      429,
      {
        headers: { 'x-amzn-errortype': 'ThrottlingException' },
        body: { message: 'Too many tokens per day, please wait before trying again.' },
      },
    ],
    [
      'Cohere, the month’s',
      'cohere',
      429,
      {
        body: {
          id: 'x',
          message:
            'You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade.',
        },
      },
    ],
    [
      'Ollama, the week’s',
      'ollama',
      429,
      {
        body: {
          error: 'you (somebody) have reached your weekly usage limit, upgrade for higher limits',
        },
      },
    ],
    [
      'Ollama, the hour’s',
      'ollama',
      429,
      {
        body: {
          error: "you've reached your hourly usage limit, please wait or upgrade to continue",
        },
      },
    ],
    [
      'xAI',
      'xai',
      403,
      {
        body: {
          code: 'personal-team-blocked:spending-limit',
          error: 'You have run out of credits.',
        },
      },
    ],
    [
      'xAI, by the message',
      'xai',
      429,
      {
        body: {
          code: 'The caller does not have permission',
          error:
            'Your team 16f2151a has either used all available credits or reached its monthly spending limit.',
        },
      },
    ],
    ['z.ai', 'zai', 429, { body: { error: { code: '1113', message: 'No.' } } }],
    [
      'Groq, the day’s, which takes ten minutes',
      'groq',
      429,
      {
        body: openaiError(
          'rate_limit_exceeded',
          'tokens',
          'Rate limit reached for model `llama` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.',
        ),
      },
    ],
    [
      'any that says hours',
      'nvidia',
      429,
      { headers: { 'retry-after': '7200' }, body: { status: 429, title: 'Too Many Requests' } },
    ],
  ])('%s', (_name, who, status, seen) => {
    expect(verdict(who, status, seen)).toEqual(spent);
  });

  test('what a user writes is not taken for it', () => {
    const quoted =
      'Invalid value: "You have reached your specified API usage limits". Rate limit exceeded: free-models-per-day';
    expect(
      verdict('anthropic', 400, { body: anthropicError('invalid_request_error', quoted) }),
    ).toEqual(ok);
    expect(verdict('openrouter', 429, { body: { error: { code: 429, message: quoted } } })).toEqual(
      rate(),
    );
  });
});

describe('none of our rate’s business', () => {
  test.each([400, 401, 403, 404, 405, 410, 413, 415, 422, 451])('%i', (status) => {
    expect(verdict('openai', status, { headers: { 'retry-after': '1' } })).toEqual(ok);
  });

  test('a conflict is worth another try, and no load', () => {
    expect(verdict('openai', 409)).toEqual({ kind: 'ok', isRetryable: true });
    expect(verdict('openai', 409, { headers: { 'x-should-retry': 'false' } })).toEqual(ok);
  });

  test.each([408, 500, 502, 504, 520, 524])('%i is a failure', (status) => {
    expect(verdict('openai', status)).toEqual(failure);
  });

  test('what the server cannot do at all is none (as recorded of llama.cpp)', () => {
    const body = { error: { code: 501, message: 'No reranking.', type: 'not_supported_error' } };
    expect(verdict('proxy', 501, { body })).toEqual(ok);
  });
});

describe('what the provider says of trying again', () => {
  test.each<[number, string, Verdict]>([
    [429, 'false', { ...rate(), isRetryable: false }],
    [529, 'false', { ...overload(), isRetryable: false }],
    [500, 'false', { ...failure, isRetryable: false }],
    [400, 'true', { kind: 'ok', isRetryable: true }],
    [400, 'maybe', ok],
    [500, 'true', failure],
  ])('%i with x-should-retry: %s', (status, said, wanted) => {
    expect(verdict('anthropic', status, { headers: { 'x-should-retry': said } })).toEqual(wanted);
  });
});

describe('retry-after', () => {
  test.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '2.5' }, 2500],
    ['milliseconds go first', { 'retry-after': '2', 'retry-after-ms': '1234.5' }, 1234.5],
    [
      'a date counts from the answer’s own',
      { 'retry-after': 'Wed, 20 May 2026 10:00:30 GMT', date: 'Wed, 20 May 2026 10:00:00 GMT' },
      30_000,
    ],
    ['two minutes are the most', { 'retry-after': '120' }, 120_000],
    ['nonsense says nothing', { 'retry-after': 'soon' }, undefined],
    ['negative says nothing', { 'retry-after': '-5' }, undefined],
  ])('%s', (_name, headers, wanted) => {
    expect(verdict('anthropic', 429, { headers })).toEqual(rate(wanted));
  });

  test('a header goes before the body', () => {
    const body = googleError(429, 'RESOURCE_EXHAUSTED', [retryInfo('46s')]);
    expect(verdict('gemini', 429, { headers: { 'retry-after': '3' }, body })).toEqual(rate(3000));
  });

  test('says nothing with an answer, where some send it too', () => {
    const body = { type: 'message', usage: { input_tokens: 1, output_tokens: 1 } };
    expect(verdict('anthropic', 200, { headers: { 'retry-after': '17' }, body })).toEqual(ok);
  });

  test('overload for longer than anybody waits is not waited for', () => {
    expect(verdict('openai', 503, { headers: { 'retry-after': '3600' } })).toEqual({
      kind: 'overload',
      retryAfterMs: undefined,
      isRetryable: false,
    });
  });
});

describe('answers', () => {
  const whole = 'data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
  const half = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n';

  test.each<[string, string, AttemptEnd, Verdict]>([
    ['whole', whole, 'complete', ok],
    ['left behind its end mark', whole, 'cancelled', ok],
    ['left in the middle', half, 'cancelled', aborted],
    ['aborted in the middle', half, 'aborted', aborted],
    ['stalled', half, 'stalled', { kind: 'failure', isRetryable: true }],
    ['broken off', half, 'failed', { kind: 'failure', isRetryable: true }],
  ])('%s', (_name, body, end, wanted) => {
    expect(verdict('openai', 200, { body, end })).toEqual(wanted);
  });

  test.each<[string, keyof typeof URLS, string, Verdict]>([
    [
      'overload',
      'anthropic',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"No."}}\n\n',
      overload(),
    ],
    [
      'overload of OpenAI',
      'responses',
      'event: error\ndata: {"type":"error","error":{"type":"service_unavailable_error","code":"server_is_overloaded","message":"No."},"sequence_number":2}\n\n',
      overload(),
    ],
    [
      'the rate',
      'openai',
      'data: {"error":{"code":"rate_limit_exceeded","type":"tokens","message":"Please try again in 2s."}}\n\n',
      rate(2000),
    ],
    [
      'a fault',
      'openrouter',
      'data: {"error":{"code":502,"message":"No."},"choices":[{"finish_reason":"error"}]}\n\n',
      failure,
    ],
    [
      'a mistake of the caller (as recorded)',
      'openrouter',
      '{"error":{"code":400,"message":"Token limit reached"}}',
      ok,
    ],
  ])('an error inside: %s', (_name, who, body, wanted) => {
    expect(verdict(who, 200, { body })).toEqual(wanted);
  });
});

describe('no answer', () => {
  const network = (code?: string): TypeError =>
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), code && { code }) });

  test.each([
    undefined,
    'ECONNRESET',
    'ECONNREFUSED',
    'ENOTFOUND',
    'UND_ERR_SOCKET',
    'UND_ERR_HEADERS_TIMEOUT',
  ])('%s is worth another try', (code) => {
    expect(verdict('openai', undefined, { end: 'failed', error: network(code) })).toEqual({
      kind: 'failure',
      isRetryable: true,
    });
  });

  test.each([
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UND_ERR_INVALID_ARG',
    'ERR_INVALID_URL',
  ])('%s is not', (code) => {
    expect(verdict('openai', undefined, { end: 'failed', error: network(code) })).toEqual({
      kind: 'failure',
      isRetryable: false,
    });
  });

  test('a host that gave up says nothing', () => {
    expect(verdict('openai', undefined, { end: 'aborted', error: new Error('x') })).toEqual(
      aborted,
    );
    expect(verdict('openai', undefined, { end: 'cancelled' })).toEqual(aborted);
  });
});

test('an adapter that throws costs what it would have told', () => {
  const faulty = (): never => {
    throw new Error('A fault.');
  };
  const endpoint: Endpoint = {
    ...matchUrl(URLS.openai)!,
    limits: { outputCharge: 'none', countsCacheReads: true, isSpent: faulty, isOverload: faulty },
  };
  const body = openaiError('insufficient_quota', 'insufficient_quota');
  expect(verdict('openai', 429, { endpoint, body })).toEqual(rate());
});

test.each([Number.NaN, -1, Infinity])(
  'a wire that says to come again in %d ms says nothing',
  (ms) => {
    const endpoint = matchUrl(URLS.openai)!;
    const facts = { error: {}, retryAfterMs: ms };
    const attempt = {
      status: 503,
      facts,
      header: undefined,
      end: 'complete',
      error: undefined,
    } as const;
    const { retryAfterMs } = verdictOf({ ...attempt, asked: { endpoint } }, NOW);
    expect(retryAfterMs).toBeUndefined();
  },
);

/** By status alone: among the recordings no other refusal is one of its provider's load or quota. */
const BY_STATUS: Readonly<Record<number, Verdict['kind']>> = { 429: 'rate', 500: 'failure' };

describe.each(recordingFolders)('recordings: $name', ({ folder }) => {
  test.skipIf(folder === undefined)('every answer', () => {
    const odd: string[] = [];
    let refusals = 0;
    for (const recording of recordingsIn(folder!)) {
      const endpoint = matchUrl(urlOf(recording)) ?? { provider: 'unknown', api: 'other' };
      const { status, headers, body, body_encoding: encoding = 'utf8' } = recording.response;
      const header = (name: string): string | undefined => headers[name.toLowerCase()];
      const tap =
        endpoint.wire === undefined
          ? undefined
          : createAnswerTap({
              wire: endpoint.wire,
              contentType: header('content-type'),
              headers: header,
            });
      if (body !== null) tap?.push(Buffer.from(body, encoding));
      const facts = tap?.facts() ?? {};
      const asked = { endpoint };
      const seen = verdictOf(
        { status, facts, header, end: 'complete', error: undefined, asked },
        NOW,
      );
      if (status >= 400) refusals++;
      const wanted = status < 400 ? 'ok' : (BY_STATUS[status] ?? 'ok');
      if (seen.kind !== wanted || seen.isRetryable !== (wanted !== 'ok')) {
        odd.push(`${recording.id}: ${status} is ${JSON.stringify(seen)}`);
      }
    }
    expect(odd).toEqual([]);
    expect(refusals).toBeGreaterThan(10);
  });
});
