import type { Clock, Random } from '../../src/types.ts';

/** What may go wrong with the clocks of a process. Times in milliseconds of the scenario. */
export type ClockFault =
  /** The system's date is set. */
  | { readonly kind: 'wall jump'; readonly at: number; readonly byMs: number }
  /** The process stands still: a laptop's lid, a frozen container. */
  | { readonly kind: 'pause'; readonly from: number; readonly to: number };

/** Time as one process sees it. */
export interface ProcessClock extends Clock {
  /** Calls back when the process runs: at once unless it stands still. */
  whenRunning(act: () => void): void;
  /** Timers set so far, and the most that were pending at once. */
  readonly timers: { readonly set: number; readonly mostPending: number };
}

/**
 * Timers as Node keeps them: whole milliseconds, at least one, up to one late, and none while the process stands still.
 * Steps of the wall clock leave `now` alone.
 */
export function createProcessClock(
  clock: Clock,
  random: Random,
  faults: readonly ClockFault[] = [],
): ProcessClock {
  const timers = { set: 0, pending: 0, mostPending: 0 };

  function wallStep(): number {
    return faults.reduce(
      (sum, fault) =>
        fault.kind === 'wall jump' && clock.now() >= fault.at ? sum + fault.byMs : sum,
      0,
    );
  }

  function whenRunning(act: () => void): void {
    const now = clock.now();
    const pause = faults.find(
      (fault) => fault.kind === 'pause' && fault.from <= now && now < fault.to,
    );
    if (pause?.kind === 'pause') clock.setTimeout(act, pause.to - now);
    else act();
  }

  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow() + wallStep(),
    setTimeout(run, ms) {
      timers.set++;
      timers.mostPending = Math.max(timers.mostPending, ++timers.pending);
      const timer: ProcessTimer = { isSet: true, handle: undefined };
      timer.handle = clock.setTimeout(
        () => {
          whenRunning(() => {
            if (!timer.isSet) return;
            timer.isSet = false;
            timers.pending--;
            run();
          });
        },
        Math.max(1, Math.trunc(ms)) + random(),
      );
      return timer;
    },
    clearTimeout(handle) {
      if (!isTimer(handle) || !handle.isSet) return;
      handle.isSet = false;
      timers.pending--;
      clock.clearTimeout(handle.handle);
    },
    whenRunning,
    timers,
  };
}

interface ProcessTimer {
  isSet: boolean;
  handle: unknown;
}

function isTimer(handle: unknown): handle is ProcessTimer {
  return typeof handle === 'object' && handle !== null && 'isSet' in handle;
}
