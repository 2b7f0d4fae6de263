import { Call } from './call.ts';
import { contextFromHeaders, mergeContext, withPriority } from './context.ts';
import type { UrlLookup } from './endpoints.ts';
import { readRequest, type RequestParts } from './http/read-request.ts';
import { refuse } from './http/refusal.ts';
import type { BoundRouter } from './router-api.ts';
import type { CallContext, Clock, Random } from './types.ts';
import { parseTraceparent } from './util/traceparent.ts';
import { uuidv7 } from './util/uuid.ts';
import { ownFetchOf, wrapClient } from './wrap.ts';

type Fetch = typeof globalThis.fetch;

export interface EntranceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The span that calls are made in, where their context does not say. */
  readonly traceparent?: (() => string | undefined) | undefined;
  readonly lookUp: UrlLookup;
  /** The context of the code that is running (`router.run`). */
  readonly context: () => CallContext | undefined;
  /** The `fetch` below the router. */
  readonly fetch: Fetch | undefined;
  /** The router was given a transport, which goes before a client's own. */
  readonly hasTransport: boolean;
  readonly isClosed: () => boolean;
  readonly pipeline: (call: Call) => Promise<Response>;
}

/** Where calls come in: makes the functions that the host holds, and a `Call` of what it hands them. */
export interface Entrance {
  boundTo(context?: CallContext): BoundRouter;
  /** The call that `fetch` would send. */
  call(input: string | URL | Request, init?: RequestInit): Promise<Call>;
}

export function createEntrance(options: EntranceOptions): Entrance {
  const { clock, random, lookUp } = options;
  /** The functions made here: a client that has one already must not go through the router twice. */
  const made = new WeakMap<Fetch, Layer>();

  function callOf(
    input: string | URL | Request,
    init: RequestInit | undefined,
    parts: RequestParts,
    { bound, transport }: Layer,
  ): Call {
    const own = contextFromHeaders(parts.headers);
    const context = withPriority(options.context(), bound, own?.context);
    const startedEpochMs = clock.wallNow();
    const start = {
      id: uuidv7(startedEpochMs, random),
      startedAt: clock.now(),
      startedEpochMs,
      input,
      init,
      transport,
      context,
      headers: traced(
        own?.headers ?? parts.headers,
        context.traceparent ?? asked(options.traceparent),
      ),
    };
    return new Call(start, parts);
  }

  const fetchFor = (layer: Layer): Fetch => {
    const own: Fetch = async function fetch(input, init): Promise<Response> {
      // SDKs call fetch('data:,') to look at the Response class; what is not HTTP is none of the router's business.
      if (!isHttp(input))
        return (layer.transport ?? options.fetch ?? globalThis.fetch)(input, init);
      const read = readRequest(input, init);
      const parts = read instanceof Promise ? await read : read;
      if (options.isClosed()) {
        return refuse(lookUp(parts.url).endpoint.api, {
          code: 'ERR_CLOSED',
          status: 503,
          message: 'The router was closed; make a new one with createRouter().',
        });
      }
      return options.pipeline(callOf(input, init, parts, layer));
    };
    made.set(own, layer);
    return own;
  };

  return {
    boundTo: (bound) => ({
      fetch: fetchFor({ bound, transport: undefined }),
      wrap: (client) => {
        const given = ownFetchOf(client);
        const layer = given === undefined ? undefined : made.get(given);
        const transport = layer === undefined ? given : layer.transport;
        const context = layer?.bound === undefined ? bound : mergeContext(layer.bound, bound);
        const below = options.hasTransport ? undefined : transport;
        return wrapClient(client, fetchFor({ bound: context, transport: below }));
      },
    }),
    call: async (input, init) =>
      callOf(input, init, await readRequest(input, init), {
        bound: undefined,
        transport: undefined,
      }),
  };
}

/** Headers that name the span of the call: their own, else this one. */
function traced(headers: readonly string[], traceparent: string | undefined): readonly string[] {
  if (traceparent === undefined || parseTraceparent(traceparent) === undefined) return headers;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === 'traceparent') return headers;
  }
  return [...headers, 'traceparent', traceparent];
}

/** A user's function that fails costs the span, not the call. */
function asked(question: (() => unknown) | undefined): string | undefined {
  try {
    const answer = question?.();
    return typeof answer === 'string' ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** What lies around one such function. */
interface Layer {
  readonly bound: CallContext | undefined;
  readonly transport: Fetch | undefined;
}

function isHttp(input: string | URL | Request): boolean {
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
  return /^https?:/i.test(url);
}
