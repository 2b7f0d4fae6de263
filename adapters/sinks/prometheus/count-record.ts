import type { UsageRecord } from '../../../src/types.ts';
import { picoDollars } from '../../../src/util/usd.ts';
import type { Labels } from './labels.ts';
import type { RecordMetrics } from './record-metrics.ts';

/** The labels of one record. */
interface Place {
  readonly provider: string;
  readonly api: string;
  readonly model: string;
  readonly outcome: string;
  readonly priority: string;
}

/** Calls are counted by their final record; what was used, cost and failed by every record. */
export function countRecord(metrics: RecordMetrics, labels: Labels, record: UsageRecord): void {
  const place = {
    provider: labels.provider(record.provider, record.api),
    api: labels.value('api', record.api),
    model: labels.model(record.requestModel, record.responseModel),
    outcome: labels.value('outcome', record.outcome),
    priority: labels.value('priority', record.context.priority),
  };
  if (record.final) {
    countCall(metrics, place, record);
    countDedupe(metrics, place, record);
  }
  countRequests(metrics, place, record);
  countTokens(metrics, place, record);
  countCache(metrics, place, record, labels);
  countMoney(metrics, place, record);
}

function countCall(metrics: RecordMetrics, place: Place, { timing, stream }: UsageRecord): void {
  const { provider, api, model, outcome, priority } = place;
  metrics.requests.add([provider, api, model, priority, outcome], 1n);
  metrics.duration.observe([provider, api, model, outcome], timing.durationMs);
  metrics.queueWait.observe([provider, priority], timing.queuedMs);
  if (stream) metrics.timeToFirstChunk.observe([provider, model], timing.timeToFirstChunkMs);
}

function countRequests(
  metrics: RecordMetrics,
  { provider, api, model, outcome }: Place,
  record: UsageRecord,
): void {
  // An attempt of 0 stands for none: a shared answer, or a call that was not sent.
  if (!(record.attempt >= 1)) return;
  if (record.final) {
    metrics.upstreamRequests.add([provider, api, outcome], 1n);
    // Those before it: only some have records of their own.
    if (record.attempt > 1)
      metrics.upstreamRequests.add([provider, api, 'retried'], record.attempt - 1);
  }
  if (!NO_FAULT.has(record.outcome))
    metrics.providerErrors.add([provider, api, model, outcome], 1n);
}

/** Of the provider: the caller left, or the router refused. */
const NO_FAULT: ReadonlySet<string> = new Set(['ok', 'aborted', 'rejected']);

function countTokens(
  { tokens, reasoningTokens: reasoning }: RecordMetrics,
  { provider, api, model }: Place,
  { usage: { inputTokens, outputTokens } }: UsageRecord,
): void {
  const { total, cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0 } = inputTokens;
  const cached = cacheRead + cacheWrite + cacheWrite1h;
  const byType = {
    // Where the parts are not known all of it counts as uncached, so that the types add up to the total.
    uncached: inputTokens.uncached ?? (total && Math.max(0, total - cached)),
    cache_read: inputTokens.cacheRead,
    cache_write: inputTokens.cacheWrite,
    cache_write_1h: inputTokens.cacheWrite1h,
    output: outputTokens.total,
  };
  for (const [type, count] of Object.entries(byType)) {
    if (count !== undefined) tokens.add([provider, api, model, type], count);
  }
  if (outputTokens.reasoning !== undefined)
    reasoning.add([provider, api, model], outputTokens.reasoning);
}

function countCache(
  metrics: RecordMetrics,
  { provider, api, model }: Place,
  { cache, usage }: UsageRecord,
  labels: Labels,
): void {
  const { cacheRead } = usage.inputTokens;
  const reason = labels.value('reason', cache?.miss?.reason ?? 'nothing-to-read');
  if (cacheRead !== undefined) {
    const isHit = cacheRead > 0;
    // Each beside the other, so that a rate can be taken from the first one on.
    metrics.cacheHits.add([provider, api, model], isHit ? 1n : 0n);
    metrics.cacheMisses.add([provider, api, model, reason], isHit ? 0n : 1n);
  }
  const { lostTokens } = cache?.miss ?? {};
  if (lostTokens !== undefined) metrics.cacheLostTokens.add([provider, model, reason], lostTokens);
}

function countMoney(
  metrics: RecordMetrics,
  { provider, api, model }: Place,
  { cost, saved, usage }: UsageRecord,
): void {
  const usd = picoDollars(cost.usd);
  if (usd !== undefined) metrics.cost.add([provider, api, model], usd);
  else if (usage.grade !== 'none') metrics.unpriced.add([provider, api, model], 1n);
  const byCache = picoDollars(saved.cacheUsd) ?? 0n;
  if (byCache > 0n) metrics.saved.add([provider, 'cache'], byCache);
  else if (byCache < 0n) metrics.cacheLoss.add([provider], -byCache);
  const byDedupe = picoDollars(saved.dedupeUsd) ?? 0n;
  if (byDedupe > 0n) metrics.saved.add([provider, 'dedupe'], byDedupe);
}

function countDedupe(
  { dedupeHits: hits, dedupeTimeouts: timeouts }: RecordMetrics,
  { provider }: Place,
  { dedupe, outcome, errorCode }: UsageRecord,
): void {
  if (dedupe === undefined) return;
  // There from the first call that others may join, so that a rate sees the first that fails.
  timeouts.add([provider], 0n);
  if (dedupe.role === 'leader') return;
  hits.add([provider, dedupe.role], 1n);
  const isLate = outcome === 'timeout' || outcome === 'stalled' || LATE.has(errorCode);
  if (isLate) timeouts.add([provider], 1n);
}

const LATE: ReadonlySet<string | undefined> = new Set(['ERR_DEADLINE', 'ERR_SLOW_READER']);
