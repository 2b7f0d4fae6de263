import type { TokenUsage } from '../../src/types.ts';
import { asObject } from '../shared/json-value.ts';
import { firstCount, sumCounts, tokenCount, tokenUsage } from '../shared/token-usage.ts';

/** Where providers of the chat format leave OpenAI's arithmetic in ways their totals do not show. */
export interface ChatUsageRules {
  /** Reasoning larger than the completion stands beside it, although the total leaves it out. */
  readonly reasoningBeside?: boolean;
  /** What the total has beyond prompt and completion is hidden thinking, billed as output. */
  readonly hiddenOutput?: boolean;
}

/**
 * Usage of chat completions and legacy completions. Prompt tokens hold the cached and written ones, completion
 * tokens hold the reasoning; a provider that counts otherwise is known by its total (recordings of 2024 to
 * 2026-11): xAI leaves reasoning out of the completion, Mistral leaves audio out of the prompt.
 */
export function chatUsage(raw: unknown, rules: ChatUsageRules = {}): TokenUsage {
  const usage = asObject(raw);
  const promptDetails = asObject(
    usage['prompt_tokens_details'] ?? usage['prompt_token_details'], // the singular: Writer, Mistral
  );
  const completionDetails = asObject(usage['completion_tokens_details']);
  const prompt = usage['prompt_tokens'];
  const completion = usage['completion_tokens'];
  const reasoning = completionDetails['reasoning_tokens'] ?? usage['reasoning_tokens']; // the latter: Copilot
  const reading = readTotal(
    tokenCount(usage['total_tokens']),
    tokenCount(prompt),
    tokenCount(completion),
    tokenCount(promptDetails['audio_tokens']) ?? 0,
    tokenCount(reasoning) ?? 0,
    rules,
  );
  return tokenUsage(raw, {
    input: reading.input ?? prompt,
    cacheRead:
      promptDetails['cached_tokens'] ??
      usage['prompt_cache_hit_tokens'] ?? // DeepSeek
      usage['num_cached_tokens'] ?? // Mistral
      usage['cached_tokens'] ?? // Moonshot, Together
      usage['cache_read_input_tokens'], // Databricks, Venice
    cacheWrite: promptDetails['cache_write_tokens'] ?? usage['cache_creation_input_tokens'],
    output: reading.output ?? completion,
    reasoning,
    contradiction: reading.contradiction,
  });
}

interface Reading {
  input?: number | undefined;
  output?: number | undefined;
  contradiction: boolean;
}

/** Which reading of the counts makes the reported total come true. */
function readTotal(
  total: number | undefined,
  prompt: number | undefined,
  completion: number | undefined,
  audio: number,
  reasoning: number,
  rules: ChatUsageRules,
): Reading {
  if (prompt === undefined || completion === undefined) return { contradiction: false };
  if (rules.reasoningBeside === true && reasoning > completion) {
    return { output: completion + reasoning, contradiction: false };
  }
  const rest = total === undefined ? 0 : total - prompt - completion;
  if (rest === 0) return { contradiction: false };
  if (rest === reasoning) return { output: completion + reasoning, contradiction: false };
  if (rest === audio) return { input: prompt + audio, contradiction: false };
  if (rest > 0 && rules.hiddenOutput === true) {
    return { output: completion + rest, contradiction: false };
  }
  return { contradiction: true };
}

/** Usage of the Responses format: input holds the cached and written tokens, output the reasoning. */
export function responsesUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const inputDetails = asObject(usage['input_tokens_details']);
  const input = tokenCount(usage['input_tokens']);
  const output = tokenCount(usage['output_tokens']);
  const total = tokenCount(usage['total_tokens']);
  return tokenUsage(raw, {
    input: usage['input_tokens'],
    cacheRead: inputDetails['cached_tokens'],
    cacheWrite: inputDetails['cache_write_tokens'],
    output: usage['output_tokens'],
    reasoning: asObject(usage['output_tokens_details'])['reasoning_tokens'],
    contradiction:
      input !== undefined &&
      output !== undefined &&
      total !== undefined &&
      total !== sumCounts(input, output),
  });
}

/** Usage of embeddings: nothing is written. Some providers (Voyage) report only a total. */
export function embeddingsUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const input = firstCount(usage['prompt_tokens'], usage['total_tokens']);
  return tokenUsage(raw, { input, output: input === undefined ? undefined : 0 });
}
