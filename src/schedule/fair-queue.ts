import type { Priority } from '../types.ts';
import type { FairQueue, Waiter } from './types.ts';
import { WeightedFairQueue } from './weighted-fair-queue.ts';

export interface FairQueueOptions<W extends Waiter> {
  /** A call is due so many milliseconds after it came for each class above its own. */
  readonly agingMs: number;
  /** The share of a flow among those of its class, relative to the others. Default: 1 each. Read when the flow comes. */
  readonly weightOf?: ((flow: string) => number) | undefined;
  /** What a call takes of what is shared, relative to others. Default: 1 each. */
  readonly cost?: ((waiter: W) => number) | undefined;
}

/** For what overdue calls get out of turn, better classes get three times as much first; while urgent calls wait, 19 times. */
const STRICT_PER_AGED = 3;
const URGENT_PER_AGED = 19;

/**
 * A class of whose overdue calls none has gone for so many times `agingMs` comes before those that have been due for longer.
 * Under an overload that grows, the most urgent are overdue too, and always for longer.
 */
const FORGOTTEN_AFTER = 6;

/** One class. */
interface Level<W extends Waiter> {
  /** 0 is the most urgent. */
  readonly rank: number;
  /** How long after its arrival a call is due. */
  readonly dueMs: number;
  readonly calls: WeightedFairQueue<W>;
  /** When one of it was taken last. */
  servedAt: number;
}

/**
 * Four classes, the most urgent first, each of them a weighted fair queue.
 *
 * Aging: a call is due `agingMs` after its arrival for each class above its own. While the one that has been due the longest
 * is passed over for a better class, what is served adds to a credit; when that is three times what the call costs, or 19 times
 * while urgent calls wait, it goes out of turn. So the better classes keep three quarters, urgent calls 19 of 20, and nobody
 * starves. Calls that came together go by class however late they are. Always the class's own head goes, so no flow gets more
 * by being late. The credit never exceeds what that call needs by more than one service: a long backlog cannot flood, nor can
 * it when the last urgent call has gone and less is needed.
 */
class ClassQueue<W extends Waiter> implements FairQueue<W> {
  readonly #levels: readonly Level<W>[];
  readonly #byPriority: Readonly<Record<Priority, Level<W>>>;
  readonly #cost: (waiter: W) => number;
  readonly #forgottenMs: number;
  /** Served to better classes while somebody overdue was passed over, and not used up. */
  #credit = 0;
  /** What the credit was counted for last. */
  #perAged = STRICT_PER_AGED;

  constructor({ agingMs, weightOf = one, cost = one }: FairQueueOptions<W>) {
    this.#cost = (waiter) => share(cost(waiter));
    this.#forgottenMs = agingMs * FORGOTTEN_AFTER;
    const level = (rank: number): Level<W> => ({
      rank,
      dueMs: agingMs * rank,
      servedAt: -Infinity,
      calls: new WeightedFairQueue<W>((flow) => share(weightOf(flow))),
    });
    const [urgent, high, normal, low] = [level(0), level(1), level(2), level(3)];
    this.#levels = [urgent, high, normal, low];
    this.#byPriority = { urgent, high, normal, low };
  }

  get size(): number {
    let size = 0;
    for (const { calls } of this.#levels) size += calls.size;
    return size;
  }

  get sizes(): Readonly<Record<Priority, number>> {
    const { urgent, high, normal, low } = this.#byPriority;
    return {
      urgent: urgent.calls.size,
      high: high.calls.size,
      normal: normal.calls.size,
      low: low.calls.size,
    };
  }

  push(waiter: W): void {
    const { flow } = waiter;
    const level = this.#byPriority[waiter.priority];
    const best = this.#levels.find(({ calls }) => calls.hasFlow(flow));
    if (best !== undefined && best.rank > level.rank) this.unblock(flow);
    level.calls.push(waiter, best?.calls.isBlocked(flow) === true);
  }

  remove(waiter: W): boolean {
    return this.#byPriority[waiter.priority].calls.remove(waiter);
  }

  next(now: number): W | undefined {
    const best = this.#best();
    if (best === undefined) return undefined;
    const overdue = this.#overdue(now)?.calls.head();
    if (overdue !== undefined && this.#credit >= perAgedBeside(best) * this.#cost(overdue)) {
      return overdue;
    }
    return best.calls.head();
  }

  take(waiter: W, now: number): number {
    const level = this.#byPriority[waiter.priority];
    if (!level.calls.has(waiter)) return 0;
    const cost = this.#cost(waiter);
    this.#account(level, cost, now);
    level.calls.take(waiter, cost);
    level.servedAt = now;
    return cost;
  }

  block(flow: string): void {
    for (const { calls } of this.#levels) calls.setBlocked(flow, true);
  }

  unblock(flow: string): void {
    for (const { calls } of this.#levels) calls.setBlocked(flow, false);
  }

  last(): W | undefined {
    return this.#levels.findLast(({ calls }) => calls.size > 0)?.calls.last();
  }

  ahead(priority: Priority, flow: string): number {
    const { rank, calls } = this.#byPriority[priority];
    let ahead = calls.ahead(flow);
    for (const better of this.#levels) if (better.rank < rank) ahead += better.calls.readySize;
    return ahead;
  }

  /** What serving one of this class does to the credit. */
  #account(level: Level<W>, cost: number, now: number): void {
    const best = this.#best() ?? level;
    const perAged = perAgedBeside(best);
    const overdue = this.#overdue(now);
    const head = overdue?.calls.head();
    const needed = head === undefined ? 0 : perAged * this.#cost(head);
    if (perAged !== this.#perAged && head !== undefined) {
      this.#perAged = perAged;
      this.#credit = Math.min(this.#credit, needed);
    }
    if (overdue !== undefined && overdue.rank > level.rank) {
      this.#credit = Math.min(this.#credit, needed) + cost;
    } else if (best.rank < level.rank) {
      this.#credit = Math.max(0, this.#credit - perAged * cost);
    }
  }

  /** The best class whose head may go. */
  #best(): Level<W> | undefined {
    return this.#levels.find(({ calls }) => calls.head() !== undefined);
  }

  /** The class whose head has been due the longest; those of whom none has gone for a long time before the others. */
  #overdue(now: number): Level<W> | undefined {
    // Calls that came together keep the order of their classes.
    const bestArrivedAt = this.#best()?.calls.head()?.arrivedAt ?? -Infinity;
    let longest: Level<W> | undefined;
    let earliest = Infinity;
    for (const level of this.#levels) {
      const head = level.calls.head();
      if (head === undefined) continue;
      const due = head.arrivedAt + level.dueMs;
      if (due > now) continue;
      const since = Math.max(due, level.servedAt);
      const isForgotten = now - since > this.#forgottenMs && head.arrivedAt < bestArrivedAt;
      const order = isForgotten ? since - LONG_AGO : due;
      if (order >= earliest) continue;
      earliest = order;
      longest = level;
    }
    return longest;
  }
}

/** Earlier than any time of a clock. */
const LONG_AGO = 2 ** 52;

export function createFairQueue<W extends Waiter>(options: FairQueueOptions<W>): FairQueue<W> {
  return new ClassQueue(options);
}

/** How many times what an overdue call costs goes first while this class is the best that waits. */
function perAgedBeside({ rank }: { readonly rank: number }): number {
  return rank === 0 ? URGENT_PER_AGED : STRICT_PER_AGED;
}

function one(): number {
  return 1;
}

/** Weights and costs come from outside; a number that is none would put the order of all others out. */
function share(value: number): number {
  return value > 0 && value < Infinity ? value : 1;
}
