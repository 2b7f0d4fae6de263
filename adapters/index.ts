import type { ProviderAdapter } from '../src/types.ts';
import { anthropic } from './anthropic/index.ts';
import { bedrock } from './bedrock/index.ts';
import { cohere } from './cohere/index.ts';
import { gemini } from './gemini/index.ts';
import { ollama } from './ollama/index.ts';
import { openaiCompatible } from './openai-compatible/index.ts';
import { openai } from './openai/index.ts';

/** In the order they are asked. The last also takes unknown hosts, by the shape of the path. */
export const builtInAdapters: readonly ProviderAdapter[] = [
  openai(),
  anthropic(),
  gemini(),
  bedrock(),
  cohere(),
  ollama(),
  openaiCompatible(),
];
