import type { Call } from '../call.ts';
import type { UrlLookup } from '../endpoints.ts';
import type { Next, Stage } from '../stage.ts';
import { JsonView } from '../util/json-view.ts';

export interface IdentifyOptions {
  readonly lookUp: UrlLookup;
}

/**
 * Finds out what a call is: whose endpoint, which model, streamed or not. The body is read once, member by member,
 * and never parsed as a whole. What is not understood goes on unchanged.
 */
export function identify({ lookUp }: IdentifyOptions): Stage {
  return {
    name: 'identify',
    handle: function identify(call: Call, next: Next): Promise<Response> {
      const { url, endpoint } = lookUp(call.url);
      // A middleware may come again with another request.
      call.edits = [];
      call.cacheRequest = undefined;
      call.planned = undefined;
      call.cacheAccount = undefined;
      call.parsedUrl = url;
      call.endpoint = endpoint;
      call.json = endpoint.wire === undefined ? undefined : viewOf(call);
      call.model = endpoint.model ?? call.json?.firstString('model');
      call.stream = endpoint.stream ?? (call.json !== undefined && asksForStream(call.json));
      return next(call);
    },
  };
}

/**
 * Most bodies do not mention `"stream"`, and seeing that takes a sixth of the time of reading all members: V8 jumps from
 * one occurrence of a short needle's first letter to the next.
 */
export function asksForStream(json: JsonView): boolean {
  const { text } = json;
  // SDKs write it last, where it is seen at once. A comma or brace before the quote: it is a key, not the end of a string.
  const last = LAST_MEMBER.exec(text.slice(-16));
  if (last !== null) return last[1] === 'true';
  for (let at = text.indexOf('m"'); at >= 0; at = text.indexOf('m"', at + 1)) {
    if (text.startsWith('"strea', at - 6)) return json.raw('stream') === 'true';
  }
  return false;
}

const LAST_MEMBER = /[,{]"stream":(true|false)\}$/;

function viewOf(call: Call): JsonView | undefined {
  const { body } = call;
  if (typeof body === 'string') return new JsonView(body);
  return body instanceof Uint8Array ? JsonView.ofBytes(body) : undefined;
}
