import type { BudgetSnapshot } from './budgets/budget.ts';
import type { DedupeSnapshot } from './dedupe/dedupe.ts';
import type { DeliverySnapshot } from './delivery/delivery.ts';
import type { RouterEvents } from './events.ts';
import type { ChangeableOptions } from './options.ts';
import type { PromptCacheSnapshot } from './prompt-cache/cache-tally.ts';
import type { Plan } from './prompt-cache/explain.ts';
import type { TrafficSnapshot } from './schedule/traffic.ts';
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
  /** Since the router was made, in milliseconds. */
  readonly uptimeMs: number;
  readonly calls: CallCounts;
  /** Who waits for which limit, and what the limits are. */
  readonly traffic: TrafficSnapshot;
  /** What of the budgets is spent and reserved: of those in use, the fullest first, 1000 at most. */
  readonly budgets: readonly BudgetSnapshot[];
  /** Calls that share requests and answers. */
  readonly dedupe: DedupeSnapshot;
  readonly promptCache: PromptCacheSnapshot;
  readonly delivery: DeliverySnapshot;
}

/** What `update` did. */
export interface OptionsDiff {
  /** Names of the options that were changed. */
  readonly changed: readonly string[];
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
  /**
   * Changes `schedule` and `retry` from now on; each replaces what was given before as a whole. Calls that wait go on waiting,
   * also when the queue is longer than it may be now; `agingMs` is for queues that begin afterwards. Throws `ERR_OPTIONS` for
   * wrong values, and for options that cannot change while calls are in flight.
   */
  update(options: ChangeableOptions): OptionsDiff;
  /** Resolves when every record so far is in the sinks. */
  flush(): Promise<void>;
  /**
   * Takes no further calls (they are answered `ERR_CLOSED`), waits for those in flight, flushes and closes the sinks.
   * After `timeoutMs` (default 5000) calls in flight are cut off and recorded as `aborted`; the sinks get as long again.
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}
