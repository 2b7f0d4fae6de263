import fc from 'fast-check';
import { describe, test } from 'vitest';
import { messagesUsage } from '../../adapters/anthropic/usage.ts';
import { converseUsage, invokeUsage } from '../../adapters/bedrock/usage.ts';
import { cohereEmbedUsage, cohereUsage } from '../../adapters/cohere/usage.ts';
import {
  compatibleUsage,
  embedUsage,
  generateContentUsage,
  interactionsUsage,
} from '../../adapters/gemini/usage.ts';
import { ollamaEmbedUsage, ollamaUsage } from '../../adapters/ollama/usage.ts';
import { chatUsage, embeddingsUsage, responsesUsage } from '../../adapters/openai/usage.ts';
import { assertTokenUsage } from '../../src/testing/adapter-contract.ts';

/** What a counting member may be in the worst case, with plausible counts often enough to meet. */
const anyCount = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 1, arbitrary: fc.nat() },
  fc.constantFrom(-1, -0, 0.5, Number.NaN, Infinity, -Infinity, 1e300, Number.MAX_SAFE_INTEGER),
  fc.constantFrom(null, undefined, '12', '', true, [], {}, [1], { tokens: 1 }),
);

/** An object with any of the members, each any count, or an object or list of such counts. */
function usageOf(members: readonly string[]): fc.Arbitrary<unknown> {
  const objectOf = (member: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.record(Object.fromEntries(members.map((name) => [name, member])), { requiredKeys: [] });
  const details = objectOf(anyCount);
  const member = fc.oneof(
    { weight: 5, arbitrary: anyCount },
    details,
    fc.array(objectOf(fc.oneof(anyCount, details, fc.constant('1h'))), { maxLength: 2 }),
  );
  return fc.oneof({ weight: 9, arbitrary: objectOf(member) }, anyCount);
}

const chat = [
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
  'cached_tokens',
  'cache_write_tokens',
  'audio_tokens',
  'reasoning_tokens',
  'prompt_cache_hit_tokens',
];
const responses = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'input_tokens_details',
  'output_tokens_details',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
];
const messages = [
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation',
  'ephemeral_5m_input_tokens',
  'ephemeral_1h_input_tokens',
  'output_tokens_details',
  'thinking_tokens',
  'iterations',
];
const gemini = [
  'promptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'toolUsePromptTokenCount',
  'cachedContentTokenCount',
  'totalTokenCount',
  'predictions',
  'embeddings',
  'statistics',
  'token_count',
];
const interactions = [
  'total_input_tokens',
  'total_output_tokens',
  'total_thought_tokens',
  'total_tool_use_tokens',
  'total_cached_tokens',
  'total_tokens',
];
const converse = [
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadInputTokens',
  'cacheWriteInputTokenCount',
  'cacheDetails',
  'ttl',
];
const invoke = [
  'inputTextTokenCount',
  'totalOutputTextTokenCount',
  'prompt_token_count',
  'inputTokenCount',
  'outputTokenCount',
  'cacheReadInputTokenCount',
  'cacheWriteInputTokenCount',
];
const cohere = [
  'tokens',
  'billed_units',
  'cached_tokens',
  'input_tokens',
  'output_tokens',
  'reasoning_tokens',
];
const ollama = ['prompt_eval_count', 'eval_count'];

describe('any usage object gives whole, disjoint buckets within their totals', () => {
  test.each([
    ['chat', chatUsage, chat],
    ['chat, reasoning beside', (raw: unknown) => chatUsage(raw, { reasoningBeside: true }), chat],
    ['chat, hidden output', compatibleUsage, chat],
    ['embeddings', embeddingsUsage, chat],
    ['responses', responsesUsage, responses],
    ['messages', messagesUsage, messages],
    ['generateContent', generateContentUsage, gemini],
    ['interactions', interactionsUsage, interactions],
    ['embedContent', embedUsage, gemini],
    ['converse', converseUsage, converse],
    ['invoke', invokeUsage, [...invoke, ...converse.slice(0, 2), ...messages.slice(0, 4)]],
    ['cohere', cohereUsage, cohere],
    ['cohere embed', cohereEmbedUsage, cohere],
    ['ollama', ollamaUsage, ollama],
    ['ollama embed', ollamaEmbedUsage, ollama],
  ] as const)('%s', (_, usage, members) => {
    fc.assert(
      fc.property(usageOf(members), (raw) => {
        assertTokenUsage(usage(raw));
      }),
      { numRuns: 500 },
    );
  });
});
