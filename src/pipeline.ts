/**
 * THE ORDER. A call walks down this list and its answer walks back up; the first stage is the outermost.
 *
 *     host ── fetch ──▶ meter ─▶ (middleware) ─▶ identify ─▶ adapt ─▶ send ──▶ provider
 *                         │                                            │
 *                         ▼                                            ▼
 *                   usage records                        one tap on the answer's bytes
 */
import type { Next, Stage } from './stage.ts';
import { adapt } from './stages/adapt.ts';
import { identify, type IdentifyOptions } from './stages/identify.ts';
import { meter, type MeterOptions } from './stages/meter/index.ts';
import { middleware } from './stages/middleware.ts';
import { send, type SendOptions } from './stages/send/index.ts';
import type { Middleware } from './types.ts';

export interface PipelineOptions extends MeterOptions, IdentifyOptions, SendOptions {
  readonly middleware: readonly Middleware[];
}

/** Every stage, outermost first. */
export function stages(options: PipelineOptions): readonly Stage[] {
  return [
    meter(options), //                    times the call, settles exactly one final record
    ...options.middleware.map(middleware), // the user's own functions
    identify(options), //                 adapter by URL, body read once
    adapt(), //                           what the provider must be asked for
    send(options), //                     transport, and one tap on the answer
  ];
}

/** The stages as one function. The innermost stage answers; it has no next. */
export function compose(list: readonly Stage[]): Next {
  let next: Next = () => Promise.reject(new Error('The last stage of a pipeline must answer.'));
  for (const stage of list.toReversed()) {
    const inner = next;
    next = (call) => stage.handle(call, inner);
  }
  return next;
}
