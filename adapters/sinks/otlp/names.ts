/**
 * Every name that goes out, in one place. None of those of `gen_ai.` is stable, so each generation can be chosen.
 *
 * `latest`: open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md and gen-ai-token-metrics.md, as of 2026-11-20.
 * `v1.41`: open-telemetry/semantic-conventions v1.41.0, docs/gen-ai, the last release before they moved. What changed in between:
 * docs/gen-ai/non-normative/migration.md of the new repository.
 */
export type Generation = 'latest' | 'v1.41';

/** The scope of all that this sink gives, so that a backend can tell it from other instrumentation of the same calls. */
export const SCOPE = 'tokenrouter';

/** Stable: open-telemetry/semantic-conventions v1.44.0. */
export const ERROR_TYPE = 'error.type';
export const HTTP_STATUS = 'http.response.status_code';
/** Logs with the same one are duplicates that may be removed (semantic-conventions v1.44.0, docs/general/logs.md). */
export const LOG_UID = 'log.record.uid';

export const GEN_AI = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  /** Only when true. */
  stream: 'gen_ai.request.stream',
  conversation: 'gen_ai.conversation.id',
  /** Seconds; only of streams. */
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  /** Cached tokens included. */
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheRead: 'gen_ai.usage.cache_read.input_tokens',
  reasoning: 'gen_ai.usage.reasoning.output_tokens',
} as const;

/** Renamed between the generations (semantic-conventions-genai PR 440). */
export const CACHE_WRITE: Readonly<Record<Generation, string>> = {
  latest: 'gen_ai.usage.cache_write.input_tokens',
  'v1.41': 'gen_ai.usage.cache_creation.input_tokens',
};

/** Proposed only (semantic-conventions-genai PR 443, open on 2026-08-09); not in v1.41. The exact amount is in `tokenrouter.cost.usd`. */
export const COST = {
  amount: 'gen_ai.usage.cost.amount',
  currency: 'gen_ai.usage.cost.currency',
  source: 'gen_ai.usage.cost.source',
} as const;

/** Only on metrics: `modality` on the counters of `latest`, `type` on the histogram of v1.41. */
export const TOKEN_MODALITY = 'gen_ai.token.modality';
export const TOKEN_TYPE = 'gen_ai.token.type';

export const EVENTS = {
  /** A final record: one per call. */
  operation: 'gen_ai.client.inference.operation.details',
  /** A record of an earlier attempt that may have cost something. No convention has a name for it. */
  attempt: 'tokenrouter.attempt',
} as const;

/** Our own, because no convention has them. What each means: docs/records.md. */
export const OWN = {
  recordId: 'tokenrouter.record.id',
  callId: 'tokenrouter.call.id',
  attempt: 'tokenrouter.attempt',
  final: 'tokenrouter.final',
  api: 'tokenrouter.api',
  outcome: 'tokenrouter.outcome',
  errorCode: 'tokenrouter.error.code',
  requestId: 'tokenrouter.provider_request.id',
  route: 'tokenrouter.route',
  target: 'tokenrouter.target',
  grade: 'tokenrouter.usage.grade',
  uncached: 'tokenrouter.usage.uncached.input_tokens',
  cacheWrite1h: 'tokenrouter.usage.cache_write_1h.input_tokens',
  costUsd: 'tokenrouter.cost.usd',
  inputUsd: 'tokenrouter.cost.input_usd',
  cacheReadUsd: 'tokenrouter.cost.cache_read_usd',
  cacheWriteUsd: 'tokenrouter.cost.cache_write_usd',
  outputUsd: 'tokenrouter.cost.output_usd',
  price: 'tokenrouter.cost.price',
  priceDate: 'tokenrouter.cost.price_date',
  savedCacheUsd: 'tokenrouter.saved.cache_usd',
  savedDedupeUsd: 'tokenrouter.saved.dedupe_usd',
  queuedMs: 'tokenrouter.timing.queued_ms',
  heldMs: 'tokenrouter.timing.held_ms',
  timeToHeadersMs: 'tokenrouter.timing.time_to_headers_ms',
  durationMs: 'tokenrouter.timing.duration_ms',
  dedupeRole: 'tokenrouter.dedupe.role',
  dedupeLeader: 'tokenrouter.dedupe.leader_id',
  cachePrefix: 'tokenrouter.cache.prefix',
  cacheMarks: 'tokenrouter.cache.marks',
  cacheExpected: 'tokenrouter.cache.expected_read_tokens',
  missReason: 'tokenrouter.cache.miss.reason',
  missTokens: 'tokenrouter.cache.miss.lost_tokens',
  missUsd: 'tokenrouter.cache.miss.lost_usd',
  tenant: 'tokenrouter.tenant',
  user: 'tokenrouter.user',
  priority: 'tokenrouter.priority',
  /** Only with `captureContent`. Not `gen_ai.input.messages`: that has a schema, and this is the text as it was sent. */
  requestText: 'tokenrouter.request.content',
  answerText: 'tokenrouter.response.content',
  /** Only on spans of attempts: under their usual names backends would add them to those of the call. */
  attemptInputTokens: 'tokenrouter.attempt.input_tokens',
  attemptOutputTokens: 'tokenrouter.attempt.output_tokens',
  attemptCostUsd: 'tokenrouter.attempt.cost_usd',
  /** Only on the span of a call: how many of its attempts have no known cost. */
  unpricedAttempts: 'tokenrouter.cost.unpriced_attempts',
} as const;

