import type { Call } from '../call.ts';
import type { ToolOrder } from '../prompt-cache/arrange/tool-order.ts';
import type { TruncateOptions } from '../prompt-cache/arrange/truncate-history.ts';
import { arrangeDraft } from '../prompt-cache/body/arrange-draft.ts';
import { guarded } from '../prompt-cache/body/guarded.ts';
import type { Next, Stage } from '../stage.ts';

export interface ArrangeOptions {
  readonly toolOrder: ToolOrder;
  /** Requests of one account to one host and model have the same. */
  readonly scopeOf: (call: Call) => string;
  /** Default: false. */
  readonly systemFirst?: boolean | undefined;
  /** Default: history is never shortened. */
  readonly history?: TruncateOptions | undefined;
}

/** Sends the same tools in the same order, and, where the user asked for it, other messages first or fewer of them. */
export function arrange({ scopeOf, ...options }: ArrangeOptions): Stage {
  return {
    name: 'arrange',
    handle: function arrange(call: Call, next: Next): Promise<Response> {
      const { draft } = call;
      if (draft !== undefined) {
        guarded(call, () => {
          arrangeDraft(draft, { ...options, scope: scopeOf(call) });
        });
      }
      return next(call);
    },
  };
}
