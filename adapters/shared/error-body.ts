import type { AnswerFacts } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { readErrorLimits } from './error-limits.ts';
import { asObject, isObject } from './json-value.ts';

type ProviderError = NonNullable<AnswerFacts['error']>;

/** Takes note of the error that a body or an event tells of, if it tells of one, and of what that says of limits. */
export function readError(json: JsonView, facts: AnswerFacts): void {
  const error = errorOf(json);
  if (error === undefined) return;
  facts.error = error;
  readErrorLimits(bodyOf(json) ?? json, facts);
}

/**
 * The error that a body or an event tells of, in any of the shapes in use; `undefined` when it tells of none.
 * Shapes seen in recordings up to 2026-11: `{error:{type,code}}` (OpenAI and most), `{error:{status,code}}`
 * (Google, also wrapped in an array), `{type:'error',error:{type,details:{error_code}}}` (Anthropic), `{code,error:'text'}` (xAI),
 * `{error:'text',error_type}` (Hugging Face), `{object:'error',type,code}` (Mistral, vLLM), `{code,message,type}` (Alibaba, Doubleword), `{status,title}`
 * (NVIDIA). Message texts are never taken: they may quote the prompt.
 */
export function errorOf(json: JsonView): ProviderError | undefined {
  const body = bodyOf(json);
  if (body === undefined) return undefined;
  const error = body.get('error');
  if (isObject(error)) {
    const code = error['code'] ?? asObject(error['details'])['error_code'];
    return named(error['type'] ?? error['status'], code);
  }
  if (typeof error === 'string') {
    return named(body.get('error_type') ?? body.get('type'), body.get('code'));
  }
  const isFlat = body.has('code') && hasText(body, 'message');
  if (isFlat || body.get('object') === 'error') return named(body.get('type'), body.get('code'));
  const status = body.get('status');
  if (typeof status === 'number' && status >= 400 && body.has('title')) {
    return named(body.get('title'), status);
  }
  return undefined;
}

/** The body itself, or the first of an array of them. */
function bodyOf(json: JsonView): JsonView | undefined {
  return json.isObject ? json : json.elements()[0];
}

/** An error of a type known from elsewhere (a header, an event's name). */
export function errorNamed(type: unknown, code?: unknown): ProviderError {
  return named(type, code);
}

/** Whether a member is a string, told without parsing what else it may be. */
export function hasText(json: JsonView, key: string): boolean {
  return json.raw(key)?.startsWith('"') === true;
}

function named(type: unknown, code: unknown): ProviderError {
  return { type: nameIn(type), code: nameIn(code) };
}

/** Types and codes are short names or numbers; anything else could be prose with user data in it. */
const NAME = /^[\w.:#/ -]{1,80}$/;

function nameIn(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && NAME.test(value) ? value : undefined;
}
