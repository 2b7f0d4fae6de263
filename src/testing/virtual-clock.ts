import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { Clock } from '../types.ts';

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `ms` milliseconds and runs the timers that fall due, also those set meanwhile, earliest first and
   * in the order they were set when they are due together. Promises settle before the first timer, between timers and
   * at the end. Rejects with what a timer throws, and after `maxTimers` timers.
   */
  advance(ms: number): Promise<void>;
  /** Jumps to the earliest timer and runs it. `false` when none is set. */
  next(): Promise<boolean>;
  /** Runs timers until none is set. Rejects after `maxTimers` timers. */
  runAll(): Promise<void>;
  /** How many timers are set. */
  readonly pending: number;
}

export interface VirtualClockOptions {
  /** What `wallNow()` starts at, in milliseconds since the epoch. Default: 2026-01-01T00:00:00Z. `now()` starts at 0. */
  startAt?: number;
  /** How many timers one `advance` or `runAll` runs at most; more are taken for an endless loop. Default: 100 000. */
  maxTimers?: number;
}

/** Node fires timers at once when their delay does not fit into 31 bits, so such a delay is always a mistake. */
const MAX_DELAY_MS = 2 ** 31 - 1;

class Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;

  constructor(dueAt: number, order: number, run: () => void) {
    this.dueAt = dueAt;
    this.order = order;
    this.run = run;
  }

  isBefore(other: Timer): boolean {
    return this.dueAt < other.dueAt || (this.dueAt === other.dueAt && this.order < other.order);
  }
}

/** Creates a clock for tests: no real time passes, and the same calls always give the same order of timers. */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { startAt = Date.UTC(2026, 0, 1), maxTimers = 100_000 } = options;
  /** The earliest last, so that taking it is cheap. */
  const timers: Timer[] = [];
  let now = 0;
  let goal = 0;
  let order = 0;

  /** Where a timer stands, or would stand, in `timers`. */
  function placeOf(timer: Timer): number {
    let low = 0;
    let high = timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (timer.isBefore(timers[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function runEarliest(): void {
    const timer = timers.pop()!;
    now = Math.max(now, timer.dueAt);
    timer.run();
  }

  async function runUntil(limit: number): Promise<void> {
    await eventLoopTurn();
    for (let ran = 0; timers.length > 0 && timers.at(-1)!.dueAt <= limit; ran++) {
      if (ran === maxTimers) {
        throw new Error(
          `expected at most ${maxTimers} timers in one go, but there are still ${timers.length}: ` +
            'a timer seems to set itself again without end (raise maxTimers if not)',
        );
      }
      runEarliest();
      await eventLoopTurn();
    }
  }

  return {
    now: () => now,
    wallNow: () => startAt + now,
    setTimeout(run, ms) {
      const delayMs = ms > 0 ? ms : 0;
      if (delayMs > MAX_DELAY_MS) {
        throw new RangeError(
          `expected a delay of at most ${MAX_DELAY_MS} ms, got ${ms}: Node would fire this timer at once`,
        );
      }
      const timer = new Timer(now + delayMs, order++, run);
      timers.splice(placeOf(timer), 0, timer);
      return timer;
    },
    clearTimeout(handle) {
      if (!(handle instanceof Timer)) return;
      const place = placeOf(handle);
      if (timers[place] === handle) timers.splice(place, 1);
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`expected 0 or more milliseconds to advance, got ${ms}`);
      // Calls that overlap add up: each goes on from where the one before will end.
      const target = Math.max(goal, now) + ms;
      goal = target;
      await runUntil(target);
      now = Math.max(now, target);
    },
    async next() {
      await eventLoopTurn();
      if (timers.length === 0) return false;
      runEarliest();
      await eventLoopTurn();
      return true;
    },
    runAll: () => runUntil(Infinity),
    get pending() {
      return timers.length;
    },
  };
}
