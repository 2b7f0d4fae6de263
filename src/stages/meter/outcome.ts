import type { Attempt } from '../../call.ts';
import type { AnswerFacts, Outcome } from '../../types.ts';
import { errorCodeOf } from '../../util/error-code.ts';
import { outcomeOf } from '../../util/outcome-of.ts';

export interface Ending {
  readonly outcome: Outcome;
  readonly errorCode: string | undefined;
}

/** How an attempt ended, from what the transport saw and what the answer said. */
export function endingOf(attempt: Attempt): Ending {
  const { status, facts } = attempt;
  const errorCode = nameOf(facts.error);
  if (status === undefined) return unanswered(attempt);

  const answered = outcomeOf(status, facts.error, attempt.asked.endpoint.wire?.errorOutcomes);
  if (answered !== 'ok') return { outcome: answered, errorCode };
  // What is whole is whole, however the connection ended: SDKs cancel after the end marker.
  if (attempt.end === 'complete' ? !isCut(attempt) : facts.complete === true) {
    return { outcome: 'ok', errorCode };
  }
  switch (attempt.end) {
    case 'complete':
      return { outcome: 'truncated', errorCode: 'ERR_STREAM_TRUNCATED' };
    case 'stalled':
      return { outcome: 'stalled', errorCode: 'ERR_STREAM_STALLED' };
    case 'failed':
      return errorCodeOf(attempt.error) === 'UND_ERR_BODY_TIMEOUT'
        ? { outcome: 'stalled', errorCode: 'ERR_STREAM_STALLED' }
        : { outcome: 'network_error', errorCode: errorCodeOf(attempt.error) };
    case 'slow':
      return { outcome: 'aborted', errorCode: 'ERR_SLOW_READER' };
    case 'aborted':
    case 'cancelled':
    case undefined:
      return { outcome: 'aborted', errorCode };
  }
}

/** Google, llama.cpp and OpenRouter repeat the status as the code; their type says more. */
function nameOf(error: AnswerFacts['error']): string | undefined {
  const code = error?.code;
  return code === undefined || /^\d+$/.test(code) ? (error?.type ?? code) : code;
}

/** An answer that ended as HTTP says, but before its own end. Only a format that has an end can tell. */
function isCut({ tap, facts, status }: Attempt): boolean {
  if (tap === undefined || status === 204 || status === 205 || status === 304) return false;
  return tap.isStream ? facts.complete !== true : tap.isBroken;
}

function unanswered(attempt: Attempt): Ending {
  if (attempt.end === 'aborted' || attempt.end === 'cancelled') {
    return { outcome: 'aborted', errorCode: undefined };
  }
  const errorCode = errorCodeOf(attempt.error);
  const timeout =
    errorCode === 'UND_ERR_HEADERS_TIMEOUT' || errorCode === 'UND_ERR_CONNECT_TIMEOUT';
  return { outcome: timeout ? 'timeout' : 'network_error', errorCode };
}
