import type { Api, UsageRecord } from '../../../src/types.ts';
import {
  CACHE_WRITE,
  COST,
  ERROR_TYPE,
  GEN_AI,
  HTTP_STATUS,
  LOG_UID,
  OWN,
  TAG_PREFIX,
} from './names.ts';
import type { Generation } from './names.ts';
import type { Attributes } from './open-telemetry.ts';
import { totalsOf, type Operation } from './operations.ts';

/** Longer text is cut, so that one record cannot make a request too large for its receiver. In UTF-16 units. */
const MAX_TEXT = 4_096;
/** Of the text of a request or an answer. */
const MAX_CONTENT = 65_536;
const MAX_TAGS = 64;
const MAX_TAG_NAME = 128;

export interface AttributeOptions {
  readonly generations: readonly Generation[];
  readonly captureContent: boolean;
}

type Kind = 'text' | 'int' | 'double' | 'flag' | 'content';
type Row = readonly [key: string, kind: Kind, read: (record: UsageRecord) => unknown];

/** What a record says, the same on logs and on the span of a call. */
const ROWS: readonly Row[] = [
  [GEN_AI.operation, 'text', (r) => operationOf(r.api)],
  [GEN_AI.provider, 'text', (r) => r.provider],
  [GEN_AI.requestModel, 'text', (r) => r.requestModel],
  [GEN_AI.responseModel, 'text', (r) => r.responseModel],
  [GEN_AI.stream, 'flag', (r) => (r.stream ? true : undefined)],
  [GEN_AI.conversation, 'text', (r) => r.context.session],
  [GEN_AI.timeToFirstChunk, 'double', firstChunkSeconds],
  [GEN_AI.inputTokens, 'int', (r) => r.usage.inputTokens.total],
  [GEN_AI.outputTokens, 'int', (r) => r.usage.outputTokens.total],
  [GEN_AI.cacheRead, 'int', (r) => r.usage.inputTokens.cacheRead],
  [GEN_AI.reasoning, 'int', (r) => r.usage.outputTokens.reasoning],
  [ERROR_TYPE, 'text', errorTypeOf],
  [HTTP_STATUS, 'int', (r) => r.status],
  [OWN.recordId, 'text', (r) => r.id],
  [OWN.callId, 'text', (r) => r.callId],
  [OWN.attempt, 'int', (r) => r.attempt],
  [OWN.final, 'flag', (r) => r.final],
  [OWN.api, 'text', (r) => r.api],
  [OWN.outcome, 'text', (r) => r.outcome],
  [OWN.errorCode, 'text', (r) => r.errorCode],
  [OWN.requestId, 'text', (r) => r.providerRequestId],
  [OWN.route, 'text', (r) => r.route],
  [OWN.target, 'text', (r) => r.target],
  [OWN.grade, 'text', (r) => r.usage.grade],
  [OWN.uncached, 'int', (r) => r.usage.inputTokens.uncached],
  [OWN.cacheWrite1h, 'int', (r) => r.usage.inputTokens.cacheWrite1h],
  [OWN.costUsd, 'text', (r) => r.cost.usd],
  [OWN.inputUsd, 'text', (r) => r.cost.inputUsd],
  [OWN.cacheReadUsd, 'text', (r) => r.cost.cacheReadUsd],
  [OWN.cacheWriteUsd, 'text', (r) => r.cost.cacheWriteUsd],
  [OWN.outputUsd, 'text', (r) => r.cost.outputUsd],
  [OWN.price, 'text', (r) => r.cost.price],
  [OWN.priceDate, 'text', (r) => r.cost.priceDate],
  [OWN.savedCacheUsd, 'text', (r) => r.saved.cacheUsd],
  [OWN.savedDedupeUsd, 'text', (r) => r.saved.dedupeUsd],
  [OWN.queuedMs, 'double', (r) => r.timing.queuedMs],
  [OWN.heldMs, 'double', (r) => r.timing.heldMs],
  [OWN.timeToHeadersMs, 'double', (r) => r.timing.timeToHeadersMs],
  [OWN.durationMs, 'double', (r) => r.timing.durationMs],
  [OWN.dedupeRole, 'text', (r) => r.dedupe?.role],
  [OWN.dedupeLeader, 'text', (r) => r.dedupe?.leaderId],
  [OWN.cachePrefix, 'text', (r) => r.cache?.prefix],
  [OWN.cacheMarks, 'int', (r) => r.cache?.marks],
  [OWN.cacheExpected, 'int', (r) => r.cache?.expectedRead],
  [OWN.missReason, 'text', (r) => r.cache?.miss?.reason],
  [OWN.missTokens, 'int', (r) => r.cache?.miss?.lostTokens],
  [OWN.missUsd, 'text', (r) => r.cache?.miss?.lostUsd],
  [OWN.tenant, 'text', (r) => r.context.tenant],
  [OWN.user, 'text', (r) => r.context.user],
  [OWN.priority, 'text', (r) => r.context.priority],
];

