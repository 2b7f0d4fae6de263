import type { CacheRules, Prompt, PromptCaching } from '../../src/prompt-cache/types.ts';
import { bodyModel, memberText, salt } from '../shared/body-members.ts';
import { layoutCaching, prefixRules } from '../shared/layout-caching.ts';

/** Shortest prefix that is kept, in tokens (Gemini API context caching page, 2026-10-13; older pages differ). */
const MIN_TOKENS = 4096;
const MIN_TOKENS_2_5 = 2048;

/** Price of a read relative to plain input (same page). */
const READ = 0.1;

/** Neither a lifetime nor a guarantee is documented; the other providers' shortest is what is counted on. */
const LIFETIME = { ttl: '5m', ms: 300_000 } as const;

/** Gemini's implicit caching: on by itself, free to write, nothing to set. A cached content is the host's own plan. */
export const geminiCaching: PromptCaching = layoutCaching({
  rules: geminiRules,
  salts: (prompt) => ({
    tools: salt({ model: bodyModel(prompt), cachedContent: cachedContent(prompt) }),
    system: '',
    messages: '',
  }),
  handsOff: (prompt) => cachedContent(prompt) !== undefined,
});

/** `gemini-2.5-flash`, `models/gemini-4-argon`, `google/gemini-flash-latest`; implicit caching began with 2.5. */
function geminiRules(model: string | undefined): CacheRules | undefined {
  const [name, major, minor] =
    /(?:^|\/)gemini-(?:(\d+)(?:\.(\d+))?(?:-|$)|flash|pro)/.exec(model ?? '') ?? [];
  if (name === undefined) return undefined;
  const generation = major === undefined ? Infinity : Number(`${major}.${minor ?? 0}`);
  if (generation < 2.5) return undefined;
  return prefixRules({
    minTokens: generation < 3 ? MIN_TOKENS_2_5 : MIN_TOKENS,
    read: READ,
    lifetime: LIFETIME,
  });
}

/** In Google's own format, and as its OpenAI-compatible one takes it below `extra_body.google`. */
function cachedContent(prompt: Prompt): string | undefined {
  const extra = memberText(prompt, 'extra_body');
  return (
    memberText(prompt, 'cachedContent') ??
    memberText(prompt, 'cached_content') ??
    (extra?.includes('"cached_content"') === true ? extra : undefined)
  );
}
