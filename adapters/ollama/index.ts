import type { Endpoint, ProviderAdapter } from '../../src/types.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { anthropicPath } from '../anthropic/index.ts';
import { baseUrlMatcher, isHost, pathOf, type AdapterOptions } from '../shared/base-url.ts';
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
      if (/\/api\/(chat|generate)$/.test(path)) {
        return { provider: PROVIDER, api: 'other', wire: ollamaChat };
      }
      if (/\/api\/(embed|embeddings)$/.test(path)) {
        return { provider: PROVIDER, api: 'embeddings', wire: ollamaEmbed };
      }
      const found = anthropicPath(path);
      if (found !== undefined) return { provider: PROVIDER, ...found };
      return openaiEndpoint(path, PROVIDER, 'try') ?? { provider: PROVIDER, api: 'other' };
    },
  };
}
