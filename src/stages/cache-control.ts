import type { Call } from '../call.ts';
import type { CacheKeeper, PlannedCall } from '../prompt-cache/cache-keeper.ts';
import type { Edit } from '../prompt-cache/types.ts';
import type { Next, Stage } from '../stage.ts';

export interface CacheControlOptions {
  readonly cacheKeeper: CacheKeeper;
  /** Takes every plan, in the mode `observe` too. Never throws. */
  readonly onPlan: (call: Call, planned: PlannedCall) => void;
}

/**
 * Plans what the provider's prompt cache is to keep of a request, writes it into the body, and tells the planner what became
 * of it. A call is planned once, however often it is sent.
 */
export function cacheControl({ cacheKeeper, onPlan }: CacheControlOptions): Stage {
  return {
    name: 'cache-control',
    handle: async function cacheControl(call: Call, next: Next): Promise<Response> {
      const planned = (call.planned ??= plan(call));
      if (planned === undefined) return next(call);
      const before = call.edits;
      if (planned.edits.length > 0) {
        // A body of bytes is text from here on.
        call.body = planned.request.prompt.text;
        call.edits = inOrder(before, planned.edits);
        call.changed = true;
      }
      try {
        const response = await next(call);
        if (response.ok) cacheKeeper.answered(planned);
        else cacheKeeper.failed(planned);
        return response;
      } catch (error) {
        cacheKeeper.failed(planned);
        throw error;
      } finally {
        call.edits = before;
      }
    },
  };

  function plan(call: Call): PlannedCall | undefined {
    const request = call.cacheRequest;
    if (request === undefined) return undefined;
    try {
      const planned = cacheKeeper.plan(request, call.context);
      call.cacheAccount = cacheKeeper.account(planned, call.context, call.model);
      onPlan(call, planned);
      return planned;
    } catch {
      // A fault in planning costs the plan, never the call.
      return undefined;
    }
  }
}

/** Both lists are sorted, and no two edits meet. */
function inOrder(own: readonly Edit[], more: readonly Edit[]): readonly Edit[] {
  if (own.length === 0) return more;
  return more.length === 0 ? own : [...own, ...more].sort((a, b) => a.at - b.at);
}
