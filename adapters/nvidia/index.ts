import type { ProviderAdapter } from '../../src/types.ts';
import { openaiCompatible } from '../openai-compatible/index.ts';
import type { AdapterOptions } from '../shared/base-url.ts';

/** NVIDIA's hosted NIM endpoints; for a NIM of your own give its base URL. */
export function nvidia(options: AdapterOptions = {}): ProviderAdapter {
  return openaiCompatible({ ...options, preset: 'nvidia' });
}
