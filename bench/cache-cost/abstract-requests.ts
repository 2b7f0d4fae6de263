/** Prompts as the provider's cache sees them: blocks with an identity and a size, and nothing else. */
import { readAnthropic } from '../../src/testing/simulate/cache/read-anthropic.ts';
import type { SimulatedBlock } from '../../src/testing/simulate/cache/types.ts';
import { messagesPrompt } from './bodies.ts';
import { timesOf, type Conversation, type Prompt } from './conversation.ts';

export interface AbstractBlock {
  /** Equal for equal blocks of one role. */
  readonly id: string;
  readonly tokens: number;
  readonly tier: 'tools' | 'system' | 'messages';
  /** It ends the system prompt, or a user's message that an answer follows (or is awaited). */
  readonly endsTurn: boolean;
  readonly cacheable: true;
}

export interface AbstractRequest {
  /** When it goes out if nothing was held back, in seconds. */
  readonly t: number;
  /** In cache order: tools, system, messages. */
  readonly blocks: readonly AbstractBlock[];
  /** Per block the number of the prefix that ends with it: equal for equal prefixes, also of other requests of the list. */
  readonly prefixes: readonly number[];
  readonly conversation: string;
  /** Its place in the conversation, from 0. */
  readonly turn: number;
  /** Seconds from the end of the answer before it; for the first, from the beginning of the workload. */
  readonly gap: number;
}

/** The requests of all conversations by time, tools in the order that the application first had them in. */
export function abstractRequests(
  conversations: readonly Conversation[],
  blocksOf: (prompt: Prompt) => AbstractBlock[] = abstractBlocks,
): AbstractRequest[] {
  const prefixOf = prefixNumbers();
  return conversations
    .flatMap((conversation) => {
      const times = timesOf(conversation);
      return conversation.turns.map(({ gap, prompt, inOrder }, turn): AbstractRequest => {
        const blocks = blocksOf(inOrder ?? prompt);
        const t = times[turn] ?? 0;
        return {
          t,
          blocks,
          prefixes: prefixOf(blocks),
          conversation: conversation.id,
          turn,
          gap: turn === 0 ? t : gap,
        };
      });
    })
    .sort((a, b) => a.t - b.t);
}

/** The blocks of the prompt in Anthropic's format, with the identities and sizes that the simulated provider sees. */
export function abstractBlocks(prompt: Prompt): AbstractBlock[] {
  const { tools, system, messages } = messagesPrompt(prompt);
  return [
    ...tools.map((tool) => read(tool, { tools: [tool] }, false)),
    ...system.map((block, index) => read(block, { system: [block] }, index === system.length - 1)),
    ...messages.flatMap(({ role, content }) =>
      content.map((block, index) =>
        read(
          block,
          { messages: [{ role, content: [block] }] },
          role === 'user' && index === content.length - 1,
        ),
      ),
    ),
  ];
}

const known = new WeakMap<object, SimulatedBlock>();

/** Turns share their blocks, so each is read once. */
function read(key: object, body: object, endsTurn: boolean): AbstractBlock {
  const block = known.get(key) ?? readAnthropic(body).blocks[0];
  if (block === undefined) throw new Error('The provider does not see a block.');
  known.set(key, block);
  const { id, tokens, tier } = block;
  return { id: `${tier} ${id}`, tokens, tier, endsTurn, cacheable: true };
}

/** Numbers for prefixes: a tree in which each block leads from one prefix to the next. */
function prefixNumbers(): (blocks: readonly AbstractBlock[]) => number[] {
  const root: PrefixNode = { number: 0, next: new Map() };
  let count = 0;
  return (blocks) => {
    let node = root;
    return blocks.map(({ id }) => {
      let next = node.next.get(id);
      if (next === undefined) {
        count += 1;
        next = { number: count, next: new Map() };
        node.next.set(id, next);
      }
      node = next;
      return node.number;
    });
  };
}

interface PrefixNode {
  readonly number: number;
  readonly next: Map<string, PrefixNode>;
}
