import type { TokenUsage } from '../../src/types.ts';
import { chatUsage } from '../openai/usage.ts';
import { asArray, asObject } from '../shared/json-value.ts';
import { sumCounts, tokenCount, tokenUsage } from '../shared/token-usage.ts';

/**
 * Usage of generateContent. The prompt holds the cached tokens; tool-use prompts stand beside it, thoughts
 * beside the candidates, and both are billed (API reference, 2026-10).
 */
export function generateContentUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const prompt = usage['promptTokenCount'];
  const thoughts = usage['thoughtsTokenCount'];
  const hasCounts =
    sumCounts(prompt, usage['candidatesTokenCount'], thoughts, usage['totalTokenCount']) !==
    undefined;
  // Protocol buffers leave out zeros in JSON: nothing written has no candidatesTokenCount.
  const absent = hasCounts ? 0 : undefined;
  const input = sumCounts(prompt, usage['toolUsePromptTokenCount']) ?? absent;
  const output = sumCounts(usage['candidatesTokenCount'], thoughts) ?? absent;
  return tokenUsage(raw, {
    input,
    cacheRead: usage['cachedContentTokenCount'],
    output,
    reasoning: thoughts,
    // A prompt of nothing is not to be believed.
    contradiction: input === 0 || contradicts(usage['totalTokenCount'], input, output),
  });
}

/** Usage of the Interactions API: the same arithmetic under other names. */
export function interactionsUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const thoughts = usage['total_thought_tokens'];
  const input = sumCounts(usage['total_input_tokens'], usage['total_tool_use_tokens']);
  const output = sumCounts(usage['total_output_tokens'], thoughts);
  return tokenUsage(raw, {
    input,
    cacheRead: usage['total_cached_tokens'],
    output,
    reasoning: thoughts,
    contradiction: contradicts(usage['total_tokens'], input, output),
  });
}

/** Usage of the OpenAI-compatible path, where thinking only shows in the total (recorded 2026). */
export function compatibleUsage(raw: unknown): TokenUsage {
  return chatUsage(raw, { hiddenOutput: true });
}

/** Vertex `predict` counts each text of a request by itself; the Gemini API counts nothing or the prompt. */
export function embedUsage(raw: unknown): TokenUsage {
  const usage = asObject(raw);
  const input =
    tokenCount(usage['promptTokenCount']) ??
    sumCounts(
      ...asArray(usage['predictions']).map(
        (prediction) =>
          asObject(asObject(asObject(prediction)['embeddings'])['statistics'])['token_count'],
      ),
    );
  return tokenUsage(raw, { input, output: input === undefined ? undefined : 0 });
}

function contradicts(
  reportedTotal: unknown,
  input: number | undefined,
  output: number | undefined,
): boolean {
  const total = tokenCount(reportedTotal);
  return total !== undefined && total !== (input ?? 0) + (output ?? 0);
}
