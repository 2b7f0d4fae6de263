import type { Block, Lifetime, Prompt, PromptCaching } from '../../src/prompt-cache/types.ts';
import { anthropicCaching, claudeEdits, hostMode } from '../anthropic/cache.ts';
import { bodyModel, memberText, salt } from '../shared/body-members.ts';
import { blockType, isBlankText } from '../shared/cache-marks.ts';
import { layoutCaching, prefixRules } from '../shared/layout-caching.ts';

/** What is not documented is assumed as with most others: this minimum, this lifetime, and no discount before the price list names one. */
const USUAL_MINIMUM = 1024;
const USUAL_LIFETIME: Omit<Lifetime, 'write'> = { ttl: '5m', ms: 300_000 };
const NO_DISCOUNT = 1;

/**
 * DeepSeek keeps whole inputs and answers, and what requests have in common, for hours to days (DeepSeek context caching
 * guide, 2026-08-13); counts are multiples of 64 (recorded). `user_id` separates users (same guide).
 */
export const deepseekCaching: PromptCaching = layoutCaching({
  rules: () =>
    prefixRules({ minTokens: 64, read: 0.1, lifetime: { ttl: '1h', ms: 6 * 3_600_000 } }),
  salts: (prompt) => ({
    tools: salt({ model: bodyModel(prompt), user_id: memberText(prompt, 'user_id') }),
    system: '',
    messages: '',
  }),
});

/** Half the price, gone after two hours without use, from 128 to 1024 tokens by model (Groq prompt caching page, 2026). */
export const groqCaching: PromptCaching = layoutCaching({
  rules: () => prefixRules({ minTokens: 1024, read: 0.5, lifetime: { ttl: '1h', ms: 7_200_000 } }),
});

/** A tenth of the price, and a key by which calls with one prefix meet (Mistral API reference, 2026). */
export const mistralCaching: PromptCaching = layoutCaching({
  rules: () => prefixRules({ minTokens: USUAL_MINIMUM, read: 0.1, lifetime: USUAL_LIFETIME }),
  // Agents and code completion have requests of their own.
  takesKey: (prompt) => bodyModel(prompt) !== undefined && prompt.member('messages') !== undefined,
});

/** Automatic, and may be evicted at any time; the Responses format takes a key (xAI prompt caching page, 2026). */
export const xaiCaching: PromptCaching = layoutCaching({
  rules: () =>
    prefixRules({ minTokens: USUAL_MINIMUM, read: NO_DISCOUNT, lifetime: USUAL_LIFETIME }),
  takesKey: (prompt) => prompt.api === 'responses',
});

/** Automatic (Moonshot context caching page, 2026). */
export const moonshotCaching: PromptCaching = layoutCaching({
  rules: () =>
    prefixRules({ minTokens: USUAL_MINIMUM, read: NO_DISCOUNT, lifetime: USUAL_LIFETIME }),
});

/** Whatever the provider behind does; calls of one model go to it again for ten minutes (OpenRouter prompt caching page, 2026). */
const routed: PromptCaching = layoutCaching({
  rules: () =>
    prefixRules({
      minTokens: USUAL_MINIMUM,
      read: NO_DISCOUNT,
      lifetime: { ttl: '5m', ms: 600_000 },
    }),
  salts: openRouterSalts,
});

/** OpenRouter hands Anthropic's marks on, in the Messages format and on the text parts of a chat (same page). */
export const openRouterCaching: PromptCaching = {
  rules: (model) => (isClaude(model) ? anthropicCaching : routed).rules(model),
  salts: (prompt) =>
    prompt.api === 'messages' ? anthropicCaching.salts(prompt) : openRouterSalts(prompt),
  canMark: openRouterCanMark,
  hostMode: (prompt) => (isClaude(bodyModel(prompt)) ? hostMode(prompt) : {}),
  edits: (prompt, order) =>
    isClaude(bodyModel(prompt)) ? claudeEdits(prompt, order, openRouterCanMark) : [],
};

function isClaude(model: string | undefined): boolean {
  return model !== undefined && /^~?anthropic\/claude-/.test(model);
}

const CHAT_ROLES: ReadonlySet<string> = new Set(['system', 'developer', 'user', 'assistant']);

function openRouterCanMark(prompt: Prompt, block: Block): boolean {
  if (!isClaude(bodyModel(prompt))) return false;
  if (prompt.api === 'messages') return anthropicCaching.canMark(prompt, block);
  if (prompt.api !== 'chat.completions') return false;
  if (block.mark !== undefined || block.tier === 'tools') return false;
  if (!CHAT_ROLES.has(block.role) || isBlankText(prompt, block)) return false;
  return block.isString || blockType(prompt, block) === 'text';
}

/** Another provider has another cache, so what chooses it counts. */
function openRouterSalts(prompt: Prompt) {
  return {
    tools: salt({
      model: bodyModel(prompt),
      models: memberText(prompt, 'models'),
      provider: memberText(prompt, 'provider'),
    }),
    system: '',
    messages: salt({
      reasoning: memberText(prompt, 'reasoning'),
      tool_choice: memberText(prompt, 'tool_choice'),
    }),
  };
}
