import { blockFacts, quarterOfBytes } from './block-facts.ts';
import { keepsThinking } from './claude-models.ts';
import { listOf, objectOf, objectsOf, saltOf, textOf, without } from './json.ts';
import type { JsonObject } from './json.ts';
import type { CachePrompt, CacheTier, CacheTtl, SimulatedBlock, TokensOf } from './types.ts';

export interface ReadAnthropicOptions {
  /**
   * Whether the model renders thinking and effort before the tools, so that changing them changes every prefix. Default: no, and
   * only messages change. The guide (2026-08-22) calls it model-specific and names none: an assumption.
   */
  rendersThinkingAhead?: boolean;
}

/**
 * The body of a Messages request as blocks: one for each tool, system block and part of a message. What invalidates which tier
 * is as in the table of the prompt caching guide, 2026-08-22. Anything may be passed; what is no block is left out.
 */
export function readAnthropic(
  body: unknown,
  tokensOf: TokensOf = quarterOfBytes,
  { rendersThinkingAhead = false }: ReadAnthropicOptions = {},
): CachePrompt {
  const request = objectOf(body) ?? {};
  const model = textOf(request['model']);
  const tools = objectsOf(request['tools']);
  const messages = objectsOf(request['messages']);
  const block = (tier: CacheTier, role: string, part: JsonObject): SimulatedBlock =>
    readBlock(tier, role, part, tokensOf);

  const blocks = [
    ...tools.map((tool) => block('tools', 'tool', tool)),
    ...partsOf(request['system']).map((part) => block('system', 'system', part)),
    ...visible(messages, model).flatMap(({ role, parts }) =>
      parts.map((part) => block('messages', role, part)),
    ),
  ];
  const automatic = markOf(request);
  const thinking = thinkingOf(request);
  return {
    blocks,
    model,
    salts: {
      tools: rendersThinkingAhead ? saltOf(thinking) : '',
      system: saltOf({
        web_search: hasTool(tools, 'web_search') || undefined,
        web_fetch: hasTool(tools, 'web_fetch') || undefined,
        citations: messages.some(({ content }) => objectsOf(content).some(cites)) || undefined,
        speed: request['speed'] === 'standard' ? undefined : request['speed'],
      }),
      messages: saltOf({
        tool_choice: toolChoiceOf(request['tool_choice']),
        images: messages.some(({ content }) => hasImage(content)) || undefined,
        ...thinking,
      }),
    },
    automatic: automatic?.ttl,
    refusal: refusalOf(request),
  };
}

function readBlock(
  tier: CacheTier,
  role: string,
  part: JsonObject,
  tokensOf: TokensOf,
): SimulatedBlock {
  const content = withoutMarks(part);
  const { type, text } = content;
  // A string and a part that holds nothing but the same text are rendered alike.
  const isPlain = type === 'text' && typeof text === 'string' && Object.keys(content).length === 2;
  const { id, tokens } = blockFacts(
    { place: role, content: isPlain ? text : content },
    tokensOf,
    false,
  );
  const cacheable = !isThinking(part) && !(type === 'text' && text === '');
  return { id, tokens, tier, cacheable, mark: markOf(part)?.ttl };
}

/** The parts of a content; a string is one part of text. */
function partsOf(content: unknown): readonly JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
}

/**
 * The parts of each message that the model sees: thinking of earlier turns is taken out, with models that do not keep it, when a
 * user says more than the results of tools (prompt caching guide, 2026-08-22).
 */
function visible(
  messages: readonly JsonObject[],
  model: string | undefined,
): ReadonlyArray<{ role: string; parts: readonly JsonObject[] }> {
  const all = messages.map(({ role, content }) => ({
    role: textOf(role) ?? '',
    parts: partsOf(content),
  }));
  if (keepsThinking(model)) return all;
  const lastTurn = all.findLastIndex(
    ({ role, parts }) => role === 'user' && parts.some(({ type }) => type !== 'tool_result'),
  );
  return all.map(({ role, parts }, index) => ({
    role,
    parts: index < lastTurn ? parts.filter((part) => !isThinking(part)) : parts,
  }));
}

function isThinking({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** Marks are no part of what is hashed: an assumption, since moving one from turn to turn keeps the entries before it. */
function withoutMarks(part: JsonObject): JsonObject {
  const { type, content } = part;
  if (type !== 'tool_result' || !Array.isArray(content)) return without(part, 'cache_control');
  const inner = listOf(content).map((item) => {
    const object = objectOf(item);
    return object === undefined ? item : without(object, 'cache_control');
  });
  return { ...without(part, 'cache_control'), content: inner };
}

const TTLS: ReadonlySet<unknown> = new Set<CacheTtl>(['5m', '1h']);

function markOf({ cache_control: mark }: JsonObject): { ttl: CacheTtl } | undefined {
  const control = objectOf(mark);
  if (control === undefined) return undefined;
  return { ttl: control['ttl'] === '1h' ? '1h' : '5m' };
}

function refusalOf(request: JsonObject): string | undefined {
  const marked = [
    request,
    ...objectsOf(request['tools']),
    ...objectsOf(request['system']),
    ...objectsOf(request['messages']).flatMap(({ content }) => objectsOf(content)),
  ];
  const isWrong = marked.some(({ cache_control: mark }) => {
    const control = objectOf(mark);
    if (control === undefined) return false;
    const { type, ttl } = control;
    return type !== 'ephemeral' || !(ttl == null || TTLS.has(ttl));
  });
  return isWrong ? 'cache_control: expected type ephemeral and a ttl of 5m or 1h' : undefined;
}

function hasTool(tools: readonly JsonObject[], name: string): boolean {
  return tools.some(({ type }) => textOf(type)?.startsWith(`${name}_`) === true);
}

function cites({ citations }: JsonObject): boolean {
  return objectOf(citations)?.['enabled'] === true;
}

function hasImage(content: unknown): boolean {
  return objectsOf(content).some(
    ({ type, content: inner }) => type === 'image' || (type === 'tool_result' && hasImage(inner)),
  );
}

/** Saying the default is the same as saying nothing. */
function toolChoiceOf(choice: unknown): unknown {
  const { type, name, disable_parallel_tool_use: isSerial } = objectOf(choice) ?? {};
  const disableParallel = isSerial === true || undefined;
  if ((type === undefined || type === 'auto') && disableParallel === undefined) return undefined;
  return { type, name, disableParallel };
}

/** Thinking and effort; saying the default is the same as saying nothing (prompt caching guide, 2026-08-22). */
function thinkingOf(request: JsonObject): JsonObject {
  const { thinking } = request;
  const effort = objectOf(request['output_config'])?.['effort'];
  return {
    thinking: objectOf(thinking)?.['type'] === 'disabled' ? undefined : (thinking ?? undefined),
    effort: effort === 'high' || effort === null ? undefined : effort,
  };
}
