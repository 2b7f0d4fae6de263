import type {
  Block,
  CacheOrder,
  Edit,
  Prompt,
  PromptCaching,
} from '../../src/prompt-cache/types.ts';
import { messagesCaching } from '../anthropic/cache.ts';
import { claudeRules } from '../anthropic/cache-rules.ts';
import { inOrder, memberText, salt } from '../shared/body-members.ts';

/** Claude's prompt cache as Bedrock has it, in the Messages format. */
export const bedrockCaching: PromptCaching = messagesCaching('bedrock');

/**
 * Claude's prompt cache in the Converse format: a `cachePoint` behind the content that it closes (AWS agent toolkit, prompt caching
 * reference, 2026-08-20). A host that sets one decides alone. Other models' rules are not known well enough.
 */
export const converseCaching: PromptCaching = {
  format: 'converse',
  rules: (model) =>
    model?.includes('anthropic.') === true ? claudeRules(model, 'bedrock') : undefined,
  salts: (prompt) => ({
    tools: salt({ toolConfig: memberText(prompt, 'toolConfig') }),
    system: '',
    messages: salt({ more: memberText(prompt, 'additionalModelRequestFields') }),
  }),
  canMark: (prompt, block) => MARKABLE.has(block.kind) && !isBlank(prompt, block),
  hostMode: (prompt) => (prompt.text.includes('"cachePoint"') ? { handsOff: true } : {}),
  edits: (prompt, order) =>
    converseCaching.hostMode(prompt).handsOff ? [] : cachePoints(prompt, order),
};

/** Content that may stand before a cache point; reasoning may not. */
const MARKABLE: ReadonlySet<Block['kind']> = new Set([
  'text',
  'image',
  'document',
  'tool_call',
  'tool_result',
]);

function isBlank(prompt: Prompt, block: Block): boolean {
  const start = prompt.offsets[block.tier] + block.start;
  return (
    block.kind === 'text' && /^\{"text":"(?:\s|\\[nrt])*"\}$/.test(prompt.slice(start, start + 40))
  );
}

function cachePoints(prompt: Prompt, { marks }: CacheOrder): Edit[] {
  const points = marks.flatMap(({ block, ttl }): Edit[] => {
    const marked = prompt.blocks[block];
    if (marked === undefined || !converseCaching.canMark(prompt, marked)) return [];
    const lifetime = ttl === '1h' ? ',"ttl":"1h"' : '';
    return [
      {
        at: prompt.offsets[marked.tier] + marked.end,
        remove: 0,
        insert: `,{"cachePoint":{"type":"default"${lifetime}}}`,
      },
    ];
  });
  return inOrder(points);
}
