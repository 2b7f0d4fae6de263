/** What an application sends: prompts in the chat format, one per request, and when. */

export interface ChatPart {
  readonly type: string;
  readonly text?: string;
  readonly file?: { readonly filename?: string; readonly file_data?: string };
}

export interface ChatToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | null | readonly ChatPart[];
  readonly tool_calls?: readonly ChatToolCall[];
  readonly tool_call_id?: string;
}

export interface ChatTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: unknown;
  };
}

/** Tools and messages are shared between the turns of a conversation, so a prompt is cheap. */
export interface Prompt {
  readonly tools: readonly ChatTool[];
  readonly messages: readonly ChatMessage[];
}

/** One request of a conversation. */
export interface Turn {
  /** Seconds from the end of the answer before (or from the conversation's start) to this request. */
  readonly gap: number;
  readonly prompt: Prompt;
  /** The prompt as it would be had the host sent its tools in one order; absent where it did. */
  readonly inOrder?: Prompt;
}

/** Requests of which each waits for the answer before it. */
export interface Conversation {
  readonly id: string;
  /** Seconds since the workload began. */
  readonly startsAt: number;
  readonly turns: readonly Turn[];
}

/** How long every answer takes, in seconds: until its first byte, and until its last. */
export const ANSWER = { firstByte: 1, whole: 2 } as const;

/** When a turn's request goes out if nothing holds the conversation up, in seconds since the workload began. */
export function timesOf({ startsAt, turns }: Conversation): number[] {
  let now = startsAt - ANSWER.whole;
  return turns.map(({ gap }) => {
    now += ANSWER.whole + gap;
    return now;
  });
}
