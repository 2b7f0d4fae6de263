import { RouterError } from '../../src/errors.ts';

/** What every adapter can be told. */
export interface AdapterOptions {
  /**
   * Further base URLs that this provider's API is reached at (a proxy or gateway of your own). Everything
   * below them is taken for this provider. Default: none, only the provider's own hosts.
   */
  readonly baseURL?: string | readonly string[] | undefined;
}

/** Whether a URL is below one of the base URLs. Throws `ERR_OPTIONS` at once for one that is none. */
export function baseUrlMatcher(baseURL: AdapterOptions['baseURL']): (url: URL) => boolean {
  const bases = (typeof baseURL === 'string' ? [baseURL] : (baseURL ?? [])).map((base) => {
    if (!URL.canParse(base)) {
      throw new RouterError(
        'ERR_OPTIONS',
        `baseURL: expected an absolute URL such as "https://host/v1", got a string of ${base.length} characters`,
      );
    }
    const { origin, pathname } = new URL(base);
    return { origin, path: pathname.replace(/\/+$/, '') };
  });
  return (url) =>
    bases.some(
      ({ origin, path }) =>
        url.origin === origin && (url.pathname === path || url.pathname.startsWith(`${path}/`)),
    );
}

/** Whether a host is one of `hosts`; those with a leading dot stand for everything below them. */
export function isHost(url: URL, hosts: readonly string[]): boolean {
  return hosts.some((host) =>
    host.startsWith('.') ? url.hostname.endsWith(host) : url.hostname === host,
  );
}

/** A URL's path without trailing slashes. */
export function pathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '');
}

/** A path segment as text; as it stands when it is not properly percent-encoded. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
