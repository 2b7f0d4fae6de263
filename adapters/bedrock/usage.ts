import type { TokenUsage } from '../../src/types.ts';
import { messagesUsage } from '../anthropic/usage.ts';
import { chatUsage } from '../openai/usage.ts';
import { asArray, asObject } from '../shared/json-value.ts';
import { firstCount, sumCounts, tokenCount, tokenUsage } from '../shared/token-usage.ts';

/**
 * Usage of Converse, and of Nova models everywhere: input without cached tokens (API reference, 2026-08). The
 * names ending in `Count` are older ones for the same numbers.
 */
export function converseUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const details = asArray(usage['cacheDetails']).map(asObject);
  const parts = {
    uncached: usage['inputTokens'],
    cacheRead: usage['cacheReadInputTokens'] ?? usage['cacheReadInputTokenCount'],
    cacheWrite: usage['cacheWriteInputTokens'] ?? usage['cacheWriteInputTokenCount'],
    output: usage['outputTokens'],
  };
  const oneHour = details.filter((detail) => detail['ttl'] === '1h');
  const total = tokenCount(usage['totalTokens']);
  const sum = sumCounts(parts.uncached, parts.cacheRead, parts.cacheWrite, parts.output);
  return tokenUsage(raw, {
    ...parts,
    cacheWrite1h: sumCounts(...oneHour.map((detail) => detail['inputTokens'])),
    contradiction: total !== undefined && sum !== undefined && total !== sum,
  });
}

/**
 * Usage of InvokeModel, whose bodies are the model's own. What the body says goes before Bedrock's own metrics and
 * headers, which have no names for every kind of token.
 */
export function invokeUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  if ('input_tokens' in usage || 'output_tokens' in usage) return messagesUsage(raw);
  if ('inputTokens' in usage || 'outputTokens' in usage) return converseUsage(raw);
  if ('prompt_tokens' in usage) return chatUsage(raw);
  return tokenUsage(raw, {
    uncached: firstCount(
      usage['inputTextTokenCount'], // Titan
      usage['prompt_token_count'], // Llama
      usage['inputTokenCount'],
    ),
    cacheRead: usage['cacheReadInputTokenCount'],
    cacheWrite: usage['cacheWriteInputTokenCount'],
    output: firstCount(
      usage['totalOutputTextTokenCount'],
      usage['generation_token_count'],
      usage['outputTokenCount'],
    ),
  });
}
