/** A request as it would leave: what `fetch` makes of its arguments. */
export interface SeenRequest {
  method: string;
  url: string;
  headers: Headers;
  /** `null` when there is none. */
  body: Uint8Array | null;
}

/** The arguments of `fetch`. */
export type FetchInput = string | URL | Request;

/** Reads the arguments of `fetch`, a streamed body to its end. Rejects as `fetch` does when they are wrong. */
export async function readRequest(
  input: FetchInput,
  init: RequestInit | undefined,
): Promise<SeenRequest> {
  // The signal stays with the caller: a Request of our own would only follow it.
  const request = new Request(input, { ...init, signal: null, duplex: 'half' });
  const hasBody = request.body !== null;
  const body = new Uint8Array(await request.arrayBuffer());
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    body: hasBody ? body : null,
  };
}

/** The signal that can abort this call. */
export function signalOf(
  input: FetchInput,
  init: RequestInit | undefined,
): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined;
  return input instanceof Request ? input.signal : undefined;
}

/** Whether the call goes over the network. SDKs fetch `data:,` to look at the class of the answer. */
export function isHttp(input: FetchInput): boolean {
  const url = input instanceof Request ? input.url : String(input);
  return /^https?:/i.test(url);
}
