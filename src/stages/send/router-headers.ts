import type { Attempt, Call } from '../../call.ts';

/** What the router adds to every answer: the call's id, and how many requests it took. */
export function routerHeaders(call: Call, attempt: Attempt): Record<string, string> {
  return {
    'x-tokenrouter-id': call.id,
    'x-tokenrouter-attempts': String(attempt.number),
  };
}