/** The tag's own name follows. */
export const TAG_PREFIX = 'tokenrouter.tag.';

const SECONDS: readonly number[] = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

const TOKENS: readonly number[] = Array.from({ length: 14 }, (_, exponent) => 4 ** exponent);

export interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'histogram';
  readonly unit: string;
  readonly description: string;
  readonly isInt?: true;
  readonly boundaries?: readonly number[];
}

function seconds(name: string, description: string): Metric {
  return { name, kind: 'histogram', unit: 's', description, boundaries: SECONDS };
}

function tokens(name: string, description: string): Metric {
  const unit = '{token}';
  return { name, kind: 'histogram', unit, description, isInt: true, boundaries: TOKENS };
}

function tokenCounter(name: string, description: string): Metric {
  return { name, kind: 'counter', unit: '{token}', description, isInt: true };
}

export type MetricName =
  | 'duration'
  | 'timeToFirstChunk'
  | 'inputTokens'
  | 'outputTokens'
  | 'cacheRead'
  | 'cacheWrite'
  | 'reasoning'
  | 'operationInput'
  | 'operationOutput'
  | 'otherDuration'
  | 'oldTimeToFirstChunk'
  | 'oldTokens'
  | 'cost';

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  /** `latest`, of inference. */
  duration: seconds('gen_ai.client.inference.duration', 'Duration of a call to a model.'),
  timeToFirstChunk: seconds(
    'gen_ai.client.inference.time_to_first_chunk',
    'Time until the first chunk of a streamed answer.',
  ),
  inputTokens: tokenCounter(
    'gen_ai.client.inference.usage.input_tokens',
    'Input tokens, cached ones included.',
  ),
  outputTokens: tokenCounter(
    'gen_ai.client.inference.usage.output_tokens',
    'Output tokens, reasoning included.',
  ),
  cacheRead: tokenCounter(
    'gen_ai.client.inference.usage.cache_read.input_tokens',
    'Input tokens read from the prompt cache.',
  ),
  cacheWrite: tokenCounter(
    'gen_ai.client.inference.usage.cache_write.input_tokens',
    'Input tokens written to the prompt cache.',
  ),
  reasoning: tokenCounter(
    'gen_ai.client.inference.usage.reasoning.output_tokens',
    'Output tokens spent on reasoning.',
  ),
  operationInput: tokens(
    'gen_ai.client.inference.operation.input_tokens',
    'Input tokens of one call.',
  ),
  operationOutput: tokens(
    'gen_ai.client.inference.operation.output_tokens',
    'Output tokens of one call.',
  ),
  /** v1.41: of every operation. `latest`: of those that are no inference (embeddings, other). */
  otherDuration: seconds('gen_ai.client.operation.duration', 'Duration of a GenAI operation.'),
  /** v1.41. */
  oldTimeToFirstChunk: seconds(
    'gen_ai.client.operation.time_to_first_chunk',
    'Time until the first chunk of a streamed answer.',
  ),
  oldTokens: tokens('gen_ai.client.token.usage', 'Input and output tokens of one operation.'),
  /** Our own in both: no convention has it yet. */
  cost: {
    name: 'tokenrouter.cost',
    kind: 'counter',
    unit: '{USD}',
    description: 'What calls cost, in US dollars. Calls whose price is not known are left out.',
  },
};
