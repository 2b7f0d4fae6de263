import type { ProviderAdapter } from '../../src/types.ts';
import { openaiCompatible } from '../openai-compatible/index.ts';
import type { AdapterOptions } from '../shared/base-url.ts';

/** DeepSeek's own API: OpenAI's formats, and Anthropic's below `/anthropic`. */
export function deepseek(options: AdapterOptions = {}): ProviderAdapter {
  return openaiCompatible({ ...options, preset: 'deepseek' });
}
