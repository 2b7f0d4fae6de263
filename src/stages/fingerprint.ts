import type { Call } from '../call.ts';
import { guarded } from '../prompt-cache/body/guarded.ts';
import { fingerprintDraft } from '../prompt-cache/fingerprint.ts';
import type { Next, Stage } from '../stage.ts';

/**
 * Hashes the prefixes of the prompt, salted with what the provider's cache tells apart beside the text. Where nothing is known
 * of a cache nobody asks for them.
 */
export function fingerprint(): Stage {
  return {
    name: 'fingerprint',
    handle: function fingerprint(call: Call, next: Next): Promise<Response> {
      const { draft, endpoint } = call;
      if (draft?.prompt !== undefined && endpoint.cache !== undefined) {
        const { prompt } = draft;
        const { cache } = endpoint;
        guarded(call, () => {
          call.fingerprint = fingerprintDraft(draft, prompt, cache.salts(prompt));
        });
      }
      return next(call);
    },
  };
}
