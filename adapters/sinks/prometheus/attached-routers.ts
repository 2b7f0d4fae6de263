import type { RouterView } from '../../../src/types.ts';
import type { Labels } from './labels.ts';
import { readDelivery, readRouter, type Snapshot } from './read-router.ts';
import { RouterMetrics } from './router-metrics.ts';

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
