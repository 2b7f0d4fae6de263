/** A second opinion on usage: the test data of pydantic/genai-prices, written independently of our expectations. */
import { describe, expect, test } from 'vitest';
import { messagesUsage } from '../../adapters/anthropic/usage.ts';
import { converseUsage } from '../../adapters/bedrock/usage.ts';
import { generateContentUsage } from '../../adapters/gemini/usage.ts';
import { chatUsage, responsesUsage } from '../../adapters/openai/usage.ts';
import type { TokenUsage } from '../../src/types.ts';
import { fullFixturesDir } from '../helpers/full-fixtures.ts';
import { folderUrl, readLines } from './recordings.ts';

interface OracleCase {
  body: { usage?: Record<string, unknown>; usageMetadata?: Record<string, unknown> };
  extracted: Array<{
    usage: Record<string, number>;
    extractors: Array<{ api_flavor: string }>;
  }>;
}

const folder = folderUrl(fullFixturesDir());
const file = folder && new URL('oracles/genai-prices-usages.jsonl', folder);

/** The format that a usage object is in, by its members; Cohere is left out: there it counts billed units. */
function readingOf(usage: Record<string, unknown>): ((raw: unknown) => TokenUsage) | undefined {
  if ('promptTokenCount' in usage) return generateContentUsage;
  if ('inputTokens' in usage) return converseUsage;
  if ('completion_tokens' in usage) return chatUsage;
  if ('input_tokens' in usage) return 'total_tokens' in usage ? responsesUsage : messagesUsage;
  return undefined;
}

function counts({ inputTokens, outputTokens }: TokenUsage): number[] {
  return [
    inputTokens.total ?? 0,
    outputTokens.total ?? 0,
    inputTokens.cacheRead ?? 0,
    (inputTokens.cacheWrite ?? 0) + (inputTokens.cacheWrite1h ?? 0),
    outputTokens.reasoning ?? 0,
  ];
}

describe.skipIf(file === undefined)('genai-prices, in the full fixtures', () => {
  test('agrees on every case but the cached tokens that Mistral reports outside the details', () => {
    if (file === undefined) throw new Error('expected to be skipped');
    const differing: OracleCase[] = [];
    let compared = 0;
    for (const each of readLines<OracleCase>(file)) {
      const raw = each.body.usage ?? each.body.usageMetadata ?? {};
      const reading = readingOf(raw);
      if (reading === undefined) continue;
      compared++;
      const ours = counts(reading(raw)).join();
      const theirs = each.extracted
        .filter(({ extractors }) =>
          extractors.some(({ api_flavor }) => api_flavor !== 'embeddings'),
        )
        .map(({ usage }) =>
          [
            usage['input_tokens'] ?? 0,
            usage['output_tokens'] ?? 0,
            usage['cache_read_tokens'] ?? 0,
            usage['cache_write_tokens'] ?? 0,
            usage['output_reasoning_tokens'] ?? 0,
          ].join(),
        );
      if (!theirs.includes(ours)) differing.push(each);
    }
    expect(compared).toBe(1_557);
    expect(differing).toHaveLength(29);
    expect(differing.every(({ body }) => 'num_cached_tokens' in (body.usage ?? {}))).toBe(true);
  });
});
