import { blockFacts, quarterOfBytes } from './block-facts.ts';
import { objectOf, objectsOf, textOf } from './json.ts';
import type { CachePrompt, CacheTier, SimulatedBlock, TokensOf } from './types.ts';

/**
 * The body of a `generateContent` request as blocks: tools, system instruction, then each part of each content. Which settings
 * change a prefix is not documented; none does here. The model stands in the URL. Anything may be passed; what is no block is
 * left out.
 */
export function readGemini(body: unknown, tokensOf: TokensOf = quarterOfBytes): CachePrompt {
  const request = objectOf(body) ?? {};
  const system = request['systemInstruction'] ?? request['system_instruction'];
  const block = (
    tier: CacheTier,
    place: string,
    content: string | Readonly<Record<string, unknown>>,
  ): SimulatedBlock => {
    const { id, tokens, pieces } = blockFacts({ place, content }, tokensOf, true);
    return { id, tokens, pieces, tier, cacheable: false };
  };
  const parts = (tier: CacheTier, role: string, value: unknown): SimulatedBlock[] =>
    objectsOf(value).map((part, at) => {
      // Where a content begins is a part of the prefix: two parts are not two contents.
      const place = at === 0 ? `${role} begins` : role;
      const text = textOf(part['text']);
      const isPlain = text !== undefined && Object.keys(part).length === 1;
      return block(tier, place, isPlain ? text : part);
    });
  const instruction = typeof system === 'string' ? [{ text: system }] : objectOf(system)?.['parts'];
  return {
    blocks: [
      ...objectsOf(request['tools']).map((tool) => block('tools', 'tool', tool)),
      ...parts('system', 'system', instruction),
      ...objectsOf(request['contents']).flatMap(({ role, parts: said }) =>
        parts('messages', textOf(role) ?? 'user', said),
      ),
    ],
    salts: { tools: '', system: '', messages: '' },
    cachedContent: textOf(request['cachedContent'] ?? request['cached_content']),
  };
}
