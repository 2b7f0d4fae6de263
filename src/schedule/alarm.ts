import type { Clock } from '../types.ts';
import { Heap, type HeapOrder, NO_PLACE } from '../util/heap.ts';
import type { Alarm, AlarmHandle } from './types.ts';

/** Node fires timers at once when their delay does not fit into 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

class Entry implements AlarmHandle {
  readonly at: number;
  /** In which order it was set: the order of those that are due together. */
  readonly order: number;
  /** Gone once it has run or is cleared. */
  wake: (() => void) | undefined;
  place = NO_PLACE;

  constructor(at: number, order: number, wake: () => void) {
    this.at = at;
    this.order = order;
    this.wake = wake;
  }
}

const EARLIEST_FIRST: HeapOrder<Entry> = {
  isBefore: (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order),
  placeOf: (entry) => entry.place,
  setPlace: (entry, place) => {
    entry.place = place;
  },
};

/**
 * One timer of the clock for all entries. It is set for the earliest; when that one is cleared and others are left, the timer
 * stays, rings for nobody and is set anew: cheaper than a new timer for every call that need not wait so long after all.
 */
export function createAlarm(clock: Clock): Alarm {
  const entries = new Heap<Entry>(EARLIEST_FIRST);
  let set = 0;
  let timer: unknown;
  /** When the timer is due; `Infinity` when none is set. */
  let timerAt = Infinity;
  let isRinging = false;
  let isClosed = false;

  /** Sees to it that the timer rings for the earliest entry, or that there is none without entries. */
  function arm(): void {
    const earliest = entries.peek();
    if (isRinging || (earliest !== undefined && earliest.at >= timerAt)) return;
    if (timerAt !== Infinity) clock.clearTimeout(timer);
    timer = undefined;
    timerAt = Infinity;
    if (earliest === undefined) return;
    const now = clock.now();
    // Up to whole milliseconds, because Node cuts fractions off and would ring too early.
    const delay = Math.min(Math.max(0, Math.ceil(earliest.at - now)), MAX_DELAY_MS);
    timerAt = Math.min(earliest.at, now + delay);
    timer = clock.setTimeout(ring, delay);
  }

  function ring(): void {
    timer = undefined;
    timerAt = Infinity;
    const due = takeDue();
    isRinging = true;
    for (const entry of due) wakeUp(entry);
    isRinging = false;
    arm();
  }

  function wakeUp(entry: Entry): void {
    const { wake } = entry;
    entry.wake = undefined;
    if (isClosed) return;
    try {
      wake?.();
    } catch {
      // A fault of ours. Out of a timer it would end the host's process, and the others still wait to be woken.
    }
  }

  /** All at once, so that an entry that is set for now by another's wake-up waits for the next timer and cannot go on for ever. */
  function takeDue(): Entry[] {
    const now = clock.now();
    const due: Entry[] = [];
    for (let entry = entries.peek(); entry !== undefined; entry = entries.peek()) {
      if (entry.at > now) break;
      entries.remove(entry);
      due.push(entry);
    }
    return due;
  }

  return {
    set(at, wake) {
      // Never a number that compares with nothing: it would stand in everybody's way.
      const entry = new Entry(Number.isNaN(at) ? clock.now() : at, set++, wake);
      if (isClosed) return entry;
      entries.push(entry);
      arm();
      return entry;
    },
    clear(handle) {
      if (!(handle instanceof Entry)) return;
      // It may be due and about to run.
      handle.wake = undefined;
      if (entries.remove(handle) && entries.size === 0) arm();
    },
    close() {
      isClosed = true;
      for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
        entry.wake = undefined;
      }
      arm();
    },
  };
}
