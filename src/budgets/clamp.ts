import type { Call } from '../call.ts';
import { isSigned } from '../http/is-signed.ts';
import type { Api } from '../types.ts';
import type { Edit } from '../util/edit.ts';
import { JsonView } from '../util/json-view.ts';
import { textOfUtf8 } from '../util/strict-utf8.ts';

/** Where a format bounds its answers: the member that holds it, if not the top, and the names it goes by, the usual one first. */
interface Bound {
  readonly within?: string | undefined;
  readonly names: readonly string[];
}

const BOUNDS: ReadonlyMap<Api, Bound> = new Map<Api, Bound>([
  ['chat.completions', { names: ['max_tokens', 'max_completion_tokens'] }],
  ['completions', { names: ['max_tokens'] }],
  ['responses', { names: ['max_output_tokens'] }],
  ['messages', { names: ['max_tokens'] }],
  ['generateContent', { within: 'generationConfig', names: ['maxOutputTokens'] }],
]);

/**
 * Whether the bound of a request's answer can be lowered: where it stands is known, the body is not signed, and no part of the
 * answer is promised to the model for thinking, which the bound must exceed (Anthropic, extended thinking, 2026-11-21).
 */
export function canClamp(call: Call): boolean {
  const { endpoint, json, body } = call;
  return (
    json?.end !== undefined &&
    BOUNDS.has(endpoint.api) &&
    (typeof body === 'string' || body instanceof Uint8Array) &&
    !json.has('thinking') &&
    !isSigned(call)
  );
}

/** Leaves an edit that bounds the answer of a call for which `canClamp` holds. */
export function clampOutput(call: Call, maxOutput: number): void {
  const { endpoint, edits, body } = call;
  const json = textView(call);
  const bound = BOUNDS.get(endpoint.api);
  if (json === undefined || bound === undefined) return;
  const choices = json.get('n');
  const each = Math.floor(maxOutput / (typeof choices === 'number' && choices > 1 ? choices : 1));
  const edit = editOf(json, bound, usualName(call, bound), String(each));
  if (edit === undefined) return;
  if (body instanceof Uint8Array) call.json = json;
  call.body = json.text;
  call.edits = [...edits, edit].sort((a, b) => a.at - b.at);
  call.changed = true;
}

/** Newer models of OpenAI's refuse the old name; other servers may not know the new one. */
function usualName({ endpoint }: Call, { names }: Bound): string {
  const isOpenAI = endpoint.provider === 'openai' || endpoint.provider === 'azure.ai.openai';
  return (isOpenAI ? names.at(-1) : names[0]) ?? '';
}

function editOf(json: JsonView, bound: Bound, usual: string, tokens: string): Edit | undefined {
  const { within, names } = bound;
  const outer = within === undefined ? undefined : json.span(within);
  if (within !== undefined && outer === undefined) {
    return insertion(json, `"${within}":{"${usual}":${tokens}}`, 0);
  }
  const offset = outer === undefined ? 0 : outer[0];
  const inner = outer === undefined ? json : new JsonView(json.text.slice(...outer));
  for (const name of names) {
    const span = inner.span(name);
    if (span === undefined) continue;
    return { at: offset + span[0], remove: span[1] - span[0], insert: tokens };
  }
  return insertion(inner, `"${usual}":${tokens}`, offset);
}

/** `undefined` where the text is not one whole object. */
function insertion(json: JsonView, member: string, offset: number): Edit | undefined {
  if (json.end === undefined) return undefined;
  const comma = json.keys.length === 0 ? '' : ',';
  return { at: offset + json.end, remove: 0, insert: comma + member };
}

/** Edits need text: a body of bytes is decoded. */
function textView({ json, body }: Call): JsonView | undefined {
  if (!(body instanceof Uint8Array)) return json;
  const text = textOfUtf8(body);
  return text === undefined ? undefined : new JsonView(text);
}
