import { Heap, type HeapOrder, NO_PLACE } from '../util/heap.ts';
import type { Waiter } from './types.ts';

/** One call that waits. */
export class Entry<W extends Waiter> {
  readonly waiter: W;
  readonly flow: Flow<W>;
  placeInFlow: number = NO_PLACE;
  placeInAll: number = NO_PLACE;

  constructor(waiter: W, flow: Flow<W>) {
    this.waiter = waiter;
    this.flow = flow;
  }
}

/** Calls of one priority that go first come, first served, and what they have had of what there is. */
export class Flow<W extends Waiter> {
  readonly name: string;
  readonly weight: number;
  /** The virtual time at which its next call may start: what it has had, in relation to its weight. */
  start: number;
  readonly entries: Heap<Entry<W>> = new Heap<Entry<W>>(FIRST_COME);
  isBlocked = false;
  /** In the heap of those that are ready or of those that rest; never in both. */
  place: number = NO_PLACE;

  constructor(name: string, weight: number, start: number) {
    this.name = name;
    this.weight = weight;
    this.start = start;
  }

  get head(): W | undefined {
    return this.entries.peek()?.waiter;
  }
}

const FIRST_COME: HeapOrder<Entry<Waiter>> = {
  isBefore: (a, b) => a.waiter.sequence < b.waiter.sequence,
  placeOf: (entry) => entry.placeInFlow,
  setPlace: (entry, place) => {
    entry.placeInFlow = place;
  },
};

export const LAST_COME: HeapOrder<Entry<Waiter>> = {
  isBefore: (a, b) => a.waiter.sequence > b.waiter.sequence,
  placeOf: (entry) => entry.placeInAll,
  setPlace: (entry, place) => {
    entry.placeInAll = place;
  },
};

/** Of flows that have had the same, the one whose call came first. */
export const LEAST_SERVED: HeapOrder<Flow<Waiter>> = {
  isBefore: (a, b) => a.start < b.start || (a.start === b.start && sequenceOf(a) < sequenceOf(b)),
  placeOf: (flow) => flow.place,
  setPlace: (flow, place) => {
    flow.place = place;
  },
};

function sequenceOf({ head }: Flow<Waiter>): number {
  return head?.sequence ?? Infinity;
}
