import type { Account, Attempt, Call } from '../../call.ts';
import type { UsageRecord } from '../../types.ts';
import { parseTraceparent } from '../../util/traceparent.ts';
import type { Ending } from './outcome.ts';

/** One record, from a call and the attempt that it stands for (none when nothing was sent). */
export function usageRecord(
  id: string,
  call: Call,
  attempt: Attempt | undefined,
  ending: Ending,
  account: Account,
  final: boolean,
  now: number,
  captured?: UsageRecord['captured'],
): UsageRecord {
  const { facts } = attempt ?? {};
  const asked = attempt?.asked ?? call;
  const from = final ? call.startedAt : (attempt?.startedAt ?? call.startedAt);
  return {
    schemaVersion: 1,
    id,
    callId: call.id,
    attempt: attempt?.number ?? 0,
    final,
    startedAt: new Date(call.startedEpochMs + (from - call.startedAt)).toISOString(),
    provider: asked.endpoint.provider,
    api: asked.endpoint.api,
    requestModel: asked.model,
    responseModel: facts?.model,
    stream: asked.stream,
    outcome: ending.outcome,
    status: attempt?.status,
    errorCode: ending.errorCode,
    providerRequestId: attempt?.requestId ?? facts?.requestId,
    usage: account.usage,
    cost: account.cost,
    saved: account.saved,
    timing: {
      queuedMs: rounded(
        call.queuedMs + (call.queuedSince === undefined ? 0 : now - call.queuedSince),
      ),
      heldMs: call.heldSince === undefined ? rounded(call.heldMs) : rounded(now - call.heldSince),
      timeToHeadersMs: since(from, attempt?.headersAt),
      timeToFirstChunkMs: since(from, attempt?.firstChunkAt),
      durationMs: since(from, attempt?.endedAt ?? now) ?? 0,
    },
    dedupe: dedupeOf(attempt),
    cache: account.cache,
    context: contextOf(call),
    trace: traceOf(call),
    captured,
  };
}

function dedupeOf(attempt: Attempt | undefined): UsageRecord['dedupe'] {
  const share = attempt?.share;
  return share === undefined ? undefined : { role: share.role, leaderId: share.leaderId };
}

/** A copy: records are handed out, and one context stands for many calls. */
function contextOf({ context }: Call): UsageRecord['context'] {
  const { tenant, user, priority, session, tags } = context;
  return { tenant, user, priority, session, tags: tags && { ...tags } };
}

/** Of the span that the request names. A context's own has become its header. */
function traceOf({ headers }: Call): UsageRecord['trace'] {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length === TRACEPARENT.length && name.toLowerCase() === TRACEPARENT) {
      return parseTraceparent(headers[i + 1]!);
    }
  }
  return undefined;
}

const TRACEPARENT = 'traceparent';

/**
 * Milliseconds with a precision of a microsecond: more is noise in a record. What was there before the call, in an answer that it
 * shares with an earlier one, was there at once.
 */
function since(from: number, to: number | undefined): number | undefined {
  return to === undefined ? undefined : rounded(Math.max(0, to - from));
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
