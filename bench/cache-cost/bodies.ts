/** The same prompt as a request body of Anthropic's Messages format and of OpenAI's chat format. */
import type { ChatMessage, ChatTool, Prompt } from './conversation.ts';

const MESSAGES_MODEL = 'claude-sonnet-4-5';
const CHAT_MODEL = 'gpt-5.6';

/** A content block as Anthropic's format has it. */
export interface ContentBlock {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface MessagesTool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: unknown;
}

export interface MessagesBody {
  readonly model: string;
  readonly max_tokens: number;
  readonly tools?: readonly MessagesTool[];
  readonly system?: readonly ContentBlock[];
  readonly messages: ReadonlyArray<{
    readonly role: 'user' | 'assistant';
    readonly content: string | readonly ContentBlock[];
  }>;
}

export interface ChatBody {
  readonly model: string;
  readonly tools?: readonly ChatTool[];
  readonly messages: readonly ChatMessage[];
}

export function chatBody({ tools, messages }: Prompt): ChatBody {
  return { model: CHAT_MODEL, ...(tools.length > 0 && { tools }), messages };
}

export function messagesBody(prompt: Prompt): MessagesBody {
  const { tools, system, messages } = messagesPrompt(prompt);
  return {
    model: MESSAGES_MODEL,
    max_tokens: 1024,
    ...(tools.length > 0 && { tools }),
    ...(system.length > 0 && { system }),
    messages: messages.map(({ role, content }) => ({ role, content: shortest(content) })),
  };
}

/** Messages in Anthropic's format: neighbours of one role are one message. */
export interface MessagesPrompt {
  readonly tools: readonly MessagesTool[];
  readonly system: readonly ContentBlock[];
  readonly messages: ReadonlyArray<{
    readonly role: 'user' | 'assistant';
    readonly content: readonly ContentBlock[];
  }>;
}

export function messagesPrompt({ tools, messages }: Prompt): MessagesPrompt {
  const firstTurn = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const opening = firstTurn < 0 ? messages.length : firstTurn;
  const merged: Array<{ role: 'user' | 'assistant'; content: ContentBlock[] }> = [];
  // The format wants a user's message first, and some hosts begin with a greeting of their own.
  if (messages[opening]?.role === 'assistant') merged.push({ role: 'user', content: [GREETED] });
  for (const message of messages.slice(opening)) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = blocksOf(message);
    const last = merged.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) merged.push({ role, content: [...content] });
  }
  return {
    tools: tools.map(toolOf),
    system: messages.slice(0, opening).flatMap(blocksOf),
    messages: merged,
  };
}

/** A text alone goes out as a string, as most applications write it. */
function shortest(content: readonly ContentBlock[]): string | readonly ContentBlock[] {
  const [first] = content;
  const text = content.length === 1 && first?.type === 'text' ? first['text'] : undefined;
  return typeof text === 'string' ? text : content;
}

const GREETED: ContentBlock = { type: 'text', text: '.' };

const knownTools = new WeakMap<ChatTool, MessagesTool>();
const knownBlocks = new WeakMap<ChatMessage, readonly ContentBlock[]>();

/** Turns share their tools and messages, and so do the results. */
function toolOf(tool: ChatTool): MessagesTool {
  const known = knownTools.get(tool);
  if (known !== undefined) return known;
  const { name, description, parameters } = tool.function;
  const made = {
    name,
    ...(description !== undefined && { description }),
    input_schema: parameters ?? { type: 'object' },
  };
  knownTools.set(tool, made);
  return made;
}

function blocksOf(message: ChatMessage): readonly ContentBlock[] {
  const known = knownBlocks.get(message);
  if (known !== undefined) return known;
  const made = makeBlocks(message);
  knownBlocks.set(message, made);
  return made;
}

function makeBlocks({ role, content, tool_calls, tool_call_id }: ChatMessage): ContentBlock[] {
  const parts = contentBlocks(content);
  if (role === 'tool') {
    return [{ type: 'tool_result', tool_use_id: tool_call_id, content: shortest(parts) }];
  }
  const calls = (tool_calls ?? []).map(
    ({ id, function: { name, arguments: text } }): ContentBlock => ({
      type: 'tool_use',
      id,
      name,
      input: inputOf(text),
    }),
  );
  return [...parts, ...calls];
}

function contentBlocks(content: ChatMessage['content']): ContentBlock[] {
  if (content == null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.flatMap(({ text, file }): ContentBlock[] => {
    if (file?.file_data !== undefined) {
      const data = file.file_data.slice(file.file_data.indexOf(',') + 1);
      return [
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } },
      ];
    }
    return text === undefined || text === '' ? [] : [{ type: 'text', text }];
  });
}

function inputOf(text: string): unknown {
  const input: unknown = JSON.parse(text);
  return typeof input === 'object' && input !== null ? input : { value: input };
}
