import type {
  Block,
  CacheOrder,
  Edit,
  HostMode,
  Prompt,
  PromptCaching,
  Salts,
} from '../../src/prompt-cache/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { bodyModel, inOrder, memberText, salt } from '../shared/body-members.ts';
import {
  blockText,
  blockType,
  isBlankText,
  markEdits,
  type MarkShape,
} from '../shared/cache-marks.ts';
import { claudeRules, type Platform } from './cache-rules.ts';
import { fittingMarks, hasUnclearMarks, hostMarks } from './cache-slots.ts';

const SHAPE: MarkShape = { key: 'cache_control', textType: 'text' };

/** Claude's prompt cache in the Messages format, at Anthropic, Vertex AI and Azure, or as Bedrock has it. */
export function messagesCaching(platform: Platform): PromptCaching {
  return {
    rules: (model) => claudeRules(model, platform),
    salts,
    canMark,
    hostMode,
    edits: (prompt, order) => claudeEdits(prompt, order, canMark),
  };
}

/** Anthropic's own. */
export const anthropicCaching: PromptCaching = messagesCaching('anthropic');

/** The changes that write `cache_control`, as far as it fits beside the host's own; in any format that carries it on parts. */
export function claudeEdits(
  prompt: Prompt,
  { marks }: CacheOrder,
  canMark: PromptCaching['canMark'],
): Edit[] {
  const { automatic, handsOff } = hostMode(prompt);
  if (handsOff === true || marks.length === 0) return [];
  const target = automatic === undefined ? undefined : automaticTarget(prompt, canMark);
  const wanted = marks.filter(({ block: index }) => {
    const block = prompt.blocks[index];
    return block !== undefined && canMark(prompt, block) && !isBeside(block, target);
  });
  if (wanted.length === 0) return [];
  const edits = fittingMarks(hostMarks(prompt, automatic), wanted).flatMap(
    ({ block: index, ttl }) => {
      const block = prompt.blocks[index];
      return block === undefined ? [] : markEdits(prompt, block, SHAPE, markText(ttl === '1h'));
    },
  );
  return inOrder(edits);
}

/** Five minutes is the default, and its being left out is what every platform takes. */
function markText(isHour: boolean): string {
  return isHour ? '{"type":"ephemeral","ttl":"1h"}' : '{"type":"ephemeral"}';
}

/**
 * The block on which the provider's automatic mark lands: the last that takes one. Which one within its message is the
 * provider's choice, and a block that has a mark of another lifetime is answered with 400 (Anthropic prompt caching guide,
 * 2026-08-22): so nothing is marked in the whole of that message.
 */
function automaticTarget(prompt: Prompt, canMark: PromptCaching['canMark']): Block | undefined {
  return prompt.blocks.findLast((block) => block.mark !== undefined || canMark(prompt, block));
}

function isBeside(block: Block, target: Block | undefined): boolean {
  return target?.tier === block.tier && target.message === block.message;
}

/**
 * Automatic caching: a `cache_control` of the request as a whole. A lifetime that is not known here is left to the host, and
 * so is a request with marks that cannot be counted.
 */
export function hostMode(prompt: Prompt): HostMode {
  if (hasUnclearMarks(prompt)) return { handsOff: true };
  const text = memberText(prompt, 'cache_control');
  if (text === undefined) return {};
  const view = new JsonView(text);
  const ttl = view.get('ttl') ?? '5m';
  if (!view.isObject || (ttl !== '5m' && ttl !== '1h')) return { handsOff: true };
  return { automatic: ttl };
}

/**
 * Blocks that take `cache_control` (Anthropic prompt caching guide, 2026-08-22; types of @anthropic-ai/sdk 1.12.0). Thinking
 * does not, and types that are not known here are not tried.
 */
const MARKABLE: ReadonlySet<string> = new Set([
  'text',
  'image',
  'document',
  'search_result',
  'tool_use',
  'tool_result',
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
]);

function canMark(prompt: Prompt, block: Block): boolean {
  if (block.mark !== undefined || block.kind === 'thinking') return false;
  if (block.tier === 'tools') return !isDeferred(prompt, block);
  // System messages amid the conversation are of some models only, and nothing is documented of marks on them.
  if (block.tier === 'messages' && block.role !== 'user' && block.role !== 'assistant')
    return false;
  if (block.isString) return !isBlankText(prompt, block);
  const type = blockType(prompt, block);
  if (type === undefined || !MARKABLE.has(type)) return false;
  return type !== 'text' || !isBlankText(prompt, block);
}

/** A tool that is loaded on demand takes no mark: 400 (Anthropic tool reference, 2026-08-20). */
function isDeferred(prompt: Prompt, block: Block): boolean {
  const text = blockText(prompt, block);
  return text.includes('"defer_loading"') && new JsonView(text).get('defer_loading') === true;
}

/**
 * What a prefix depends on beside its blocks (invalidation table of Anthropic's prompt caching guide, 2026-08-22). Server tools
 * for search and fetch are blocks of their own. Which models write thinking and effort ahead of the tools is not documented,
 * so these count for the messages alone.
 */
function salts(prompt: Prompt): Salts {
  const output = new JsonView(memberText(prompt, 'output_config') ?? '');
  return {
    tools: salt({
      model: bodyModel(prompt),
      mcp_servers: memberText(prompt, 'mcp_servers'),
    }),
    system: salt({
      speed: memberText(prompt, 'speed'),
      format: output.raw('format') ?? memberText(prompt, 'output_format'),
      citations: prompt.blocks.some((block) => hasCitations(prompt, block)) ? 'on' : undefined,
    }),
    messages: salt({
      thinking: memberText(prompt, 'thinking'),
      effort: output.raw('effort'),
      tool_choice: toolChoice(prompt),
      images: prompt.blocks.some(({ kind }) => kind === 'image') ? 'some' : undefined,
      context_management: memberText(prompt, 'context_management'),
    }),
  };
}

/** With its `disable_parallel_tool_use`. `auto` is the default where there are tools. */
function toolChoice(prompt: Prompt): string | undefined {
  const text = memberText(prompt, 'tool_choice');
  return text !== undefined && /^\{\s*"type"\s*:\s*"auto"\s*\}$/.test(text) ? undefined : text;
}

/** By block, since a document may be long and stays the same through a conversation. */
const citing = new WeakMap<Block, boolean>();

function hasCitations(prompt: Prompt, block: Block): boolean {
  if (block.isString || (block.kind !== 'document' && block.kind !== 'other')) return false;
  let found = citing.get(block);
  if (found === undefined) {
    found = new JsonView(blockText(prompt, block)).view('citations')?.get('enabled') === true;
    citing.set(block, found);
  }
  return found;
}
