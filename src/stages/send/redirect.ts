import type { WireBody } from '../../http/read-request.ts';

/** What is sent, and where to. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: string[];
  readonly body: WireBody;
}

/** As in the Fetch standard, "HTTP-redirect fetch". */
export const MAX_REDIRECTS = 20;

/** Credentials stay with the origin they were meant for (Fetch standard, step 13 of "HTTP-redirect fetch"). */
const ORIGIN_BOUND = new Set(['authorization', 'proxy-authorization', 'cookie', 'host']);
const BODY_HEADERS = /^content-(?:encoding|language|location|type|length)$/i;

/** Whether an answer with this status asks to go elsewhere. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The request a redirect asks for. Throws when its location is no URL or its body cannot be sent a second time. */
export function redirected(request: Outgoing, status: number, location: string): Outgoing {
  const url = new URL(location, request.url.href);
  const toGet =
    (status === 303 && request.method !== 'GET' && request.method !== 'HEAD') ||
    ((status === 301 || status === 302) && request.method === 'POST');
  const { body } = request;
  if (!toGet && !isReplayable(body)) {
    throw new Error('a streamed body cannot be sent again after a redirect');
  }

  const sameOrigin = url.origin === request.url.origin;
  const headers: string[] = [];
  for (let i = 0; i < request.headers.length; i += 2) {
    const name = request.headers[i]!;
    if (!sameOrigin && ORIGIN_BOUND.has(name.toLowerCase())) continue;
    if (toGet && BODY_HEADERS.test(name)) continue;
    headers.push(name, request.headers[i + 1]!);
  }
  return { url, method: toGet ? 'GET' : request.method, headers, body: toGet ? null : body };
}

/** A stream is gone once it was sent. */
function isReplayable(body: WireBody): boolean {
  return body === null || typeof body === 'string' || body instanceof Uint8Array;
}
