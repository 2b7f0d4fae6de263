import type { Outcome } from '../../src/types.ts';

/** Google's canonical error codes (google.rpc.Code) as they mean for a caller; Gemini API error guide, 2026-10. */
export const geminiErrorOutcomes: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ['UNAVAILABLE', 'overloaded'],
  ['RESOURCE_EXHAUSTED', 'rate_limited'],
  ['INVALID_ARGUMENT', 'client_error'],
  ['FAILED_PRECONDITION', 'client_error'],
  ['OUT_OF_RANGE', 'client_error'],
  ['UNAUTHENTICATED', 'client_error'],
  ['PERMISSION_DENIED', 'client_error'],
  ['NOT_FOUND', 'client_error'],
  ['ABORTED', 'server_error'],
  ['DEADLINE_EXCEEDED', 'server_error'],
  ['INTERNAL', 'server_error'],
  ['UNKNOWN', 'server_error'],
  ['invalid_request', 'client_error'], // Interactions
]);