const COST_ROWS: readonly Row[] = [
  [COST.amount, 'double', costOf],
  [COST.currency, 'text', (r) => (costOf(r) === undefined ? undefined : 'USD')],
  [COST.source, 'text', (r) => (costOf(r) === undefined ? undefined : 'local')],
];

const CONTENT_ROWS: readonly Row[] = [
  [OWN.requestText, 'content', (r) => r.captured?.request],
  [OWN.answerText, 'content', (r) => r.captured?.answer],
];

/** Of a span of one attempt. Nothing in it is added to what the call's own span says. */
const ATTEMPT_ROWS: readonly Row[] = [
  [GEN_AI.provider, 'text', (r) => r.provider],
  [GEN_AI.requestModel, 'text', (r) => r.requestModel],
  [GEN_AI.responseModel, 'text', (r) => r.responseModel],
  [ERROR_TYPE, 'text', errorTypeOf],
  [HTTP_STATUS, 'int', (r) => r.status],
  [OWN.recordId, 'text', (r) => r.id],
  [OWN.callId, 'text', (r) => r.callId],
  [OWN.attempt, 'int', (r) => r.attempt],
  [OWN.final, 'flag', (r) => r.final],
  [OWN.outcome, 'text', (r) => r.outcome],
  [OWN.requestId, 'text', (r) => r.providerRequestId],
  [OWN.attemptInputTokens, 'int', (r) => r.usage.inputTokens.total],
  [OWN.attemptOutputTokens, 'int', (r) => r.usage.outputTokens.total],
  [OWN.attemptCostUsd, 'text', (r) => r.cost.usd],
];

/** Always doubles, also when whole: one key must not come in two types. */
export const DOUBLES: ReadonlySet<string> = new Set(
  [...ROWS, ...COST_ROWS].filter(([, kind]) => kind === 'double').map(([key]) => key),
);

function recordAttributes(record: UsageRecord, options: AttributeOptions): Attributes {
  const attributes: Attributes = {};
  fill(attributes, ROWS, record);
  for (const generation of options.generations) {
    put(attributes, CACHE_WRITE[generation], 'int', cacheWriteOf(record));
    if (generation === 'latest') fill(attributes, COST_ROWS, record);
  }
  if (options.captureContent) fill(attributes, CONTENT_ROWS, record);
  const tags = Object.entries(record.context.tags ?? {}).slice(0, MAX_TAGS);
  for (const [name, value] of tags) {
    const key = TAG_PREFIX + cleaned(name, MAX_TAG_NAME);
    if (!Object.hasOwn(attributes, key)) put(attributes, key, 'text', value);
  }
  return attributes;
}

/** Of a log: the same, and what tells that it came twice. */
export function logAttributes(record: UsageRecord, options: AttributeOptions): Attributes {
  return { [LOG_UID]: record.id, ...recordAttributes(record, options) };
}

