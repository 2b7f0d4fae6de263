import { Readable } from 'node:stream';

/** The body types of `fetch`. */
type PlatformBody = NonNullable<RequestInit['body']>;

/** A body that is sent as it stands. */
export type PlainBody = string | Uint8Array | null;

/** A request body: plain, or one that the platform has to encode first (form data, blobs, streams). */
export type RequestBody = PlainBody | PlatformBody;

/** What reaches the wire: plain, or a stream of unknown length. */
export type WireBody = PlainBody | Readable;

/** A `fetch` request taken apart. */
export interface RequestParts {
  readonly url: string;
  readonly method: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: RequestBody;
  readonly signal: AbortSignal | undefined;
  readonly redirect: Request['redirect'];
  /** Whether a caller's `Request` was read, so that it cannot be sent as it came. */
  readonly consumed: boolean;
}

/**
 * Takes `fetch`'s arguments apart. SDKs call `fetch(string, { method, headers, body: string, signal })`, and that form
 * costs about a microsecond. A `Request` is read through the platform, as `fetch` would read it.
 *
 * Throws a `TypeError` on what `fetch` refuses.
 */
export function readRequest(
  input: string | URL | Request,
  init: RequestInit | undefined,
): RequestParts | Promise<RequestParts> {
  if (typeof input !== 'string' && !(input instanceof URL)) return readPlatformRequest(input, init);
  const body = init?.body ?? null;
  const method = init?.method?.toUpperCase() ?? 'GET';
  if (method === 'TRACE' || method === 'TRACK' || method === 'CONNECT') {
    throw new TypeError(`'${method}' HTTP method is unsupported.`);
  }
  if (body !== null && (method === 'GET' || method === 'HEAD')) {
    throw new TypeError('Request with GET/HEAD method cannot have body.');
  }
  const headers = listHeaders(init?.headers);
  if (typeof body === 'string' && !hasHeader(headers, 'content-type')) {
    headers.push('content-type', 'text/plain;charset=UTF-8');
  }
  return {
    url: typeof input === 'string' ? input : input.href,
    method,
    headers,
    body,
    signal: init?.signal ?? undefined,
    redirect: init?.redirect ?? 'follow',
    consumed: false,
  };
}

export function isPlain(body: RequestBody): body is PlainBody {
  return body === null || typeof body === 'string' || body instanceof Uint8Array;
}

/** A flat list as `Headers`. A value that HTTP forbids is named by its header, not shown: it may be a key. */
export function headersOf(list: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!;
    try {
      headers.append(name, list[i + 1]!);
    } catch {
      // A name that is wrong is refused in the platform's own words.
      headers.append(name, '');
      throw new TypeError(`Headers.append: the value of "${name}" is an invalid header value.`);
    }
  }
  return headers;
}

/** Whether a flat list names a header, whatever the case. */
export function hasHeader(headers: readonly string[], name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const found = headers[i]!;
    if (found.length === name.length && found.toLowerCase() === name) return true;
  }
  return false;
}

/** Encodes a platform body: its bytes, and the content type that goes with them. Streams stay streams. */
export async function encodeBody(
  url: string,
  method: string,
  headers: readonly string[],
  body: PlatformBody,
): Promise<{ headers: readonly string[]; body: WireBody }> {
  const request = new Request(url, streamable({ method, body }));
  const contentType = request.headers.get('content-type');
  const all =
    contentType === null || hasHeader(headers, 'content-type')
      ? headers
      : [...headers, 'content-type', contentType];
  const isOpenEnded = isStream(body) && request.body !== null;
  return { headers: all, body: isOpenEnded ? Readable.from(request.body) : await bytesOf(request) };
}

/** `fetch` wants to be told that it may send before the body is whole. */
export function streamable(init: RequestInit): RequestInit {
  return init.body !== null && isStream(init.body) ? Object.assign(init, { duplex: 'half' }) : init;
}

async function readPlatformRequest(
  input: Request,
  init: RequestInit | undefined,
): Promise<RequestParts> {
  const request = new Request(input, init);
  const bytes =
    request.body === null ? null : await unlessAborted(bytesOf(request), request.signal);
  return {
    url: request.url,
    method: request.method,
    headers: listHeaders(request.headers),
    body: bytes === null ? null : textOf(bytes, request.headers),
    signal: request.signal,
    redirect: request.redirect,
    consumed: true,
  };
}

/** Text is what the stages can work with. What would not come out of it byte for byte again stays bytes. */
function textOf(bytes: Uint8Array, headers: Headers): string | Uint8Array {
  if (!/json|text/i.test(headers.get('content-type') ?? '') || headers.has('content-encoding')) {
    return bytes;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/**
 * A body stream may never end, and reading it does not heed the request's own signal. After an abort the body is of no
 * interest: the call goes on without, and ends, with its record, where it would be sent.
 */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      resolve(null);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise
      .then(resolve, (error: unknown) => {
        reject(error);
      })
      .finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
  });
}

async function bytesOf(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer());
}

function listHeaders(init: RequestInit['headers'] | undefined): string[] {
  const list: string[] = [];
  if (init === undefined) return list;
  if (init instanceof Headers) {
    for (const [name, value] of init) list.push(name, value);
    return list;
  }
  if (Array.isArray(init)) {
    const pairs = init.flatMap(([name, value]) => [name, value]);
    return listHeaders(headersOf(pairs));
  }
  if (Symbol.iterator in init) return listHeaders(new Headers(init));
  for (const name of Object.keys(init)) {
    // The platform turns any value into a string.
    list.push(name, trimmed(String(init[name])));
  }
  return list;
}

/** `Headers` takes white space off both ends; keys read from a file end with a line break. */
function trimmed(value: string): string {
  return value.replaceAll(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
}

function isStream(value: unknown): boolean {
  return (
    value instanceof ReadableStream ||
    (typeof value === 'object' && value !== null && Symbol.asyncIterator in value)
  );
}
