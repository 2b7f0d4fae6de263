import { blockFacts, quarterOfBytes } from './block-facts.ts';
import type { BlockContent } from './block-facts.ts';
import { objectOf, objectsOf, saltOf, textOf } from './json.ts';
import type { JsonObject } from './json.ts';
import { chatItems, responsesItems } from './openai-items.ts';
import type { PromptItem } from './openai-items.ts';
import type { CachePrompt, CacheTtl, SimulatedBlock, TokensOf } from './types.ts';

export interface ReadOpenAIOptions {
  /** Whether blocks carry their pieces, which only `openaiPrefixCache` needs. Default: yes. */
  pieces?: boolean;
}

/**
 * The body of a chat completions or Responses request as blocks: the tools, then one for each part of a message or item. Which
 * settings change every prefix: prompt caching guide, 2026-10-02. Anything may be passed; what is no block is left out.
 */
export function readOpenAI(
  body: unknown,
  tokensOf: TokensOf = quarterOfBytes,
  { pieces = true }: ReadOpenAIOptions = {},
): CachePrompt {
  const request = objectOf(body) ?? {};
  const items = 'messages' in request ? chatItems(request['messages']) : responsesItems(request);
  const options = objectOf(request['prompt_cache_options']) ?? {};
  const ttl = ttlOf(options['ttl']);
  const facts = (content: BlockContent): Pick<SimulatedBlock, 'id' | 'tokens' | 'pieces'> =>
    blockFacts(content, tokensOf, pieces);
  const tools = [...objectsOf(request['tools']), ...objectsOf(request['functions'])];
  return {
    blocks: [
      ...tools.map((tool): SimulatedBlock => ({
        ...facts({ place: 'tool', content: tool }),
        tier: 'tools',
        cacheable: false,
      })),
      ...itemBlocks(items, ttl ?? '30m', facts),
    ],
    model: textOf(request['model']),
    salts: { tools: saltOf(settingsOf(request)), system: '', messages: '' },
    key: textOf(request['prompt_cache_key']),
    mode: modeOf(options['mode']),
    ttl,
    retention: retentionOf(request['prompt_cache_retention']),
    refusal: refusalOf(options, items),
  };
}

/** The blocks of messages, with what ends at each. */
export function itemBlocks(
  items: readonly PromptItem[],
  ttl: CacheTtl,
  facts: (content: BlockContent) => Pick<SimulatedBlock, 'id' | 'tokens' | 'pieces'>,
): readonly SimulatedBlock[] {
  const firstOther = items.findIndex(({ kind }) => kind !== 'instructions');
  const leading = firstOther === -1 ? items.length : firstOther;
  return items.flatMap(({ kind, place, parts }, index): SimulatedBlock[] => {
    const endsInput =
      kind === 'user' || (kind === 'tool_result' && items[index + 1]?.kind !== 'tool_result');
    const ending = endsInput ? 'input' : index === leading - 1 ? 'developer' : undefined;
    return parts.map(({ content, takesMark, isMarked }, at) => ({
      // Where a message begins is a part of the prefix: two parts are not two messages.
      ...facts({ place: at === 0 ? `${place} begins` : place, content }),
      tier: index < leading ? 'system' : 'messages',
      cacheable: takesMark,
      mark: isMarked ? ttl : undefined,
      ending: at === parts.length - 1 ? ending : undefined,
    }));
  });
}

/** Settings that change every prefix; saying the default is the same as saying nothing. */
function settingsOf(request: JsonObject): JsonObject {
  const reasoning = objectOf(request['reasoning']);
  const text = objectOf(request['text']);
  const format = objectOf(request['response_format']) ?? objectOf(text?.['format']);
  return {
    serial: request['parallel_tool_calls'] === false || undefined,
    format: format?.['type'] === 'text' ? undefined : format,
    effort: request['reasoning_effort'] ?? reasoning?.['effort'] ?? undefined,
    verbosity: request['verbosity'] ?? text?.['verbosity'] ?? undefined,
    service_tier: request['service_tier'] === 'auto' ? undefined : request['service_tier'],
    context_management: request['context_management'] ?? undefined,
  };
}

function refusalOf(options: JsonObject, items: readonly PromptItem[]): string | undefined {
  const { mode, ttl } = options;
  if (mode != null && modeOf(mode) === undefined) {
    return 'prompt_cache_options.mode: expected implicit or explicit';
  }
  if (ttl != null && ttlOf(ttl) === undefined) {
    return 'prompt_cache_options.ttl: expected 30m or 12h';
  }
  const isWrong = items.some(({ parts }) =>
    parts.some(({ isMarked, takesMark }) => isMarked && !takesMark),
  );
  return isWrong ? 'prompt_cache_breakpoint is not supported on this part' : undefined;
}

function modeOf(mode: unknown): CachePrompt['mode'] {
  return mode === 'implicit' || mode === 'explicit' ? mode : undefined;
}

function ttlOf(ttl: unknown): '30m' | '12h' | undefined {
  return ttl === '30m' || ttl === '12h' ? ttl : undefined;
}

function retentionOf(retention: unknown): CachePrompt['retention'] {
  if (retention === 'in-memory') return 'in_memory';
  return retention === 'in_memory' || retention === '24h' ? retention : undefined;
}
