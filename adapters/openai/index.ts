import type { Api, Endpoint, ProviderAdapter, Wire } from '../../src/types.ts';
import { baseUrlMatcher, isHost, pathOf, type AdapterOptions } from '../shared/base-url.ts';
import { openaiCaching, openaiLayoutCaching } from './cache.ts';
import { openaiLimits } from './rate-limits.ts';
import { chatCompletions, embeddings, media, responses, stored } from './wire.ts';

/** `chatgpt.com` serves the Responses format to Codex clients. */
const HOSTS = ['api.openai.com', '.api.openai.com', 'chatgpt.com'];

const PATHS: ReadonlyArray<readonly [path: RegExp, api: Api, wire: Wire]> = [
  [/\/chat\/completions$/, 'chat.completions', chatCompletions],
  [/\/completions$/, 'completions', chatCompletions],
  [/\/responses(\/compact)?$/, 'responses', responses],
  [/\/embeddings$/, 'embeddings', embeddings],
  [/\/images\/(generations|edits|variations)$/, 'other', media],
  [/\/audio\/(transcriptions|translations)$/, 'other', media],
  [/\/responses\/(?!input_tokens$)[^/]+$/, 'other', stored],
  [/(?<!\/messages)\/batches(\/[^/]+)?$/, 'other', stored],
];

/** What a path means in OpenAI's formats, at whatever host; `undefined` when nothing is billed there. */
export function openaiPath(path: string): { readonly api: Api; readonly wire: Wire } | undefined {
  // Usage reports (/organization/usage/embeddings) end like the endpoints they report on.
  if (path.includes('/organization/')) return undefined;
  const found = PATHS.find(([shape]) => shape.test(path));
  return found === undefined ? undefined : { api: found[1], wire: found[2] };
}

/** The same as an endpoint of a provider. Only chat and completions have usage to ask for in a stream. */
export function openaiEndpoint(
  path: string,
  provider: string,
  streamUsage: Endpoint['streamUsage'],
): Endpoint | undefined {
  const found = openaiPath(path);
  if (found === undefined) return undefined;
  const asks = found.api === 'chat.completions' || found.api === 'completions';
  return { provider, ...found, ...(asks && streamUsage !== undefined ? { streamUsage } : {}) };
}

/** OpenAI's own API. */
export function openai(options: AdapterOptions = {}): ProviderAdapter {
  const isBelowBase = baseUrlMatcher(options.baseURL);
  return {
    name: 'openai',
    match(url) {
      if (!isHost(url, HOSTS) && !isBelowBase(url)) return undefined;
      const path = pathOf(url);
      const endpoint = openaiEndpoint(path, 'openai', 'ask');
      if (endpoint === undefined) return { provider: 'openai', api: 'other' };
      // What Codex's backend and compaction make of marks is not documented.
      const isPlain = url.hostname !== 'chatgpt.com' && !path.endsWith('/compact');
      const cache = isPlain ? openaiCaching : openaiLayoutCaching;
      return { ...endpoint, cache, limits: openaiLimits };
    },
  };
}
