import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, type Dispatcher } from 'undici';
import { builtInAdapters } from '../adapters/index.ts';
import { Call } from './call.ts';
import { contextFromHeaders, mergeContext, withPriority } from './context.ts';
import { createDelivery } from './delivery/delivery.ts';
import { RouterError } from './errors.ts';
import { createUrlLookup } from './endpoints.ts';
import { createEvents } from './events.ts';
import { readRequest, type RequestParts } from './http/read-request.ts';
import { refuse } from './http/refusal.ts';
import { readContext, readOptions, type RouterOptions } from './options.ts';
import { compose, stages } from './pipeline.ts';
import { createPriceBook } from './pricing/price-book.ts';
import type { BoundRouter, Router } from './router-api.ts';
import { createTally } from './tally.ts';
import { createTokenCounter } from './tokens/token-counter.ts';
import type { CallContext } from './types.ts';
import { systemClock } from './util/clock.ts';
import { systemRandom } from './util/random.ts';
import { uuidv7 } from './util/uuid.ts';
import { ownFetchOf, wrapClient } from './wrap.ts';

type Fetch = typeof globalThis.fetch;

/**
 * Makes a router. No option is required.
 *
 * @throws RouterError `ERR_OPTIONS` naming every unknown or wrong option.
 */
export function createRouter(options: RouterOptions = {}): Router {
  const given = readOptions(options);
  const clock = given.clock ?? systemClock;
  const random = given.random ?? systemRandom;
  const lookUp = createUrlLookup(given.adapters ?? builtInAdapters);
  const events = createEvents();
  const contexts = new AsyncLocalStorage<CallContext>();
  const tally = createTally();
  const delivery = createDelivery({
    ...given.delivery,
    sinks: given.sinks ?? [],
    clock,
    random,
    onDrop: (drop) => {
      events.emit('drop', drop);
    },
  });
  /** Records whose tokens are still being counted. */
  const pending = new Set<Promise<void>>();
  const hasTransport = given.fetch !== undefined || given.dispatcher !== undefined;
  let agent: Agent | undefined;
  let closing: Promise<void> | undefined;

  const pipeline = compose(
    stages({
      clock,
      random,
      lookUp,
      fetch: given.fetch,
      dispatcher: (): Dispatcher => given.dispatcher ?? (agent ??= ownAgent()),
      idleTimeoutMs: given.idleTimeoutMs,
      middleware: given.middleware ?? [],
      prices: createPriceBook(given.prices),
      counter: createTokenCounter({ clock }),
      active: tally.active,
      onRecord: (record) => {
        tally.count(record);
        delivery.push(record);
        events.emit('usage', record);
      },
      onPending: (counting) => {
        pending.add(counting);
        void counting.finally(() => pending.delete(counting));
      },
    }),
  );

  function send(
    input: string | URL | Request,
    init: RequestInit | undefined,
    parts: RequestParts,
    bound: CallContext | undefined,
    transport: Fetch | undefined,
  ): Promise<Response> {
    const own = contextFromHeaders(parts.headers);
    const startedEpochMs = clock.wallNow();
    const start = {
      id: uuidv7(startedEpochMs, random),
      startedAt: clock.now(),
      startedEpochMs,
      input,
      init,
      transport,
      context: withPriority(contexts.getStore(), bound, own?.context),
      headers: own?.headers ?? parts.headers,
    };
    return pipeline(new Call(start, parts));
  }

  /** The functions this router made: a client that has one already must not go through the router twice. */
  const made = new WeakMap<
    Fetch,
    { bound: CallContext | undefined; transport: Fetch | undefined }
  >();

  const fetchFor = (bound?: CallContext, transport?: Fetch): Fetch => {
    const own: Fetch = async function fetch(input, init): Promise<Response> {
      // SDKs call fetch('data:,') to look at the Response class; what is not HTTP is none of the router's business.
      if (!isHttp(input)) return (transport ?? given.fetch ?? globalThis.fetch)(input, init);
      const read = readRequest(input, init);
      const parts = read instanceof Promise ? await read : read;
      if (closing !== undefined) {
        return refuse(lookUp(parts.url).endpoint.api, {
          code: 'ERR_CLOSED',
          status: 503,
          message: 'The router was closed; make a new one with createRouter().',
        });
      }
      return send(input, init, parts, bound, transport);
    };
    made.set(own, { bound, transport });
    return own;
  };

  const boundTo = (bound?: CallContext): BoundRouter => ({
    fetch: fetchFor(bound),
    wrap: (client) => {
      const given = ownFetchOf(client);
      const layer = given === undefined ? undefined : made.get(given);
      const transport = layer === undefined ? given : layer.transport;
      const context = layer?.bound === undefined ? bound : mergeContext(layer.bound, bound);
      return wrapClient(client, fetchFor(context, hasTransport ? undefined : transport));
    },
  });

  async function close(timeoutMs: number): Promise<void> {
    const cut = (): void => {
      tally.cut(
        new RouterError('ERR_CLOSED', 'The router was closed while this call was in flight.'),
      );
      void agent?.destroy();
    };
    await tally.idle(clock, timeoutMs, cut);
    await Promise.all(pending);
    await delivery.close({ timeoutMs });
    await agent?.close().catch(() => {});
  }

  const router: Router = {
    ...boundTo(),
    with: (context) => boundTo(readContext(context)),
    run: (context, fn) => contexts.run(mergeContext(contexts.getStore(), readContext(context)), fn),
    on: (event, listener) => events.on(event, listener),
    snapshot: () => ({ calls: tally.snapshot(), delivery: delivery.snapshot() }),
    flush: async () => {
      await Promise.all(pending);
      await delivery.flush();
    },
    close: ({ timeoutMs = 5000 } = {}) => (closing ??= close(timeoutMs)),
    [Symbol.asyncDispose]: () => router.close(),
  };
  return router;
}

/**
 * HTTP/1.1 only: undici 8 takes HTTP/2 where it is offered and then fails with more than 10 MB of bodies in flight to one
 * origin (test/send/http2.test.ts shows it).
 */
function ownAgent(): Agent {
  return new Agent({ allowH2: false });
}

function isHttp(input: string | URL | Request): boolean {
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
  return /^https?:/i.test(url);
}
