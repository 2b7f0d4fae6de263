import type { Call } from '../call.ts';
import type { Demand } from '../limits/types.ts';
import { BACKSLASH } from '../util/json-scan.ts';

/** What the next request of a call will take, as far as its body tells. */
export function demandOf(call: Call): Demand {
  const { cacheRequest, planned } = call;
  const attempt = call.attempts.length + 1;
  return {
    priority: call.context.priority,
    arrivedAt: call.startedAt,
    attempt,
    attemptsLeft: call.attemptsLeft,
    inputTokens: cacheRequest === undefined ? bytesOf(call) / 4 : cacheRequest.estimated,
    cachedTokens: planned?.draft.expectedRead ?? 0,
    maxOutputTokens: maxOutputTokensOf(call),
  };
}

/** Characters stand for bytes: limits learn how far off the estimate is. */
function bytesOf({ body }: Call): number {
  if (typeof body === 'string') return body.length;
  return body instanceof Uint8Array ? body.byteLength : 0;
}

/**
 * The members that bound an answer: OpenAI's old, new and Responses names, which are Anthropic's too; Gemini's; Bedrock
 * Converse's. And how many answers were asked for.
 */
const BOUND = /"max(?:_tokens|_completion_tokens|_output_tokens|OutputTokens|Tokens)"\s*:\s*(\d+)/y;
const CHOICES = /"n"\s*:\s*(\d+)/y;

/** An estimate: reading the body member by member to be sure would take longer than all of the waiting. */
function maxOutputTokensOf({ json, endpoint }: Call): number | undefined {
  if (endpoint.api === 'embeddings') return 0;
  if (json === undefined) return undefined;
  const most = numberAt(json.text, '"max', BOUND);
  return most === undefined
    ? undefined
    : most * Math.max(1, numberAt(json.text, '"n"', CHOICES) ?? 1);
}

/** The number behind the first such key; what stands in a string is escaped, and so none. */
function numberAt(text: string, start: string, member: RegExp): number | undefined {
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1)) {
    member.lastIndex = at;
    const found = text.charCodeAt(at - 1) === BACKSLASH ? null : member.exec(text);
    if (found !== null) return Number(found[1]) || undefined;
  }
  return undefined;
}
