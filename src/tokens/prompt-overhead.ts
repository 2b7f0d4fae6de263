import type { Conversation, PromptText } from './prompt-text.ts';

/** Tokens that a provider adds to what the caller wrote. */
interface Overhead {
  /** Role and separators of a message. */
  readonly perMessage: number;
  /** The start of the reply. */
  readonly perReply: number;
  /** Instructions on the use of tools, once there is a tool. */
  readonly withTools: number;
}

const DEFAULT_OVERHEAD: Overhead = { perMessage: 4, perReply: 3, withTools: 0 };

/** A model family, in one dialect or in all. */
interface Family {
  readonly model: RegExp;
  readonly conversation?: Conversation;
  readonly overhead: Overhead;
}

/**
 * Medians of the reported input minus the counted text, over recorded calls with the caller's own tools (2026-11-20):
 * gpt-5 in chat completions 43 calls, Claude 3 to 4.1 69, later Claude 241; Gemini, without tools, 240.
 * The first match wins.
 */
const FAMILIES: readonly Family[] = [
  {
    model: /gpt-5/,
    conversation: 'messages',
    overhead: { ...DEFAULT_OVERHEAD, withTools: 82 },
  },
  {
    model: /claude-(?:3|(?:sonnet|opus)-4-(?:0|1|20))/,
    overhead: { ...DEFAULT_OVERHEAD, withTools: 377 },
  },
  { model: /claude/, overhead: { ...DEFAULT_OVERHEAD, withTools: 611 } },
  { model: /gemini/, overhead: { perMessage: 0, perReply: 0, withTools: 0 } },
];

/** Tokens of the chat template around a prompt; OpenAI's for models that are not known better. */
export function promptOverhead(prompt: PromptText, model: string | undefined): number {
  if (prompt.messages === 0) return 0;
  const family = FAMILIES.find((entry) => isOf(entry, prompt, model));
  const { perMessage, perReply, withTools } = family?.overhead ?? DEFAULT_OVERHEAD;
  return prompt.messages * perMessage + perReply + (prompt.tools > 0 ? withTools : 0);
}

function isOf(family: Family, prompt: PromptText, model: string | undefined): boolean {
  if (family.conversation !== undefined && family.conversation !== prompt.conversation)
    return false;
  return model !== undefined && family.model.test(model);
}
