import type { Call } from '../call.ts';
import type { CacheKeeper } from '../prompt-cache/cache-keeper.ts';
import type { CacheRequest } from '../prompt-cache/cache-request.ts';
import type { Pending } from '../prompt-cache/planner/planner.ts';
import type { Next, Stage } from '../stage.ts';
import type { Clock } from '../types.ts';

export interface WarmUpOptions {
  readonly clock: Clock;
  readonly cacheKeeper: CacheKeeper;
  /** How long after the first calls wait for it at most, in milliseconds; 0 for never. */
  readonly maxHoldMs: number;
}

/**
 * Waits while another call writes the same long prefix: an entry can be read only once the first answer begins, so calls
 * that go out together would each pay for it in full. The first goes; the others go when its answer begins, when it fails
 * (then the next of them goes first), or `maxHoldMs` after it went out. Urgent calls never wait.
 */
export function warmUp({ clock, cacheKeeper, maxHoldMs }: WarmUpOptions): Stage {
  return {
    name: 'warm-up',
    handle: function warmUp(call: Call, next: Next): Promise<Response> {
      const request = quietly(() => cacheKeeper.request(call));
      call.cacheRequest = request;
      const mayWait = request !== undefined && maxHoldMs > 0 && call.context.priority !== 'urgent';
      const pending = mayWait ? cacheKeeper.worthWaitingFor(request) : undefined;
      return request === undefined || pending === undefined
        ? next(call)
        : hold(call, request, pending, next);
    },
  };

  async function hold(
    call: Call,
    request: CacheRequest,
    first: Pending,
    next: Next,
  ): Promise<Response> {
    const began = (call.heldSince = clock.now());
    let pending: Pending | undefined = first;
    while (pending !== undefined) {
      // From when it is being written: who comes late waits for the rest only.
      const left = Math.min(pending.since, began) + maxHoldMs - clock.now();
      if (left <= 0) break;
      await cacheKeeper.warmUps.wait(pending.hash, left, call.signal);
      if (call.cutBy !== undefined || call.signal?.aborted === true) {
        // It will not be sent, so it is no sighting of its prefixes.
        call.cacheRequest = undefined;
        break;
      }
      pending = cacheKeeper.worthWaitingFor(request);
    }
    call.heldSince = undefined;
    call.heldMs = clock.now() - began;
    if (call.heldMs > 0) cacheKeeper.held(call.heldMs);
    return next(call);
  }
}

/** A fault in planning costs the plan, never the call. */
function quietly<T>(plan: () => T): T | undefined {
  try {
    return plan();
  } catch {
    return undefined;
  }
}
