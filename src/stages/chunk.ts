import type { Call } from '../call.ts';
import { isSigned } from '../http/is-signed.ts';
import { guarded } from '../prompt-cache/body/guarded.ts';
import type { Draft, PromptReader } from '../prompt-cache/body/prompt-reader.ts';
import type { PromptCacheMode } from '../prompt-cache/settings.ts';
import type { Next, Stage } from '../stage.ts';
import { textOfUtf8 } from '../util/strict-utf8.ts';

export interface ChunkOptions {
  readonly modeOf: (call: Call) => PromptCacheMode;
  readonly promptReader: PromptReader;
}

/**
 * Takes the body apart into the blocks that a provider's prompt cache counts. What is not understood has no draft, and no
 * later stage touches its body.
 */
export function chunk({ modeOf, promptReader }: ChunkOptions): Stage {
  return {
    name: 'chunk',
    handle: function chunk(call: Call, next: Next): Promise<Response> {
      call.draft = undefined;
      call.prompt = undefined;
      call.fingerprint = undefined;
      // Where nothing is known of a cache there is nothing to gain: the request goes out as it came.
      if (modeOf(call) !== 'off' && call.endpoint.cache !== undefined && !isSigned(call)) {
        guarded(call, () => {
          call.draft = draftOf(call, promptReader);
        });
      }
      return next(call);
    },
  };
}

function draftOf({ body, endpoint }: Call, promptReader: PromptReader): Draft | undefined {
  const text = body instanceof Uint8Array ? textOfUtf8(body) : body;
  return typeof text === 'string'
    ? promptReader.read(text, endpoint.cache?.format ?? endpoint.api)
    : undefined;
}
