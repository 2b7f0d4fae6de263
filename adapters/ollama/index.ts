import type { Endpoint, ProviderAdapter } from '../../src/types.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { anthropicPath } from '../anthropic/index.ts';
import { baseUrlMatcher, isHost, pathOf, type AdapterOptions } from '../shared/base-url.ts';
import { ollamaLimits } from './rate-limits.ts';
import { ollamaChat, ollamaEmbed } from './wire.ts';

const PROVIDER = 'ollama';
const HOSTS = ['ollama.com', 'api.ollama.com'];

/** Ollama's default port; its paths alone (`/api/chat`) are too common to go by. */
const PORT = '11434';

/** Ollama, local (by its port) and hosted, with its OpenAI- and Anthropic-compatible paths. */
export function ollama(options: AdapterOptions = {}): ProviderAdapter {
  const isBelowBase = baseUrlMatcher(options.baseURL);
  return {
    name: 'ollama',
    match(url): Endpoint | undefined {
      if (url.port !== PORT && !isHost(url, HOSTS) && !isBelowBase(url)) return undefined;
      const path = pathOf(url);
      const known = { provider: PROVIDER, limits: ollamaLimits };
      if (/\/api\/(chat|generate)$/.test(path)) {
        return { ...known, api: 'other', wire: ollamaChat };
      }
      if (/\/api\/(embed|embeddings)$/.test(path)) {
        return { ...known, api: 'embeddings', wire: ollamaEmbed };
      }
      const compatible = anthropicPath(path) ?? openaiEndpoint(path, PROVIDER, 'try');
      return compatible === undefined
        ? { provider: PROVIDER, api: 'other' }
        : { ...compatible, ...known };
    },
  };
}
