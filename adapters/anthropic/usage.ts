import type { TokenUsage } from '../../src/types.ts';
import { asArray, asObject, isObject } from '../shared/json-value.ts';
import { sumCounts, tokenUsage } from '../shared/token-usage.ts';

/**
 * Usage of the Messages format. `input_tokens` counts neither reads nor writes of the prompt cache;
 * `cache_creation` splits the writes by lifetime (prompt-caching guide, 2026-08).
 */
export function messagesUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const split = asObject(usage['cache_creation']);
  return tokenUsage(raw, {
    uncached: usage['input_tokens'],
    cacheRead: usage['cache_read_input_tokens'],
    cacheWrite: usage['cache_creation_input_tokens'] ?? sumCounts(...Object.values(split)),
    cacheWrite1h: split['ephemeral_1h_input_tokens'],
    output: usage['output_tokens'],
    reasoning: asObject(usage['output_tokens_details'])['thinking_tokens'],
    contradiction: leavesOutIterations(usage),
  });
}

/**
 * The top level leaves out what compaction, an advisor model or a refused first try used; those are billed too, partly
 * at another model's price, so the top level alone is not the whole (recorded 2026: 682 of 61,067 input tokens).
 */
function leavesOutIterations(usage: Readonly<Record<string, unknown>>): boolean {
  const iterations = asArray(usage['iterations']).filter(isObject);
  return iterations.length > 1 && iterations.some((iteration) => iteration['type'] !== 'message');
}
