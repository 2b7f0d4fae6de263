import { builtInAdapters } from '../../adapters/index.ts';
import { Call } from '../../src/call.ts';
import { createUrlLookup } from '../../src/endpoints.ts';
import { readRequest } from '../../src/http/read-request.ts';
import { createPromptReader } from '../../src/prompt-cache/body/prompt-reader.ts';
import { promptCacheSettings, type PromptCacheMode } from '../../src/prompt-cache/settings.ts';
import type { Next, Stage } from '../../src/stage.ts';
import { canonicalize } from '../../src/stages/canonicalize.ts';
import { chunk } from '../../src/stages/chunk.ts';
import { identify } from '../../src/stages/identify.ts';
import type { CallContext } from '../../src/types.ts';
import { CHAT_URL } from './provider.ts';

export interface Asked {
  readonly url?: string;
  readonly init?: RequestInit;
  readonly context?: CallContext;
  readonly transport?: typeof globalThis.fetch;
  /** Default: `off`, the body goes out as it came. */
  readonly promptCache?: PromptCacheMode;
}

const lookUp = createUrlLookup(builtInAdapters);
const nobody: Next = () => Promise.resolve(new Response());

/** A call as it comes to the stage. */
export async function callOf(asked: Asked): Promise<Call> {
  const { url = CHAT_URL, init = {}, context = {}, promptCache = 'off' } = asked;
  const parts = await readRequest(url, init);
  const call = new Call(
    {
      id: '019b76da-a800-7000-8000-000000000000',
      startedAt: 0,
      startedEpochMs: 0,
      input: url,
      init,
      transport: asked.transport,
      context: { ...context, priority: context.priority ?? 'normal' },
      headers: parts.headers,
    },
    parts,
  );
  const promptReader = createPromptReader(promptCacheSettings({ mode: promptCache }));
  const modeOf = (): PromptCacheMode => promptCache;
  const stages: readonly Stage[] = [
    identify({ lookUp }),
    chunk({ modeOf, promptReader }),
    canonicalize({ modeOf, promptReader }),
  ];
  for (const stage of stages) await stage.handle(call, nobody);
  return call;
}
