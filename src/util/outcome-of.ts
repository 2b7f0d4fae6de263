import type { AnswerFacts, Outcome } from '../types.ts';

/**
 * How an answered attempt ended, from its status and the error in its body. `errorOutcomes` are the provider's own
 * names (`Wire.errorOutcomes`): "overloaded" and "rate limited" by name outweigh the status, since providers
 * send them with 200 (in mid-stream), 400, 500 and 503 alike; other names only count where the status says
 * nothing.
 */
export function outcomeOf(
  status: number,
  error?: AnswerFacts['error'],
  errorOutcomes?: ReadonlyMap<string, Outcome>,
): Outcome {
  const named = errorOutcomes?.get?.(error?.code ?? '') ?? errorOutcomes?.get?.(error?.type ?? '');
  if (named === 'overloaded' || named === 'rate_limited') return named;
  if (status >= 400) return outcomeOfStatus(status);
  if (error === undefined) return 'ok';
  if (named !== undefined) return named;
  const code = Number(error.code);
  return code >= 400 && code < 600 ? outcomeOfStatus(code) : 'server_error';
}

function outcomeOfStatus(status: number): Outcome {
  if (status === 429) return 'rate_limited';
  if (status === 503 || status === 529) return 'overloaded';
  if (status === 408) return 'timeout';
  return status < 500 ? 'client_error' : 'server_error';
}
