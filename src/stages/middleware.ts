import type { Call } from '../call.ts';
import { headersOf, isPlain, type RequestBody } from '../http/read-request.ts';
import type { Next, Stage } from '../stage.ts';
import type { Middleware, MiddlewareRequest } from '../types.ts';

/**
 * Runs a user's function as a stage. It sees and may replace the request; it must not read the answer's body without
 * giving a new `Response`, as in any `fetch` middleware.
 */
export function middleware(run: Middleware): Stage {
  return {
    name: 'middleware',
    handle: function middleware(call: Call, next: Next): Promise<Response> {
      const request = requestOf(call);
      const { body } = call;
      const context = { ...call.context, callId: call.id };
      return run(request, (changed) => next(apply(call, request, body, changed)), context);
    },
  };
}

function requestOf(call: Call): MiddlewareRequest {
  return {
    url: call.url,
    method: call.method,
    headers: headersOf(call.headers),
    body: isPlain(call.body) ? call.body : null,
  };
}

function apply(
  call: Call,
  before: MiddlewareRequest,
  body: RequestBody,
  after: MiddlewareRequest,
): Call {
  call.url = after.url;
  call.method = after.method;
  call.headers = [...after.headers].flat();
  // Also back: an earlier `next` may have sent another body, or one that `adapt` has added to.
  call.body = after.body === before.body ? body : after.body;
  call.hidesUsageChunk = false;
  call.changed = true;
  return call;
}
