import { createSeededRandom } from '../../src/testing/seeded-random.ts';
import { code, prose, records } from '../inputs/text.ts';
import type { ChatMessage, ChatTool, ChatToolCall } from './conversation.ts';

/** Characters that make a token, as the simulated provider counts. */
const CHARACTERS_PER_TOKEN = 4;

/** Seeded text, tools and times of an application. Sizes are in tokens, times in seconds. */
export interface Writer {
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  integer(low: number, high: number): number;
  chance(share: number): boolean;
  /** Exponential with this mean: the gap between independent arrivals. */
  gap(mean: number): number;
  /** Log-normal around `median`, kept within [low, high]: how long a person takes. */
  pause(median: number, low: number, high: number): number;
  shuffled<T>(items: readonly T[]): T[];
  text(tokens: number): string;
  system(tokens: number): ChatMessage;
  user(tokens: number): ChatMessage;
  answer(tokens: number): ChatMessage;
  /** About `tokens` tokens of tool definitions. */
  tools(tokens: number): ChatTool[];
  /** An assistant's message with `count` calls, and their results of `low` to `high` tokens each. */
  calls(count: number, low: number, high: number): ChatMessage[];
}

const PLACES = ['path', 'query', 'directory', 'branch', 'url'];

export function createWriter(seed: number): Writer {
  const random = createSeededRandom(seed);
  let ids = 0;
  const between = (low: number, high: number): number => low + random() * (high - low);
  const integer = (low: number, high: number): number =>
    low + Math.floor(random() * (high - low + 1));
  const text = (tokens: number): string => prose(random, tokens * CHARACTERS_PER_TOKEN);

  function call(): ChatToolCall {
    const place = PLACES[integer(0, PLACES.length - 1)] ?? 'path';
    const name = `tool_${integer(0, 11)}`;
    return {
      id: `call_${(ids++).toString(36)}_${integer(0, 36 ** 6).toString(36)}`,
      type: 'function',
      function: { name, arguments: JSON.stringify({ [place]: text(integer(4, 20)) }) },
    };
  }

  function result(tokens: number): string {
    const length = tokens * CHARACTERS_PER_TOKEN;
    const kind = random();
    if (kind < 0.4) return code(random, length);
    return kind < 0.7 ? records(random, length) : prose(random, length);
  }

  function tool(index: number): ChatTool {
    const properties = Object.fromEntries(
      PLACES.slice(0, integer(1, PLACES.length)).map((place) => [
        place,
        { type: 'string', description: text(12) },
      ]),
    );
    return {
      type: 'function',
      function: {
        name: `tool_${index}`,
        description: text(integer(40, 160)),
        parameters: { type: 'object', properties, required: ['path'] },
      },
    };
  }

  return {
    between,
    integer,
    chance: (share) => random() < share,
    gap: (mean) => -Math.log(1 - random()) * mean,
    pause(median, low, high) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return Math.min(high, Math.max(low, median * Math.exp(normal)));
    },
    shuffled(items) {
      const rest = [...items];
      return items.map(() => rest.splice(integer(0, rest.length - 1), 1)).flat();
    },
    text,
    system: (tokens) => ({ role: 'system', content: text(tokens) }),
    user: (tokens) => ({ role: 'user', content: text(tokens) }),
    answer: (tokens) => ({ role: 'assistant', content: text(tokens) }),
    tools(tokens) {
      const tools: ChatTool[] = [];
      let length = 0;
      while (length < tokens * CHARACTERS_PER_TOKEN) {
        const next = tool(tools.length);
        length += JSON.stringify(next).length;
        tools.push(next);
      }
      return tools;
    },
    calls(count, low, high) {
      const toolCalls = Array.from({ length: count }, call);
      const content = random() < 0.5 ? text(integer(10, 120)) : null;
      return [
        { role: 'assistant', content, tool_calls: toolCalls },
        ...toolCalls.map(({ id }): ChatMessage => ({
          role: 'tool',
          tool_call_id: id,
          content: result(integer(low, high)),
        })),
      ];
    },
  };
}
