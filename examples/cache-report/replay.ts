/** What did the recorded calls cost, what did the prompt cache make of them, and what would `auto` have done? */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRouter, type RouterEvents, type RouterOptions, type UsageRecord } from 'tokenrouter';
import { createVirtualClock, fixtureResponse } from 'tokenrouter/testing';
import { picoDollars } from './money.ts';
import type { Exchange } from './traffic.ts';

export type Plan = RouterEvents['plan'];

/** One call as the router saw it. */
export interface Observation {
  readonly exchange: Exchange;
  readonly record: UsageRecord;
  /** What the router would do with it, and the blocks of its prompt. */
  readonly plan?: Plan | undefined;
  /** What `auto` would have saved, in pico-dollars; negative where it would have cost more. */
  readonly autoSaves: bigint;
  /** Input tokens that it would have read. */
  readonly autoReads: number;
}

/**
 * Plays the exchanges through routers that only observe. Nothing reaches the network. Gives the calls in the order in which
 * they were sent.
 */
export async function replay(exchanges: readonly Exchange[]): Promise<Observation[]> {
  const planned = await play(exchanges, 'observe');
  const plans = new Map(planned.map((observation) => [observation.exchange, observation]));
  // A router looks at requests as it would send them, where tools stand in order already. What went wrong shows in requests
  // as they were sent.
  const asSent = await play(exchanges, { mode: 'observe', tools: 'keep' });
  return asSent.map((seen) => {
    const { autoSaves, autoReads } = plans.get(seen.exchange) ?? seen;
    return { ...seen, autoSaves, autoReads };
  });
}

/** Each exchange at the time at which it was recorded, on a clock that does not wait. */
async function play(
  exchanges: readonly Exchange[],
  promptCache: RouterOptions['promptCache'],
): Promise<Observation[]> {
  const clock = createVirtualClock({ startAt: exchanges[0]?.sentAt ?? 0 });
  const playing = new AsyncLocalStorage<Exchange>();
  const plans = new Map<Exchange, Plan>();
  const observations = new Map<Exchange, Observation>();

  const router = createRouter({
    clock,
    promptCache,
    fetch: () => {
      const exchange = playing.getStore();
      if (exchange === undefined) throw new Error('expected to know which exchange is played');
      return answerOf(exchange, clock);
    },
  });
  router.on('plan', (plan) => {
    const exchange = playing.getStore();
    if (exchange !== undefined) plans.set(exchange, plan);
  });
  let savedBefore = 0n;
  router.on('usage', (record) => {
    const exchange = exchanges[Number(record.context.tags?.['exchange'])];
    if (exchange === undefined || !record.final) return;
    // The router gives a sum: what it grew by is this call's.
    const saved = picoDollars(router.snapshot().promptCache.observed.savedUsd);
    const autoSaves = saved - savedBefore;
    savedBefore = saved;
    const plan = plans.get(exchange);
    const autoReads = plan?.tokens.expectedRead ?? 0;
    observations.set(exchange, { exchange, record, plan, autoSaves, autoReads });
  });

  const calls: Array<Promise<unknown>> = [];
  for (const [index, exchange] of exchanges.entries()) {
    await clock.advance(Math.max(0, exchange.sentAt - clock.wallNow()));
    const { fetch } = router.with({ tags: { exchange: String(index) } });
    const call = playing.run(exchange, () => fetch(exchange.url, exchange.init));
    // What failed when it was recorded fails again, and its record says so.
    calls.push(call.then((response) => response.arrayBuffer()).catch(() => {}));
  }
  await clock.runAll();
  await Promise.all(calls);
  await router.close();
  return exchanges.flatMap((exchange) => observations.get(exchange) ?? []);
}

type Clock = NonNullable<RouterOptions['clock']>;

async function answerOf({ fixture, url, init }: Exchange, clock: Clock): Promise<Response> {
  // A caller who gave up, gave up: nobody waits here for the rest.
  const fault = fixture.fault && { ...fixture.fault, kind: 'close' as const };
  return fixtureResponse(fixture, {
    timing: 'recorded',
    clock,
    request: { method: init.method ?? 'GET', url },
    ...(fault && { fault }),
  });
}
