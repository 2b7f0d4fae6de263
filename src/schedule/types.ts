/** The contracts of waiting: who is next, and who is woken when. Types only: nothing here runs. */
import type { Priority } from '../types.ts';

/** One call that waits. Its owner makes it; the queue keeps its own places in it. */
export interface Waiter {
  readonly priority: Priority;
  /** Calls of one flow go first in, first out; flows share what there is. A tenant, and what else limits its calls alone. */
  readonly flow: string;
  readonly arrivedAt: number;
  /** In the order of arrival, router-wide. A call that comes back after a refusal keeps it, and so its place. */
  readonly sequence: number;
  /** For a call that comes back: what `take` said that its flow was charged for it. The flow gets it back. */
  readonly charged?: number | undefined;
}

/** Calls in the order in which they are to be sent. Pure: it knows no time but what it is told. */
export interface FairQueue<W extends Waiter> {
  readonly size: number;
  /** How many wait, by priority. */
  readonly sizes: Readonly<Record<Priority, number>>;
  push(waiter: W): void;
  /** `false` when it does not wait here. */
  remove(waiter: W): boolean;
  /** Who goes next; stays in the queue until taken. `undefined` when nobody waits whose flow is not blocked. */
  next(now: number): W | undefined;
  /** Takes out who goes, whoever it is, and charges its flow and class for it. Returns the charge; 0 if it did not wait here. */
  take(waiter: W, now: number): number;
  /**
   * Passes over a flow whose own limit is used up, calls of it that come later included. It ends with `unblock`, when none of
   * its calls waits any more, and when one comes that is more urgent than all of them: it may be let where they were not.
   */
  block(flow: string): void;
  unblock(flow: string): void;
  /** The one that has to make room for somebody more urgent: the latest of the least urgent. */
  last(): W | undefined;
  /** How many would go before one of this priority and flow that comes now. An estimate. */
  ahead(priority: Priority, flow: string): number;
}

/** Wakes many with one timer. */
export interface Alarm {
  /** Calls `wake` once, at `at` (`Clock.now()`) or shortly after. */
  set(at: number, wake: () => void): AlarmHandle;
  clear(handle: AlarmHandle | undefined): void;
  /** No wake-up after this. */
  close(): void;
}

/** One wake-up that is set. */
export interface AlarmHandle {
  readonly at: number;
}
