import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, type Dispatcher } from 'undici';
import { builtInAdapters } from '../adapters/index.ts';
import { createBudgets } from './budgets/budgets.ts';
import { tellingBudgets } from './budgets/telling.ts';
import { mergeContext } from './context.ts';
import { createDedupe } from './dedupe/dedupe.ts';
import { responseCacheSettings } from './dedupe/settings.ts';
import { createDelivery } from './delivery/delivery.ts';
import { createUrlLookup } from './endpoints.ts';
import { createEntrance } from './entrance.ts';
import { RouterError } from './errors.ts';
import { createEvents } from './events.ts';
import { readChanges, readContext, readOptions, type RouterOptions } from './options.ts';
import { compose, prepare, stages, type PipelineOptions } from './pipeline.ts';
import { createPriceBook } from './pricing/price-book.ts';
import { createToolOrder } from './prompt-cache/arrange/tool-order.ts';
import { createPromptReader } from './prompt-cache/body/prompt-reader.ts';
import { createCacheKeeper } from './prompt-cache/cache-keeper.ts';
import { explain } from './prompt-cache/explain.ts';
import { promptCacheSettings, wishOf } from './prompt-cache/settings.ts';
import { retrySettings } from './retry/settings.ts';
import type { Router } from './router-api.ts';
import { createTraffic } from './schedule/traffic.ts';
import { createRouterPools } from './stores/router-pools.ts';
import { createTally } from './tally.ts';
import { createTokenCounter } from './tokens/token-counter.ts';
import type { CallContext } from './types.ts';
import { systemClock } from './util/clock.ts';
import { systemRandom } from './util/random.ts';

/**
 * Makes a router. No option is required.
 *
 * @throws RouterError `ERR_OPTIONS` naming every unknown or wrong option.
 */
