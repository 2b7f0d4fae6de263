import type { Dispatcher } from 'undici';
import { Attempt, type Call } from '../../call.ts';
import type { Stage } from '../../stage.ts';
import type { AnswerOptions } from './answer.ts';
import { dispatch } from './dispatch.ts';
import { forward } from './forward.ts';

export interface SendOptions extends AnswerOptions {
  /** A `fetch` below the router. Without one, calls go out over the dispatcher. */
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly dispatcher: () => Dispatcher;
}

/**
 * Sends the request and hands the answer back as its bytes arrive. The innermost stage: it has no next.
 *
 * Every call of it is one attempt. Abort works from the first moment to the last byte; the attempt ends in any case.
 */
export function send(options: SendOptions): Stage {
  return {
    name: 'send',
    handle: async function send(call: Call): Promise<Response> {
      if (call.cutBy !== undefined) throw call.cutBy;
      call.signal?.throwIfAborted();
      const attempt = new Attempt(
        call.attempts.length + 1,
        options.clock.now(),
        call,
        call.watcher,
      );
      call.attempts.push(attempt);
      const transport = call.transport ?? options.fetch ?? platformFetchFor(call);
      if (transport !== undefined) return forward(call, attempt, transport, options);
      return dispatch(call, attempt, options.dispatcher(), options);
    },
  };
}

/**
 * Two wishes only the platform's own `fetch` can fulfil: another copy of undici as dispatcher (SDKs document it for
 * proxies), and a check of the body against a hash.
 */
function platformFetchFor(call: Call): typeof globalThis.fetch | undefined {
  const { init } = call;
  if (init === undefined) return undefined;
  return ('dispatcher' in init && init.dispatcher !== undefined) || init.integrity
    ? globalThis.fetch
    : undefined;
}
