import type { Outcome } from '../../src/types.ts';

/** Anthropic's error types (errors page of the API documentation, 2026-08). */
export const anthropicErrorOutcomes: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ['overloaded_error', 'overloaded'],
  ['rate_limit_error', 'rate_limited'],
  ['invalid_request_error', 'client_error'],
  ['authentication_error', 'client_error'],
  ['billing_error', 'client_error'],
  ['permission_error', 'client_error'],
  ['not_found_error', 'client_error'],
  ['request_too_large', 'client_error'],
  ['timeout_error', 'server_error'],
  ['api_error', 'server_error'],
]);
