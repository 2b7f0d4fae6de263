import { bodyMember } from '../body-member.ts';
import type { Call } from '../call.ts';
import type { Demand } from '../limits/types.ts';
import { JsonView } from '../util/json-view.ts';

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

/** Members that bound an answer: OpenAI's old and new names and that of its Responses, which are Anthropic's too. */
const BOUNDS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;
/** The same one level down: Gemini's, which may be written either way, and Bedrock Converse's. */
const CONFIGS = ['generationConfig', 'generation_config', 'inferenceConfig'] as const;
const CONFIG_BOUNDS = ['maxOutputTokens', 'max_output_tokens', 'maxTokens'] as const;

function maxOutputTokensOf(call: Call): number | undefined {
  if (call.endpoint.api === 'embeddings') return 0;
  if (call.json === undefined) return undefined;
  const most = boundOf(call);
  // How many answers were asked for.
  return most === undefined ? undefined : most * (count(bodyMember(call, 'n')) ?? 1);
}

function boundOf(call: Call): number | undefined {
  const most = firstCount(BOUNDS, (name) => bodyMember(call, name));
  if (most !== undefined) return most;
  for (const name of CONFIGS) {
    const config = bodyMember(call, name);
    if (config === undefined) continue;
    const json = new JsonView(config);
    return firstCount(CONFIG_BOUNDS, (bound) => json.raw(bound));
  }
  return undefined;
}

function firstCount(
  names: readonly string[],
  read: (name: string) => string | undefined,
): number | undefined {
  for (const name of names) {
    const number = count(read(name));
    if (number !== undefined) return number;
  }
  return undefined;
}

/** A number of at least 1. */
function count(source: string | undefined): number | undefined {
  const number = source === undefined ? 0 : Math.floor(Number(source));
  return number >= 1 ? number : undefined;
}
