import type { TokenUsage } from '../../src/types.ts';
import { asObject } from '../shared/json-value.ts';
import { tokenUsage } from '../shared/token-usage.ts';

/**
 * Usage of Ollama's own API. `prompt_eval_count` is missing when the whole prompt came from the cache of the
 * running model; then the input is unknown, not 0.
 */
export function ollamaUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  return tokenUsage(raw, { input: usage['prompt_eval_count'], output: usage['eval_count'] });
}

/** Usage of embeddings: nothing is written. */
export function ollamaEmbedUsage(raw: unknown): TokenUsage {
  const input = asObject(raw)['prompt_eval_count'];
  return tokenUsage(raw, { input, output: input === undefined ? undefined : 0 });
}
