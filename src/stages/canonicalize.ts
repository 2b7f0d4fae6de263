import type { Call } from '../call.ts';
import { guarded } from '../prompt-cache/body/guarded.ts';
import type { PromptReader } from '../prompt-cache/body/prompt-reader.ts';
import type { PromptCacheMode } from '../prompt-cache/settings.ts';
import type { Next, Stage } from '../stage.ts';
import { withoutHeader } from '../util/header-list.ts';
import { JsonView } from '../util/json-view.ts';

export interface CanonicalizeOptions {
  readonly modeOf: (call: Call) => PromptCacheMode;
  readonly promptReader: PromptReader;
}

/**
 * Writes the body in its canonical form: the same bytes for the same meaning. A body that is canonical already goes out as
 * the very same string. In observe mode none is changed, and the prompt says what would have been sent.
 */
export function canonicalize({ modeOf, promptReader }: CanonicalizeOptions): Stage {
  return {
    name: 'canonicalize',
    handle: function canonicalize(call: Call, next: Next): Promise<Response> {
      const { draft } = call;
      if (draft !== undefined) {
        guarded(call, () => {
          const prompt = promptReader.build(draft);
          call.prompt = prompt;
          if (modeOf(call) !== 'auto' || prompt.isAsSent) return;
          call.body = prompt.text;
          call.json = JsonView.ofMembers(prompt.text, prompt.members, prompt.end);
          call.headers = withoutHeader(call.headers, 'content-length');
          call.changed = true;
        });
      }
      return next(call);
    },
  };
}
