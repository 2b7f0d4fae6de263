import type { Clock } from '../types.ts';

/** What the promise gives, or a rejection when that takes longer than `ms`. */
export function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    // In two steps: a process that was busy for long runs its timers before it reads the answer that is there already.
    let timer = clock.setTimeout(() => {
      timer = clock.setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms / 2);
    }, ms / 2);
    promise.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
