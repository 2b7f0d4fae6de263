import { LRUCache } from 'lru-cache';
import type { Call } from '../call.ts';
import type { Next, Stage } from '../stage.ts';
import { JsonView } from '../util/json-view.ts';

/**
 * Fits the request to its provider. Today that is one thing: a stream of the OpenAI format reports its usage only when
 * asked to (`stream_options.include_usage`), so the router asks where the host did not, and `send` takes the extra
 * chunk out of the answer again.
 *
 * A server of unknown make may refuse the field. It is then asked once more without, and not again for that model.
 */
export function adapt(): Stage {
  const refused = new LRUCache<string, true>({ max: 1000 });

  return {
    name: 'adapt',
    handle: async function adapt(call: Call, next: Next): Promise<Response> {
      const { streamUsage } = call.endpoint;
      if (!call.stream || streamUsage === undefined) return next(call);

      const target = `${call.url} ${call.model ?? ''}`;
      const body = refused.has(target) ? undefined : askForUsage(textView(call));
      if (body === undefined) return next(call);

      const original = { body: call.body, headers: call.headers, changed: call.changed };
      call.body = body;
      call.headers = withoutContentLength(call.headers);
      call.changed = true;
      call.hidesUsageChunk = true;
      const response = await next(call);
      if (streamUsage === 'ask' || (response.status !== 400 && response.status !== 422))
        return response;

      // A refusal costs nothing. Whether it was the added field or the host's own fault shows when asked without.
      await response.body?.cancel();
      Object.assign(call, original, { hidesUsageChunk: false });
      const second = await next(call);
      if (second.ok) refused.set(target, true);
      return second;
    },
  };
}

/**
 * The body with `stream_options.include_usage` set, spliced into the text so that every other character stays as the
 * host wrote it. `undefined` when the host asked already, or when the body is not one whole JSON object.
 */
export function askForUsage(json: JsonView): string | undefined {
  const { text, end } = json;
  if (end === undefined) return undefined;
  const span = json.span('stream_options');
  if (span === undefined) {
    return `${text.slice(0, end)},"stream_options":{"include_usage":true}${text.slice(end)}`;
  }
  const [start, stop] = span;
  const options = new JsonView(text.slice(start, stop));
  if (options.end === undefined) {
    // `null` is the same as leaving it out; anything else is for the provider to judge.
    if (text.slice(start, stop) !== 'null') return undefined;
    return `${text.slice(0, start)}{"include_usage":true}${text.slice(stop)}`;
  }
  const asked = options.span('include_usage');
  if (asked === undefined) {
    const comma = options.text.slice(1, options.end).trim() === '' ? '' : ',';
    return `${text.slice(0, start)}{"include_usage":true${comma}${text.slice(start + 1)}`;
  }
  if (options.raw('include_usage') === 'true') return undefined;
  return `${text.slice(0, start + asked[0])}true${text.slice(start + asked[1])}`;
}

/** Splicing needs text: a body of bytes is decoded here, and only here. */
function textView(call: Call): JsonView {
  const { json, body } = call;
  if (body instanceof Uint8Array) return new JsonView(new TextDecoder().decode(body));
  return json ?? new JsonView('');
}

/** The length has changed; the transport counts it anew. */
function withoutContentLength(headers: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'content-length') kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
