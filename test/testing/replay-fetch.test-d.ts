import type { ClientOptions as AnthropicOptions } from '@anthropic-ai/sdk';
import type { ClientOptions as OpenAIOptions } from 'openai';
import { expectTypeOf, test } from 'vitest';
import { recordFetch, replayFetch } from '../../src/testing/index.ts';

test('both fit wherever a fetch is taken', () => {
  expectTypeOf(replayFetch([])).toExtend<typeof globalThis.fetch>();
  expectTypeOf(replayFetch([])).toExtend<NonNullable<OpenAIOptions['fetch']>>();
  expectTypeOf(replayFetch([])).toExtend<NonNullable<AnthropicOptions['fetch']>>();
  expectTypeOf(recordFetch).returns.toExtend<typeof globalThis.fetch>();
  expectTypeOf(recordFetch).returns.toExtend<NonNullable<OpenAIOptions['fetch']>>();
});