/** Of the span of a call: what all its attempts used and cost. */
export function operationAttributes(operation: Operation, options: AttributeOptions): Attributes {
  const { record, unpriced } = totalsOf(operation);
  const attributes = recordAttributes(record, options);
  if (unpriced > 0) attributes[OWN.unpricedAttempts] = unpriced;
  return attributes;
}

export function attemptAttributes(record: UsageRecord): Attributes {
  const attributes: Attributes = {};
  fill(attributes, ATTEMPT_ROWS, record);
  return attributes;
}

/** `{operation} {model}`, or the operation alone. */
export function spanName(record: UsageRecord, operation: string = operationOf(record.api)): string {
  const { requestModel } = record;
  return requestModel === undefined ? operation : `${operation} ${cleaned(requestModel, 256)}`;
}

/** `other` is a value of our own: formats whose operation the record does not know. */
export function operationOf(api: Api): string {
  return OPERATIONS[api] ?? 'other';
}

const OPERATIONS: Readonly<Partial<Record<Api, string>>> = {
  'chat.completions': 'chat',
  responses: 'chat',
  messages: 'chat',
  completions: 'text_completion',
  generateContent: 'generate_content',
  embeddings: 'embeddings',
};

/** The code where it is a short word, else the status, else the outcome: few values, and no text from outside. */
export function errorTypeOf(record: UsageRecord): string | undefined {
  const { outcome, errorCode, status } = record;
  if (outcome === 'ok') return undefined;
  if (errorCode !== undefined && /^[\w.-]{1,64}$/.test(errorCode)) return errorCode;
  return status !== undefined && status >= 400 ? String(status) : outcome;
}

/** `SeverityNumber` of the log data model: INFO is 9, WARN is 13. */
export function severityOf({ outcome }: UsageRecord): { number: number; text: string } {
  return outcome === 'ok' ? { number: 9, text: 'INFO' } : { number: 13, text: 'WARN' };
}

/** In dollars, as near as a double comes. */
export function costOf({ cost }: UsageRecord): number | undefined {
  return cost.usd === null ? undefined : Number(cost.usd);
}

/** Of every lifetime. */
export function cacheWriteOf({ usage: { inputTokens } }: UsageRecord): number | undefined {
  const { cacheWrite, cacheWrite1h } = inputTokens;
  if (cacheWrite === undefined && cacheWrite1h === undefined) return undefined;
  return (cacheWrite ?? 0) + (cacheWrite1h ?? 0);
}

export function firstChunkSeconds({ stream, timing }: UsageRecord): number | undefined {
  const { timeToFirstChunkMs } = timing;
  return stream && timeToFirstChunkMs !== undefined ? timeToFirstChunkMs / 1000 : undefined;
}

/**
 * Not longer than `max`, without NUL and without halves of surrogate pairs: protocol buffers hold UTF-8, and stores behind a receiver
 * end a text at NUL.
 */
export function cleaned(text: string, max: number): string {
  const short = text.length > max ? text.slice(0, max) : text;
  // Nearly every text is plain, and the second expression is slow.
  return /[\0\ud800-\udfff]/.test(short) ? short.replace(/[\0\p{Surrogate}]/gu, '\ufffd') : short;
}

function fill(attributes: Attributes, rows: readonly Row[], record: UsageRecord): void {
  for (const [key, kind, read] of rows) put(attributes, key, kind, read(record));
}

/** Unknown is absent. So is what is not of its kind: a record may come from outside. */
function put(attributes: Attributes, key: string, kind: Kind, value: unknown): void {
  if (typeof value === 'string') {
    if (kind === 'content') attributes[key] = cleaned(value, MAX_CONTENT);
    else if (kind === 'text') attributes[key] = cleaned(value, MAX_TEXT);
  } else if (typeof value === 'number') {
    if (Number.isFinite(value) && (kind === 'int' || kind === 'double')) attributes[key] = value;
  } else if (typeof value === 'boolean' && kind === 'flag') {
    attributes[key] = value;
  }
}
