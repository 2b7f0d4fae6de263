import type { Call } from '../call.ts';
import type { Dedupe } from '../dedupe/dedupe.ts';
import type { Next, Stage } from '../stage.ts';

export interface DedupeStageOptions {
  readonly dedupe: Dedupe;
}

/**
 * One request for identical calls in flight, streamed or not, and an answer from the response cache where one is kept. What may
 * not share goes on as if nothing were here.
 */
export function dedupe({ dedupe: shared }: DedupeStageOptions): Stage {
  return {
    name: 'dedupe',
    handle: function dedupe(call: Call, next: Next): Promise<Response> {
      return shared.answer(call, next) ?? next(call);
    },
  };
}
