import { LRUCache } from 'lru-cache';
import type { Call } from '../call.ts';
import { isSigned } from '../http/is-signed.ts';
import type { Next, Stage } from '../stage.ts';
import type { Edit } from '../util/edit.ts';
import { JsonView } from '../util/json-view.ts';
import { textOfUtf8 } from '../util/strict-utf8.ts';

/**
 * Fits the request to its provider. Today that is one thing: a stream of the OpenAI format reports its usage only when
 * asked to (`stream_options.include_usage`), so the router asks where the host did not, and `send` takes the extra
 * chunk out of the answer again.
 *
 * A server of unknown make may refuse the field. It is then asked once more without, and not again for that model. What is
 * signed goes out as it came.
 */
export function adapt(): Stage {
  const refused = new LRUCache<string, true>({ max: 1000 });

  return {
    name: 'adapt',
    handle: async function adapt(call: Call, next: Next): Promise<Response> {
      const { streamUsage } = call.endpoint;
      if (!call.stream || streamUsage === undefined || isSigned(call)) return next(call);

      const target = `${call.url} ${call.model ?? ''}`;
      const json = refused.has(target) ? undefined : textView(call);
      const edit = json && askForUsage(json);
      if (json === undefined || edit === undefined) return next(call);

      const { body, edits, changed } = call;
      call.body = json.text;
      call.edits = [...edits, edit].sort((a, b) => a.at - b.at);
      call.changed = true;
      call.hidesUsageChunk = true;
      const response = await next(call);
      if (streamUsage === 'ask' || (response.status !== 400 && response.status !== 422))
        return response;

      // A refusal costs nothing. Whether it was the added field or the host's own fault shows when asked without.
      await response.body?.cancel();
      Object.assign(call, { body, edits, changed, hidesUsageChunk: false });
      const second = await next(call);
      if (second.ok) refused.set(target, true);
      return second;
    },
  };
}

/**
 * The edit that sets `stream_options.include_usage`, so that every other character stays as the host wrote it. `undefined`
 * when the host asked already, or when the body is not one whole JSON object.
 */
export function askForUsage(json: JsonView): Edit | undefined {
  const { text, end } = json;
  if (end === undefined) return undefined;
  const span = json.span('stream_options');
  if (span === undefined) {
    return { at: end, remove: 0, insert: ',"stream_options":{"include_usage":true}' };
  }
  const [start, stop] = span;
  const options = new JsonView(text.slice(start, stop));
  if (options.end === undefined) {
    // `null` is the same as leaving it out; anything else is for the provider to judge.
    if (text.slice(start, stop) !== 'null') return undefined;
    return { at: start, remove: stop - start, insert: '{"include_usage":true}' };
  }
  const asked = options.span('include_usage');
  if (asked === undefined) {
    const comma = options.text.slice(1, options.end).trim() === '' ? '' : ',';
    return { at: start + 1, remove: 0, insert: `"include_usage":true${comma}` };
  }
  if (options.raw('include_usage') === 'true') return undefined;
  return { at: start + asked[0], remove: asked[1] - asked[0], insert: 'true' };
}

/** Edits need text: a body of bytes is decoded here, and only here. Bytes that are no text stay. */
function textView({ json, body }: Call): JsonView | undefined {
  if (!(body instanceof Uint8Array)) return json;
  const text = textOfUtf8(body);
  return text === undefined ? undefined : new JsonView(text);
}
