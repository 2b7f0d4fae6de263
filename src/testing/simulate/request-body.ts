import type { JsonObject } from './reply.ts';

/** The JSON object that a body is; `undefined` when it is none. */
export function parseObject(bytes: Uint8Array | null): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? undefined),
    );
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The model that a body names. */
export function modelIn(body: JsonObject | undefined): string | undefined {
  const model = body?.['model'];
  return typeof model === 'string' ? model : undefined;
}

/** What a body allows its answer to have: each format has a name of its own for it. `undefined` when it does not say. */
export function maxOutputTokens(body: JsonObject): number | undefined {
  const config = body['generationConfig'];
  const given =
    body['max_completion_tokens'] ??
    body['max_output_tokens'] ??
    body['max_tokens'] ??
    (isObject(config) ? config['maxOutputTokens'] : undefined);
  return typeof given === 'number' && given >= 0 ? given : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
