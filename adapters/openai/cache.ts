import type {
  Block,
  CacheOrder,
  Edit,
  HostMode,
  Mark,
  Prompt,
  PromptCaching,
  Salts,
} from '../../src/prompt-cache/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import {
  bodyModel,
  inOrder,
  memberEdits,
  memberText,
  precededBy,
  salt,
  type NewMember,
} from '../shared/body-members.ts';
import { blockType, isBlankText, markEdits, type MarkShape } from '../shared/cache-marks.ts';
import { keyMember, layoutCaching } from '../shared/layout-caching.ts';
import {
  generationOf,
  MAX_BREAKPOINTS,
  MAX_BREAKPOINTS_ALONE,
  type Generation,
} from './cache-rules.ts';

const OPTIONS = 'prompt_cache_options';
const RETENTION = 'prompt_cache_retention';
const EXPLICIT = '{"mode":"explicit"}';

/** OpenAI's prompt cache in both of its formats. */
export const openaiCaching: PromptCaching = {
  rules: (model) => generationOf(model)?.rules,
  salts: openaiSalts,
  canMark,
  hostMode,
  edits: openaiEdits,
};

/**
 * The same models where the body must stay as it is: at Azure not every API version takes the fields, and Codex's own
 * backend refuses them.
 */
export const openaiLayoutCaching: PromptCaching = layoutCaching({
  rules(model) {
    const rules = generationOf(model)?.rules;
    return rules === undefined ? undefined : { ...rules, maxMarks: 0 };
  },
  salts: openaiSalts,
  handsOff: () => true,
});

/**
 * What a prefix depends on beside its blocks. From GPT-5.6 the settings that are rendered ahead of the prompt and the key
 * (OpenAI prompt caching guide, 2026-10-02; not `tool_choice`); before, the model and the key.
 */
function openaiSalts(prompt: Prompt): Salts {
  const history = salt({
    previous_response_id: memberText(prompt, 'previous_response_id'),
    conversation: memberText(prompt, 'conversation'),
  });
  const model = memberText(prompt, 'model');
  const key = memberText(prompt, 'prompt_cache_key');
  const template = salt({ prompt: memberText(prompt, 'prompt') });
  if (!takesBreakpoints(prompt)) {
    return { tools: salt({ model, key }), system: template, messages: history };
  }
  const text = new JsonView(memberText(prompt, 'text') ?? '');
  const reasoning = new JsonView(memberText(prompt, 'reasoning') ?? '');
  return {
    tools: salt({
      model,
      key,
      parallel_tool_calls: memberText(prompt, 'parallel_tool_calls'),
      format: memberText(prompt, 'response_format') ?? text.raw('format'),
      effort: memberText(prompt, 'reasoning_effort') ?? reasoning.raw('effort'),
      verbosity: memberText(prompt, 'verbosity') ?? text.raw('verbosity'),
      service_tier: memberText(prompt, 'service_tier'),
      context_management: memberText(prompt, 'context_management'),
    }),
    system: template,
    messages: history,
  };
}

/** Parts that take a breakpoint (types of openai 7.57.0; OpenAI prompt caching guide, 2026-10-02). */
const CHAT_PARTS: ReadonlySet<string> = new Set(['text', 'image_url', 'input_audio', 'file']);
const RESPONSES_PARTS: ReadonlySet<string> = new Set(['input_text', 'input_image', 'input_file']);

/** Who may say what is marked. Of answers and tool results the documents contradict each other, so they are left alone. */
const ROLES: ReadonlySet<string> = new Set(['user', 'system', 'developer']);

function canMark(prompt: Prompt, block: Block): boolean {
  if (!takesBreakpoints(prompt) || block.mark !== undefined) return false;
  if (block.tier === 'tools' || !ROLES.has(block.role)) return false;
  if (block.kind === 'thinking' || block.kind === 'tool_call' || block.kind === 'tool_result')
    return false;
  if (block.isString) return !isTopLevel(prompt, block) && !isBlankText(prompt, block);
  const type = blockType(prompt, block);
  const parts = prompt.api === 'responses' ? RESPONSES_PARTS : CHAT_PARTS;
  if (type === undefined || !parts.has(type)) return false;
  return block.kind !== 'text' || !isBlankText(prompt, block);
}

