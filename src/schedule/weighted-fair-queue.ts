import { Heap } from '../util/heap.ts';
import { Entry, Flow, LAST_COME, LEAST_SERVED } from './flow.ts';
import type { Waiter } from './types.ts';

/**
 * So many flows without calls are remembered. For those that have had more than the others, because that counts when they come
 * back; for the rest, because a `Map` is slow where the same key comes and goes among many others (V8, seen in Node 24: removed
 * keys stay in its chains until it is rebuilt).
 */
const MAX_RESTING = 1000;

/**
 * Calls of one priority. Flows get shares of what is served in proportion to their weights, each of them first come, first
 * served.
 *
 * Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): a flow has a start tag, which moves on by cost / weight with
 * each of its calls, and the lowest goes next. A flow that comes, or comes back, starts at the virtual time, so it has no
 * credit for its idleness. Virtual time moves on as in the fluid model, by cost / weights of all flows that are ready, and not
 * to the tag of the call served: with a new flow for every call it would stand still then, and a flow with two calls would
 * never get to its second. Flows without calls are forgotten when there are too many of them, the lowest tag first: one that
 * the virtual time has passed makes no difference. With no call left at all, everything is forgotten.
 */
export class WeightedFairQueue<W extends Waiter> {
  readonly #weightOf: (flow: string) => number;
  readonly #entries = new Map<W, Entry<W>>();
  readonly #flows = new Map<string, Flow<W>>();
  readonly #all = new Heap<Entry<W>>(LAST_COME);
  /** Flows with calls that are not blocked. */
  readonly #ready = new Heap<Flow<W>>(LEAST_SERVED);
  /** Flows without calls. */
  readonly #resting = new Heap<Flow<W>>(LEAST_SERVED);
  #virtualTime = 0;
  #readyWeight = 0;
  #readySize = 0;

  constructor(weightOf: (flow: string) => number) {
    this.#weightOf = weightOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Calls whose flow is not blocked. */
  get readySize(): number {
    return this.#readySize;
  }

  /** Flows that it knows, those without calls included. */
  get flowCount(): number {
    return this.#flows.size;
  }

  has(waiter: W): boolean {
    return this.#entries.has(waiter);
  }

  /** Whether a call of this flow waits. */
  hasFlow(name: string): boolean {
    return this.#flows.get(name)?.head !== undefined;
  }

  /** Whether a call of this flow waits and is passed over. */
  isBlocked(name: string): boolean {
    return this.#flows.get(name)?.isBlocked === true;
  }

  /** Who goes next. */
  head(): W | undefined {
    return this.#ready.peek()?.head;
  }

  /** Who came last. */
  last(): W | undefined {
    return this.#all.peek()?.waiter;
  }

  push(waiter: W, isBlocked: boolean): void {
    if (this.#entries.has(waiter)) return;
    const flow = this.#flowOf(waiter.flow);
    const entry = new Entry(waiter, flow);
    this.#entries.set(waiter, entry);
    this.#all.push(entry);
    flow.entries.push(entry);
    if (flow.entries.size > 1) {
      if (!flow.isBlocked) this.#readySize++;
    } else {
      this.#resting.remove(flow);
      flow.isBlocked = isBlocked;
      if (!isBlocked) this.#enter(flow);
    }
    this.#refund(flow, waiter.charged ?? 0);
  }

  /** `false` when it does not wait here. */
  remove(waiter: W): boolean {
    const entry = this.#entries.get(waiter);
    if (entry === undefined) return false;
    const { flow } = entry;
    this.#entries.delete(waiter);
    this.#all.remove(entry);
    flow.entries.remove(entry);
    if (!flow.isBlocked) this.#readySize--;
    if (flow.head === undefined) {
      if (!flow.isBlocked) this.#leave(flow);
      flow.isBlocked = false;
      this.#resting.push(flow);
      this.#forget();
    } else if (!flow.isBlocked) {
      this.#ready.update(flow);
    }
    return true;
  }

  /** Takes out one that waits here, the head or not. */
  take(waiter: W, cost: number): void {
    const flow = this.#flowOf(waiter.flow);
    const first = this.#ready.peek();
    if (first !== undefined) this.#virtualTime = Math.max(this.#virtualTime, first.start);
    this.#charge(flow, cost);
    this.remove(waiter);
  }

  /** Passes over a flow, or no longer. Nothing is kept of it without a call that waits. */
  setBlocked(name: string, isBlocked: boolean): void {
    const flow = this.#flows.get(name);
    if (flow?.head === undefined || flow.isBlocked === isBlocked) return;
    flow.isBlocked = isBlocked;
    if (isBlocked) this.#leave(flow);
    else this.#enter(flow);
  }

  /** How many would go before a call of this flow that came now: those of the flow, and as many rounds of the others. */
  ahead(name: string): number {
    const flow = this.#flows.get(name);
    const weight = flow?.weight ?? this.#weightOf(name);
    const own = flow?.entries.size ?? 0;
    const isReady = own > 0 && flow?.isBlocked === false;
    const others = this.#readySize - (isReady ? own : 0);
    const otherWeight = this.#readyWeight - (isReady ? weight : 0);
    return own + Math.min(others, Math.round(((own + 1) * otherWeight) / weight));
  }

  #flowOf(name: string): Flow<W> {
    const known = this.#flows.get(name);
    if (known !== undefined) return known;
    const flow = new Flow<W>(name, this.#weightOf(name), this.#virtualTime);
    this.#flows.set(name, flow);
    return flow;
  }

  #enter(flow: Flow<W>): void {
    flow.start = Math.max(flow.start, this.#virtualTime);
    this.#ready.push(flow);
    this.#readyWeight += flow.weight;
    this.#readySize += flow.entries.size;
  }

  #leave(flow: Flow<W>): void {
    this.#ready.remove(flow);
    this.#readyWeight = this.#ready.size === 0 ? 0 : this.#readyWeight - flow.weight;
    this.#readySize -= flow.entries.size;
  }

  /**
   * Less by what the flow is behind the others already: with many calls that come back at once it would go before all others
   * for as long.
   */
  #refund(flow: Flow<W>, cost: number): void {
    const behind = Math.max(0, (this.#virtualTime - flow.start) * flow.weight);
    this.#charge(flow, -Math.max(0, cost - behind));
  }

  /** Moves the flow to where it belongs with this charge and the head that it has now. */
  #charge(flow: Flow<W>, cost: number): void {
    flow.start += cost / flow.weight;
    if (flow.isBlocked) return;
    // At least its own weight: sums of fractions that come and go are not exact.
    this.#virtualTime += cost / Math.max(this.#readyWeight, flow.weight);
    this.#ready.update(flow);
  }

  #forget(): void {
    const most = this.#entries.size === 0 ? 0 : MAX_RESTING;
    while (this.#resting.size > most) this.#flows.delete(this.#resting.pop()!.name);
  }
}
