import type { BudgetPassed } from './budgets/budget.ts';
import { RouterError } from './errors.ts';
import type { SinkDrop } from './delivery/delivery.ts';
import type { SpoolFaultReport } from './delivery/spool/types.ts';
import type { Plan } from './prompt-cache/explain.ts';
import type { LimitChange } from './schedule/traffic.ts';
import type { UsageRecord } from './types.ts';

/** What can be listened to with `router.on`. */
export interface RouterEvents {
  /** Every record, as it is handed to the sinks. */
  usage: UsageRecord;
  /** What is planned for the prompt cache of a call, just before it is sent. */
  plan: Plan;
  /** What a provider lets through has changed, as far as the router can tell. */
  limit: LimitChange;
  /** A budget has passed 50, 80, 90 or 100 % of its limit: each once in a window. */
  budget: BudgetPassed;
  /** Records that a sink lost, and why. */
  drop: SinkDrop;
  /** The outbox cannot be written, for the same reason at most every 5 s; or a damaged file of it was put aside. */
  spool: SpoolFaultReport;
}

export interface Events {
  on<Name extends keyof RouterEvents>(
    event: Name,
    listener: (value: RouterEvents[Name]) => void,
  ): () => void;
  /** Whether anybody listens: what is costly to make is made only then. */
  has(event: keyof RouterEvents): boolean;
  emit<Name extends keyof RouterEvents>(event: Name, value: RouterEvents[Name]): void;
}

/** Listeners by event. What a listener throws is its own affair: it must not take a call down. */
export function createEvents(): Events {
  const listeners: { [Name in keyof RouterEvents]: Set<(value: RouterEvents[Name]) => unknown> } = {
    usage: new Set(),
    plan: new Set(),
    limit: new Set(),
    budget: new Set(),
    drop: new Set(),
    spool: new Set(),
  };
  return {
    on(event, listener) {
      if (!Object.hasOwn(listeners, event) || typeof listener !== 'function') {
        throw new RouterError(
          'ERR_OPTIONS',
          `router.on expected one of ${Object.keys(listeners).join(', ')} and a function, got ${event} and a ${typeof listener}`,
        );
      }
      // A wrapper of its own for each call, so that the same function can listen twice and leave once.
      const entry = (value: Parameters<typeof listener>[0]): unknown => listener(value);
      listeners[event].add(entry);
      return () => listeners[event].delete(entry);
    },
    has: (event) => listeners[event].size > 0,
    emit(event, value) {
      // Those of now: one that listens again meanwhile waits for the next.
      const current = [...listeners[event]];
      for (const listener of current) {
        try {
          const result: unknown = listener(value);
          if (result instanceof Promise) result.catch(() => {});
        } catch {
          // See above.
        }
      }
    },
  };
}
