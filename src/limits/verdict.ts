import type { Attempt } from '../call.ts';
import type { HeaderLookup, Outcome } from '../types.ts';
import { errorCodeOf } from '../util/error-code.ts';
import { outcomeOf } from '../util/outcome-of.ts';
import { readRetryAfter } from './read-limits.ts';
import type { Verdict, VerdictKind } from './types.ts';

/** What of an attempt tells what it says about load. It has ended. */
export type Ended = Pick<Attempt, 'status' | 'facts' | 'header' | 'end' | 'error'> & {
  readonly asked: Pick<Attempt['asked'], 'endpoint'>;
};

/**
 * What an answer, or its absence, says about load. Total: a fault in an adapter costs what the adapter would have told.
 *
 * A refusal counts by its status, whatever became of its body; an answer by the error that it holds, if it holds one, and else by
 * how it ended.
 */
export function verdictOf(attempt: Ended, wallNowMs: number): Verdict {
  const { status } = attempt;
  if (status === undefined) return unanswered(attempt);
  return status < 400 ? answered(attempt, status) : refused(attempt, status, wallNowMs);
}

const OK: Verdict = { kind: 'ok', isRetryable: false };
const ABORTED: Verdict = { kind: 'aborted', isRetryable: false };
const SPENT: Verdict = { kind: 'spent', isRetryable: false };
const FAILURE: Verdict = { kind: 'failure', isRetryable: true };

function unanswered({ end, error }: Ended): Verdict {
  if (end === 'complete') return OK;
  if (end !== 'failed' && end !== 'stalled') return ABORTED;
  return HOPELESS.has(errorCodeOf(error)) ? { ...FAILURE, isRetryable: false } : FAILURE;
}

/** Codes of Node 24 and undici 8 for what is wrong with the request or the server's certificate: asking again changes neither. */
const HOPELESS: ReadonlySet<string | undefined> = new Set([
  'UND_ERR_INVALID_ARG',
  'ERR_INVALID_URL',
  'ERR_INVALID_CHAR',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function answered(attempt: Ended, status: number): Verdict {
  const { facts, end, asked } = attempt;
  if (facts.error !== undefined && isSpent(attempt)) return SPENT;
  const kind = kindOf(outcomeOf(status, facts.error, asked.endpoint.wire?.errorOutcomes));
  if (kind !== 'ok') return { kind, retryAfterMs: bounded(facts.retryAfterMs), isRetryable: true };
  // SDKs cancel a stream behind its end mark: what is whole is whole.
  if (end === 'complete' || facts.complete === true) return OK;
  return end === 'stalled' || end === 'failed' ? FAILURE : ABORTED;
}

function refused(attempt: Ended, status: number, wallNowMs: number): Verdict {
  if (status === 402 || isSpent(attempt)) return SPENT;
  const { facts, header = NO_HEADER } = attempt;
  const kind = kindOfRefusal(attempt, status);
  const said = header('x-should-retry');
  if (kind === 'ok') {
    const mayHelp = said === 'true' || (status === 409 && said !== 'false');
    return mayHelp ? { kind, isRetryable: true } : OK;
  }
  const retryAfterMs = readRetryAfter(header, wallNowMs) ?? facts.retryAfterMs;
  const isSoon = !((retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS);
  // What takes longer to come back is no rate, but a quota of hours or days.
  if (kind === 'rate' && !isSoon) return SPENT;
  return { kind, retryAfterMs: bounded(retryAfterMs), isRetryable: isSoon && said !== 'false' };
}

function kindOfRefusal({ facts, asked }: Ended, status: number): VerdictKind {
  const { limits, wire } = asked.endpoint;
  const { error = {} } = facts;
  if (quietly(() => limits?.isOverload?.(error))) return 'overload';
  // Not implemented: no load, and no waiting mends it.
  return status === 501 ? 'ok' : kindOf(outcomeOf(status, facts.error, wire?.errorOutcomes));
}

function isSpent({ facts, header = NO_HEADER, asked }: Ended): boolean {
  const { error = {} } = facts;
  return (
    facts.hasNoQuota === true || quietly(() => asked.endpoint.limits?.isSpent?.(error, header))
  );
}

/** Limits by the minute, the slowest that a rate is about, are whole again by then, and nobody waits longer for a second answer. */
const MAX_RETRY_AFTER_MS = 120_000;

/** What a user's adapter says may be anything. */
function bounded(retryAfterMs = -1): number | undefined {
  return retryAfterMs >= 0 && retryAfterMs <= MAX_RETRY_AFTER_MS ? retryAfterMs : undefined;
}

function kindOf(outcome: Outcome): VerdictKind {
  switch (outcome) {
    case 'rate_limited':
      return 'rate';
    case 'overloaded':
      return 'overload';
    case 'server_error':
    case 'timeout':
      return 'failure';
    default:
      return 'ok';
  }
}

const NO_HEADER: HeaderLookup = () => undefined;

function quietly(ask: () => boolean | undefined): boolean {
  try {
    return ask() === true;
  } catch {
    return false;
  }
}
