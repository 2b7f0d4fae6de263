import { blockFacts, quarterOfBytes } from './block-facts.ts';
import { objectOf, objectsOf, saltOf, textOf } from './json.ts';
import { chatItems } from './openai-items.ts';
import { itemBlocks } from './read-openai.ts';
import type { CachePrompt, SimulatedBlock, TokensOf } from './types.ts';

/**
 * The body of a DeepSeek chat completions request as blocks. Requests with different `user_id` share nothing (DeepSeek rate limit
 * page, 2026-08-13). Anything may be passed; what is no block is left out.
 */
export function readDeepSeek(body: unknown, tokensOf: TokensOf = quarterOfBytes): CachePrompt {
  const request = objectOf(body) ?? {};
  const facts = (content: Parameters<typeof blockFacts>[0]): ReturnType<typeof blockFacts> =>
    blockFacts(content, tokensOf, true);
  return {
    blocks: [
      ...objectsOf(request['tools']).map((tool): SimulatedBlock => ({
        ...facts({ place: 'tool', content: tool }),
        tier: 'tools',
        cacheable: false,
      })),
      ...itemBlocks(chatItems(request['messages']), '30m', facts),
    ],
    model: textOf(request['model']),
    salts: { tools: saltOf({ user_id: textOf(request['user_id']) }), system: '', messages: '' },
  };
}
