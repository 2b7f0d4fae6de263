import { describe, expect, test } from 'vitest';
import { presets } from '../../adapters/openai-compatible/presets.ts';
import type { RateLimiting } from '../../src/limits/types.ts';
import { matchUrl } from './recordings.ts';

const limitsOf = (url: string): RateLimiting | undefined => matchUrl(url)?.limits;

describe('what counts, by provider', () => {
  test.each<[string, RateLimiting['outputCharge'], boolean]>([
    ['https://api.openai.com/v1/responses', 'max', true],
    ['https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1', 'max', true],
    ['https://api.anthropic.com/v1/messages', 'actual', false],
    ['https://x.services.ai.azure.com/anthropic/v1/messages', 'actual', false],
    [
      'https://aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict',
      'actual',
      false,
    ],
    [
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-4:generateContent',
      'none',
      true,
    ],
    ['https://generativelanguage.googleapis.com/v1beta/openai/chat/completions', 'none', true],
    ['https://generativelanguage.googleapis.com/v1beta/openai/embeddings', 'none', true],
    ['https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse', 'max', false],
    ['https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions', 'max', false],
    ['https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages', 'max', false],
    ['https://api.cohere.com/v2/chat', 'none', true],
    ['https://api.cohere.com/v2/embed', 'none', true],
    ['https://api.cohere.com/compatibility/v1/chat/completions', 'none', true],
    ['https://ollama.com/api/chat', 'none', true],
    ['http://localhost:11434/v1/messages', 'none', true],
    ['https://api.deepseek.com/chat/completions', 'none', true],
    ['https://api.deepseek.com/anthropic/v1/messages', 'none', true],
    ['https://integrate.api.nvidia.com/v1/chat/completions', 'none', true],
    ['https://api.groq.com/openai/v1/chat/completions', 'actual', false],
    ['https://api.mistral.ai/v1/fim/completions', 'actual', false],
    ['https://api.moonshot.ai/v1/chat/completions', 'max', true],
    ['https://api.x.ai/v1/responses', 'actual', true],
    ['https://api.cerebras.ai/v1/chat/completions', 'max', true],
    ['https://api.z.ai/api/paas/v4/chat/completions', 'none', true],
    ['http://vllm:8000/v1/chat/completions', 'actual', true],
  ])('%s', (url, outputCharge, countsCacheReads) => {
    expect(limitsOf(url)).toMatchObject({ outputCharge, countsCacheReads });
  });

  test('every preset that is asked for something billed', () => {
    for (const { hosts } of Object.values(presets)) {
      const host = hosts[0]!.replace(/^\./, 'x.');
      expect(limitsOf(`https://${host}/v1/chat/completions`), host).toBeDefined();
    }
  });

  test.each([
    'https://api.openai.com/v1/models',
    'https://api.anthropic.com/v1/models',
    'https://api.groq.com/v1/models',
  ])('nothing where nothing is billed: %s', (url) => {
    expect(matchUrl(url)).not.toHaveProperty('limits');
  });
});
