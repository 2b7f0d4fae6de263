import type { TokenUsage } from '../../src/types.ts';
import { asObject } from '../shared/json-value.ts';
import { tokenUsage } from '../shared/token-usage.ts';

/**
 * Usage of Cohere's chat: `tokens` is what the model read and wrote, `billed_units` leaves out the chat template; the
 * cached tokens are part of the input (API reference, 2026).
 */
export function cohereUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const billed = asObject(usage['billed_units']);
  const tokens = asObject(usage['tokens'] ?? billed);
  return tokenUsage(raw, {
    input: tokens['input_tokens'],
    cacheRead: usage['cached_tokens'],
    output: tokens['output_tokens'],
    reasoning: tokens['reasoning_tokens'],
  });
}

/** Usage of embeddings: nothing is written. */
export function cohereEmbedUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const input = asObject(usage['tokens'] ?? usage['billed_units'])['input_tokens'];
  return tokenUsage(raw, { input, output: input === undefined ? undefined : 0 });
}
