import type { AnswerFacts, Outcome } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { errorNamed, errorOf, hasText } from '../shared/error-body.ts';

/** Exception names of the Bedrock runtime (API reference, 2026-08), as in `x-amzn-errortype` and in streams. */
export const bedrockErrorOutcomes: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ['ThrottlingException', 'rate_limited'],
  ['ServiceQuotaExceededException', 'rate_limited'],
  ['ServiceUnavailableException', 'overloaded'],
  ['ModelNotReadyException', 'overloaded'],
  ['ValidationException', 'client_error'],
  ['AccessDeniedException', 'client_error'],
  ['ResourceNotFoundException', 'client_error'],
  ['ModelErrorException', 'server_error'],
  ['ModelStreamErrorException', 'server_error'],
  ['ModelTimeoutException', 'server_error'],
  ['InternalServerException', 'server_error'],
]);

/**
 * An exception by its name. Headers say `ThrottlingException:http://…`, bodies `com.amazon…#ThrottlingException`,
 * streams `throttlingException`: one spelling for all.
 */
export function exceptionNamed(name: string): NonNullable<AnswerFacts['error']> {
  const bare = name.replace(/^.*#/, '').replace(/:.*$/, '');
  return errorNamed(bare.charAt(0).toUpperCase() + bare.slice(1));
}

/** Bedrock's bodies are just `{message}`, often with no type at all. */
export function bedrockErrorOf(json: JsonView): AnswerFacts['error'] {
  const type = json.string('__type');
  if (type !== undefined) return exceptionNamed(type);
  const isMessageAlone = hasText(json, 'message') || hasText(json, 'Message');
  return errorOf(json) ?? (isMessageAlone ? errorNamed(undefined) : undefined);
}