/** `instructions` take no breakpoint, and an `input` that is one string has no parts. */
function isTopLevel(prompt: Prompt, block: Block): boolean {
  if (prompt.api !== 'responses') return false;
  const start = prompt.offsets[block.tier] + block.start;
  return prompt.member('instructions')?.start === start || prompt.member('input')?.start === start;
}

/** A host that sets breakpoints or the mode has a plan of its own. A key of its own stays and is no obstacle. */
function hostMode(prompt: Prompt): HostMode {
  if (!takesBreakpoints(prompt)) return {};
  const options = memberText(prompt, OPTIONS);
  if (options !== undefined) {
    const view = new JsonView(options);
    if (!view.isObject || view.has('mode')) return { handsOff: true };
  }
  // Together with options it is reported to be refused (public reports, 2026-09).
  if (memberText(prompt, RETENTION) !== undefined) return { handsOff: true };
  return prompt.blocks.some(({ mark }) => mark !== undefined) ? { handsOff: true } : {};
}

function openaiEdits(prompt: Prompt, order: CacheOrder): Edit[] {
  const generation = generationFor(prompt);
  if (generation === undefined || hostMode(prompt).handsOff === true) return [];
  const members: NewMember[] = [...keyMember(prompt, order.key)];
  if (!generation.takesBreakpoints) {
    const asksFor24h = order.retention === '24h' && generation.takesRetention;
    if (asksFor24h && memberText(prompt, RETENTION) === undefined)
      members.push([RETENTION, '"24h"']);
    return inOrder(memberEdits(prompt, members));
  }
  const shape: MarkShape = {
    key: 'prompt_cache_breakpoint',
    textType: prompt.api === 'responses' ? 'input_text' : 'text',
  };
  const onlyMarks = order.onlyMarks === true;
  const marks = breakpoints(
    prompt,
    order.marks,
    onlyMarks ? MAX_BREAKPOINTS_ALONE : MAX_BREAKPOINTS,
  );
  const edits = marks.flatMap((block) => markEdits(prompt, block, shape, EXPLICIT));
  // The explicit mode without a breakpoint keeps nothing: meant where no mark was ordered, else the mark could not be written.
  if (onlyMarks && (edits.length > 0 || order.marks.length === 0)) {
    const merged = modeEdit(prompt);
    if (merged === undefined) members.push([OPTIONS, EXPLICIT]);
    else edits.push(merged);
  }
  return inOrder([...edits, ...memberEdits(prompt, members)]);
}

/** By prompt, since many of its blocks are asked about. */
const generations = new WeakMap<Prompt, { readonly generation: Generation | undefined }>();

function generationFor(prompt: Prompt): Generation | undefined {
  let found = generations.get(prompt);
  if (found === undefined) {
    found = { generation: generationOf(bodyModel(prompt)) };
    generations.set(prompt, found);
  }
  return found.generation;
}

function takesBreakpoints(prompt: Prompt): boolean {
  return generationFor(prompt)?.takesBreakpoints === true;
}

/** `marks` is in the order of value: what is too much is dropped from its end. */
function breakpoints(prompt: Prompt, marks: readonly Mark[], limit: number): Block[] {
  const blocks = new Set<Block>();
  for (const { block: index } of marks) {
    const block = prompt.blocks[index];
    if (block !== undefined && blocks.size < limit && canMark(prompt, block)) blocks.add(block);
  }
  return [...blocks];
}

/** The mode written into options of the host that leave it open; `undefined` where it has none. */
function modeEdit(prompt: Prompt): Edit | undefined {
  const span = prompt.member(OPTIONS);
  if (span === undefined || memberText(prompt, OPTIONS) === undefined) return undefined;
  const comma = precededBy(prompt, span.end - 1) === '{' ? '' : ',';
  return { at: span.end - 1, remove: 0, insert: `${comma}"mode":"explicit"` };
}
