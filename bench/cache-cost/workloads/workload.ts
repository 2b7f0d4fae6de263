import type { ChatMessage, ChatTool, Conversation, Turn } from '../conversation.ts';
import type { Writer } from '../writer.ts';

/** Traffic of one kind. */
export interface Workload {
  readonly name: string;
  /** The ratio to the lower bound that the router is to stay under. */
  readonly goal: number;
  /** Whether the lower bound takes entries as readable at once: where waiting for them is part of the task. */
  readonly readableAtOnce?: boolean;
  readonly make: (writer: Writer, extent: number) => Conversation[];
}

/** What all conversations of an application begin with. */
export interface Opening {
  readonly tools: readonly ChatTool[];
  readonly system: readonly ChatMessage[];
}

/** A conversation that grows: each step is a gap, and what is added before the request goes out. */
export function growing(
  id: string,
  startsAt: number,
  { tools, system }: Opening,
  steps: ReadonlyArray<readonly [gap: number, added: readonly ChatMessage[]]>,
): Conversation {
  const messages = [...system];
  const turns = steps.map(([gap, added]): Turn => {
    messages.push(...added);
    return { gap, prompt: { tools, messages: [...messages] } };
  });
  return { id, startsAt, turns };
}

/** A conversation of one request. */
export function single(
  id: string,
  startsAt: number,
  { tools, system }: Opening,
  messages: readonly ChatMessage[],
): Conversation {
  return {
    id,
    startsAt,
    turns: [{ gap: 0, prompt: { tools, messages: [...system, ...messages] } }],
  };
}

/** An application's tools and system prompt, in the sizes that applications have. */
export function opening(writer: Writer, systemTokens: number, toolTokens = 0): Opening {
  return {
    tools: toolTokens > 0 ? writer.tools(toolTokens) : [],
    system: [writer.system(systemTokens)],
  };
}

/** At least 1; a smaller extent makes a shorter workload. */
export function scaled(count: number, extent: number): number {
  return Math.max(1, Math.round(count * extent));
}

/** `count` items, each made from its index. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
