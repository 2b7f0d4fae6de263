import type { Outcome } from '../../src/types.ts';

/**
 * OpenAI's error codes and types, shared by most providers of its formats. Sources: the error-code guide and
 * recorded answers, 2026-11; the overload names from issue threads of 2025 and 2026.
 */
export const openaiErrorOutcomes: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ['server_is_overloaded', 'overloaded'],
  ['service_unavailable_error', 'overloaded'],
  ['service_unavailable', 'overloaded'],
  ['engine_overloaded', 'overloaded'],
  ['engine_overloaded_error', 'overloaded'], // Moonshot
  ['overloaded_error', 'overloaded'],
  ['slow_down', 'rate_limited'],
  ['rate_limit_exceeded', 'rate_limited'],
  ['rate_limit_error', 'rate_limited'],
  ['rate_limit_reached_error', 'rate_limited'], // Moonshot
  ['too_many_requests', 'rate_limited'],
  ['rate_limited', 'rate_limited'], // Mistral
  ['1300', 'rate_limited'], // Mistral
  ['insufficient_quota', 'rate_limited'],
  ['invalid_request_error', 'client_error'],
  ['authentication_error', 'client_error'],
  ['permission_error', 'client_error'],
  ['not_found_error', 'client_error'],
  ['invalid_prompt', 'client_error'],
  ['context_length_exceeded', 'client_error'],
  ['content_filter', 'client_error'],
  ['tool_use_failed', 'client_error'], // Groq
  ['server_error', 'server_error'],
]);
