import type { RouterView } from '../../../src/types.ts';
import { picoDollars } from '../../../src/util/usd.ts';
import type { Labels } from './labels.ts';
import { RouterMetrics } from './router-metrics.ts';

type Budget = Snapshot['budgets'][number];
type Lane = Snapshot['traffic']['lanes'][number];
type LimitState = Lane['limits'][number]['state'];

/** What a router tells of itself. */
type Snapshot = ReturnType<RouterView['snapshot']>;

/** The worst first. */
const STATES: readonly LimitState[] = ['retreat', 'recover', 'normal'];

/** The routers that one sink shows, added up. */
export class AttachedRouters {
  readonly #views = new Set<RouterView>();
  /** What routers that are closed have counted, so that no counter goes down. */
  readonly #closed = new RouterMetrics();
  readonly #labels: Labels;

  constructor(labels: Labels) {
    this.#labels = labels;
  }

  attach(view: RouterView): void {
    // A process may make and close routers without end, and nobody need ever ask for the page.
    this.read();
    this.#views.add(view);
  }

  /** As they are now. */
  read(): RouterMetrics {
    const metrics = new RouterMetrics();
    for (const view of this.#views) {
      const snapshot = view.snapshot();
      if (isClosed(snapshot)) {
        this.#views.delete(view);
        readDelivery(this.#closed, this.#labels, snapshot.delivery);
      } else {
        readRouter(metrics, this.#labels, snapshot);
      }
    }
    metrics.dropped.addAll(this.#closed.dropped);
    metrics.written.addAll(this.#closed.written);
    metrics.sinkRetries.addAll(this.#closed.sinkRetries);
    metrics.unspooled.addAll(this.#closed.unspooled);
    const { user, system } = process.cpuUsage();
    metrics.cpu.add([], (user + system) / 1e6);
    metrics.memory.add([], process.memoryUsage.rss());
    return metrics;
  }
}

function isClosed({ delivery: { sinks } }: Snapshot): boolean {
  return sinks.length > 0 && sinks.every(({ state }) => state === 'closed');
}

/** Adds what a router shows to what others have shown. */
function readRouter(metrics: RouterMetrics, labels: Labels, snapshot: Snapshot): void {
  const { uptimeMs, calls, traffic, dedupe, budgets, delivery } = snapshot;
  metrics.uptime.add([], uptimeMs / 1000);
  metrics.activeCalls.add([], calls.active);
  metrics.activeStreams.add([], calls.activeStreams);
  metrics.responseCacheBytes.add([], dedupe.cache.bytes);
  for (const lane of traffic.lanes) readLane(metrics, labels, lane);
  for (const budget of budgets) readBudget(metrics, labels, budget);
  readDelivery(metrics, labels, delivery);
}

function readLane(metrics: RouterMetrics, labels: Labels, lane: Lane): void {
  const provider = labels.provider(lane.provider);
  const model = labels.model(lane.model);
  metrics.inFlight.add([provider], lane.inFlight);
  for (const [priority, waiting] of Object.entries(lane.waiting)) {
    metrics.queueDepth.add([provider, priority], waiting);
  }
  const states = new Set(lane.limits.map(({ state }) => state));
  const worst = STATES.find((state) => states.has(state)) ?? 'normal';
  for (const state of STATES) {
    metrics.limitState.add([provider, model, state], state === worst ? 1 : 0);
  }
  let rate = Infinity;
  for (const { requestsPerMinute = Infinity, refusedShare } of lane.limits) {
    rate = Math.min(rate, requestsPerMinute);
    metrics.rateLimited.add([provider, model], refusedShare);
  }
  metrics.effectiveRate.add([provider, model], rate);
}

/** Named by its rule alone: whose it is stays out of the page. */
function readBudget(metrics: RouterMetrics, labels: Labels, budget: Budget): void {
  const place = [labels.value('budget', budget.name), labels.value('window', budget.window)];
  metrics.budgetUse.add(place, budget.usedShare);
  const limitUsd = picoDollars(budget.limitUsd);
  if (limitUsd !== undefined) {
    const spent = picoDollars(budget.spentUsd) ?? 0n;
    const reserved = picoDollars(budget.reservedUsd) ?? 0n;
    metrics.budgetLimitUsd.add(place, limitUsd);
    metrics.budgetSpentUsd.add(place, spent);
    metrics.budgetReservedUsd.add(place, reserved);
    metrics.budgetRemainingUsd.add(place, limitUsd - spent - reserved);
  }
  const { limitTokens, spentTokens, reservedTokens } = budget;
  if (limitTokens !== undefined) {
    metrics.budgetLimitTokens.add(place, limitTokens);
    metrics.budgetSpentTokens.add(place, spentTokens);
    metrics.budgetReservedTokens.add(place, reservedTokens);
    metrics.budgetRemainingTokens.add(place, limitTokens - spentTokens - reservedTokens);
  }
}

/** What stays true of a router when it is closed. */
function readDelivery(
  metrics: RouterMetrics,
  labels: Labels,
  { sinks, spool }: Snapshot['delivery'],
): void {
  for (const { name, pending, written, dropped, retries } of sinks) {
    const sink = labels.value('sink', name);
    metrics.pending.add([sink], pending);
    metrics.written.add([sink], written);
    metrics.sinkRetries.add([sink], retries);
    for (const [reason, count] of Object.entries(dropped)) {
      metrics.dropped.add([sink, labels.value('drop', reason)], count);
    }
  }
  if (spool === undefined) return;
  metrics.spoolBytes.add([], spool.bytes);
  for (const [reason, count] of Object.entries(spool.unspooled)) {
    metrics.unspooled.add([labels.value('spool', reason)], count);
  }
}
