import type { DeliverySnapshot } from './delivery/delivery.ts';
import type { RouterEvents } from './events.ts';
import type { PromptCacheSnapshot } from './prompt-cache/cache-tally.ts';
import type { Plan } from './prompt-cache/explain.ts';
import type { CallCounts } from './tally.ts';
import type { CallContext } from './types.ts';

type Fetch = typeof globalThis.fetch;

/** `fetch` and `wrap` of one tenant, user or conversation. */
export interface BoundRouter {
  readonly fetch: Fetch;
  wrap<Client>(client: Client): Client;
}

/** What the router is doing and has done. */
export interface RouterSnapshot {
  readonly calls: CallCounts;
  readonly promptCache: PromptCacheSnapshot;
  readonly delivery: DeliverySnapshot;
}

/** One object that all of an application's LLM calls go through. */
export interface Router extends AsyncDisposable {
  /** A drop-in `fetch`. Give it to any SDK. */
  readonly fetch: Fetch;
  /**
   * A copy of an SDK client whose calls go through the router. A client with a `fetch` of its own keeps it as transport,
   * unless the router was given one. Throws `ERR_OPTIONS` for a client without `withOptions`.
   */
  wrap<Client>(client: Client): Client;
  /** The same for one context, whose fields stand in every record. */
  with(context: CallContext): BoundRouter;
  /** Runs `fn`; every call it makes, however deep, carries the context. */
  run<T>(context: CallContext, fn: () => T): T;
  /**
   * What the router would do with a request: its blocks, what would be kept of it and why, what is expected to be read.
   * Nothing is sent, and nothing is learnt from it. Takes what `fetch` takes; a user's middleware is not run.
   */
  explain(input: string | URL | Request, init?: RequestInit): Promise<Plan>;
  /** Calls `listener` at every event. Returns a function that ends it. What a listener throws is ignored. */
  on<Name extends keyof RouterEvents>(
    event: Name,
    listener: (value: RouterEvents[Name]) => void,
  ): () => void;
  snapshot(): RouterSnapshot;
  /** Resolves when every record so far is in the sinks. */
  flush(): Promise<void>;
  /**
   * Takes no further calls (they are answered `ERR_CLOSED`), waits for those in flight, flushes and closes the sinks.
   * After `timeoutMs` (default 5000) calls in flight are cut off and recorded as `aborted`; the sinks get as long again.
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}
