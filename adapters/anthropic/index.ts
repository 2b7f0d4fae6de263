import type { Api, Endpoint, ProviderAdapter, Wire } from '../../src/types.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { baseUrlMatcher, isHost, pathOf, type AdapterOptions } from '../shared/base-url.ts';
import { anthropicCaching } from './cache.ts';
import { anthropicLimits } from './rate-limits.ts';
import { messages } from './wire.ts';

const PROVIDER = 'anthropic';
const HOSTS = ['api.anthropic.com', '.api.anthropic.com'];

/** What a path means in Anthropic's formats, at whatever host; batches and token counts are not billed there. */
export function anthropicPath(
  path: string,
): { readonly api: Api; readonly wire: Wire } | undefined {
  return path.endsWith('/v1/messages') ? { api: 'messages', wire: messages } : undefined;
}

/** Anthropic's own API, with its OpenAI-compatible path. */
export function anthropic(options: AdapterOptions = {}): ProviderAdapter {
  const isBelowBase = baseUrlMatcher(options.baseURL);
  return {
    name: PROVIDER,
    match(url): Endpoint | undefined {
      if (!isHost(url, HOSTS) && !isBelowBase(url)) return undefined;
      const path = pathOf(url);
      const found = anthropicPath(path);
      if (found !== undefined) {
        return { provider: PROVIDER, ...found, cache: anthropicCaching, limits: anthropicLimits };
      }
      const compatible = openaiEndpoint(path, PROVIDER, 'try');
      if (compatible === undefined) return { provider: PROVIDER, api: 'other' };
      return { ...compatible, limits: anthropicLimits };
    },
  };
}
