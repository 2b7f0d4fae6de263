import type { Clock } from '../types.ts';

/** Real time. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms).unref(),
  clearTimeout: (handle) => {
    if (isTimer(handle)) clearTimeout(handle);
  },
};

/** What `setTimeout` gives; to its users it is opaque. */
function isTimer(handle: unknown): handle is NodeJS.Timeout {
  return typeof handle === 'object' && handle !== null;
}
