import type { Endpoint, ProviderAdapter } from '../../src/types.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { baseUrlMatcher, isHost, pathOf, type AdapterOptions } from '../shared/base-url.ts';
import { cohereLimits } from './rate-limits.ts';
import { cohereChat, cohereEmbed } from './wire.ts';

const PROVIDER = 'cohere';
const HOSTS = ['api.cohere.com', 'api.cohere.ai'];

/** Cohere's own API, versions 1 and 2, with its OpenAI-compatible path. */
export function cohere(options: AdapterOptions = {}): ProviderAdapter {
  const isBelowBase = baseUrlMatcher(options.baseURL);
  return {
    name: 'cohere',
    match(url): Endpoint | undefined {
      if (!isHost(url, HOSTS) && !isBelowBase(url)) return undefined;
      const path = pathOf(url);
      const known = { provider: PROVIDER, limits: cohereLimits };
      if (/\/v[12]\/chat$/.test(path)) return { ...known, api: 'other', wire: cohereChat };
      if (/\/v[12]\/embed$/.test(path)) return { ...known, api: 'embeddings', wire: cohereEmbed };
      const compatible = openaiEndpoint(path, PROVIDER, 'try');
      return compatible === undefined
        ? { provider: PROVIDER, api: 'other' }
        : { ...compatible, ...known };
    },
  };
}
