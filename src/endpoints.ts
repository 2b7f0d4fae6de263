import { LRUCache } from 'lru-cache';
import type { Endpoint, ProviderAdapter } from './types.ts';

/** A URL and what it means. */
export interface KnownUrl {
  readonly url: URL;
  readonly endpoint: Endpoint;
}

/** Parses and matches a URL, and remembers it: SDKs call few distinct ones. Throws a `TypeError` as `fetch` does. */
export type UrlLookup = (url: string) => KnownUrl;

/** First matching adapter wins; a URL of nobody's is an endpoint of its host that is passed through. */
export function createUrlLookup(adapters: readonly ProviderAdapter[]): UrlLookup {
  const known = new LRUCache<string, KnownUrl>({ max: 1000 });
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    // Its own error would show the URL, which may hold a key.
    if (!URL.canParse(text)) throw new TypeError('Failed to parse URL');
    const url = new URL(text);
    if (url.username !== '' || url.password !== '') {
      // As fetch refuses it, but without the credentials in the message.
      throw new TypeError('Request cannot be constructed from a URL that includes credentials');
    }
    const entry = { url, endpoint: match(adapters, url) };
    known.set(text, entry);
    return entry;
  };
}

function match(adapters: readonly ProviderAdapter[], url: URL): Endpoint {
  for (const adapter of adapters) {
    try {
      const endpoint = adapter.match(url);
      // Plain JavaScript may say `null` or `false` where the type says `undefined`.
      if (typeof endpoint === 'object' && endpoint !== null) return endpoint;
    } catch {
      // An adapter's fault must not take the call down: the URL is then not its own.
    }
  }
  return { provider: url.hostname, api: 'other' };
}