export function createRouter(options: RouterOptions = {}): Router {
  const given = readOptions(options);
  const clock = given.clock ?? systemClock;
  const random = given.random ?? systemRandom;
  const startedAt = clock.now();
  const lookUp = createUrlLookup(given.adapters ?? builtInAdapters);
  const events = createEvents();
  const contexts = new AsyncLocalStorage<CallContext>();
  const tally = createTally();
  /** Records whose tokens are still being counted. */
  const pending = new Set<Promise<void>>();
  let agent: Agent | undefined;
  let closing: Promise<void> | undefined;

  const prices = createPriceBook(given.prices);
  const promptCache = promptCacheSettings(given.promptCache);
  const cacheKeeper = createCacheKeeper({ settings: promptCache, clock, prices });
  const promptReader = createPromptReader(promptCache);
  let retries = retrySettings(given.retry);
  const pools = given.store && createRouterPools({ store: given.store, clock, random });
  const traffic = createTraffic({
    clock,
    random,
    schedule: given.schedule,
    limits: given.limits,
    pools,
    onLimit: (change) => {
      events.emit('limit', change);
    },
  });
  const budgets =
    given.budgets === undefined || given.budgets.length === 0
      ? undefined
      : createBudgets({
          rules: given.budgets,
          clock,
          alarm: traffic.alarm,
          prices,
          pools,
          onPassed: (passed) => {
            events.emit('budget', passed);
          },
        });
  const toolOrder = createToolOrder({ mode: promptCache.tools });
  const dedupe = createDedupe({
    clock,
    mode: given.dedupe?.mode ?? 'deterministic',
    responseCache: given.responseCache && responseCacheSettings(given.responseCache),
  });
  const pipelineOptions: PipelineOptions = {
    clock,
    random,
    lookUp,
    fetch: given.fetch,
    dispatcher: (): Dispatcher => given.dispatcher ?? (agent ??= ownAgent()),
    idleTimeoutMs: given.idleTimeoutMs,
    middleware: given.middleware ?? [],
    modeOf: (call) => wishOf(promptCache, call.context).mode,
    promptReader,
    toolOrder,
    scopeOf: cacheKeeper.scopeOf,
    systemFirst: promptCache.systemFirst,
    history: given.history,
    prices,
    counter: createTokenCounter({ clock }),
    cacheKeeper,
    maxHoldMs: promptCache.maxHoldMs,
    onPlan: (call, planned) => {
      if (events.has('plan')) events.emit('plan', explain(call, planned, call.heldMs > 0));
    },
    dedupe,
    traffic,
    alarm: traffic.alarm,
    isPaced: (call) => traffic.isPaced(call),
    retrySettings: () => retries,
    active: tally.active,
    capture: given.capture,
    budgets,
    onRecord: (record, call, attempt) => {
      budgets?.charge(record, call, attempt);
      tally.count(record);
      delivery.push(record);
      events.emit('usage', record);
    },
    onPending: (counting) => {
      pending.add(counting);
      void counting.finally(() => pending.delete(counting));
    },
  };
  // After all that may refuse an option: it may hold a file.
  const delivery = createDelivery({
    ...given.delivery,
    sinks: given.sinks ?? [],
    clock,
    random,
    onDrop: (drop) => {
      events.emit('drop', drop);
    },
    onSpoolFault: (fault) => {
      events.emit('spool', fault);
    },
  });
  const preparing = prepare(pipelineOptions);
  const way = compose(stages(pipelineOptions, preparing));
  const entrance = createEntrance({
    clock,
    random,
    lookUp,
    traceparent: given.traceparent,
    context: () => contexts.getStore(),
    fetch: given.fetch,
    hasTransport: given.fetch !== undefined || given.dispatcher !== undefined,
    isClosed: () => closing !== undefined,
    pipeline: budgets === undefined ? way : tellingBudgets(budgets, way),
  });

  async function close(timeoutMs: number): Promise<void> {
    const cut = (): void => {
      tally.cut(
        new RouterError('ERR_CLOSED', 'The router was closed while this call was in flight.'),
      );
      cacheKeeper.warmUps.wakeAll();
      budgets?.close();
      traffic.close();
      void agent?.destroy();
    };
    await tally.idle(clock, timeoutMs, cut);
    await Promise.all(pending);
    await pools?.close();
    await delivery.close({ timeoutMs });
    budgets?.close();
    traffic.close();
    dedupe.clear();
    promptReader.clear();
    toolOrder.clear();
    await agent?.close().catch(() => {});
  }

  const router: Router = {
    ...entrance.boundTo(),
    with: (context) => entrance.boundTo(readContext(context)),
    run: (context, fn) => contexts.run(mergeContext(contexts.getStore(), readContext(context)), fn),
    explain: async (input, init) => {
      const call = await entrance.call(input, init);
      await compose([...preparing, { name: 'stop', handle: async () => new Response(null) }])(call);
      const request = cacheKeeper.request(call);
      const waits = request !== undefined && cacheKeeper.worthWaitingFor(request) !== undefined;
      return explain(call, request && cacheKeeper.preview(request), waits);
    },
    update: (options) => {
      const { schedule, retry } = readChanges(options);
      if (schedule !== undefined) traffic.reschedule(schedule);
      if (retry !== undefined) retries = retrySettings(retry);
      return { changed: Object.keys(options).toSorted() };
    },
    on: (event, listener) => events.on(event, listener),
    snapshot: () => ({
      uptimeMs: clock.now() - startedAt,
      calls: tally.snapshot(),
      traffic: traffic.snapshot(),
      budgets: budgets?.snapshot() ?? [],
      dedupe: dedupe.snapshot(),
      promptCache: cacheKeeper.snapshot(),
      delivery: delivery.snapshot(),
    }),
    flush: async () => {
      await Promise.all(pending);
      await delivery.flush();
    },
    close: ({ timeoutMs = 5000 } = {}) => (closing ??= close(timeoutMs)),
    [Symbol.asyncDispose]: () => router.close(),
  };
  try {
    for (const sink of new Set(given.sinks)) sink.attach?.(router);
  } catch (error) {
    void router.close();
    throw error;
  }
  return router;
}

/**
 * HTTP/1.1 only: undici 8 takes HTTP/2 where it is offered and then fails with more than 10 MB of bodies in flight to one
 * origin (test/send/http2.test.ts shows it).
 */
function ownAgent(): Agent {
  return new Agent({ allowH2: false });
}
