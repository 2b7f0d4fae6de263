import { code, prose, records, seededNumbers } from './text.ts';

/** Sizes of request bodies in kilobytes: a question, a working session, a long agent conversation. */
export const REQUEST_SIZES = [2, 50, 500] as const;
export type RequestSize = (typeof REQUEST_SIZES)[number];

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  model: string;
  temperature: number;
  max_tokens: number;
  messages: ChatMessage[];
  tools?: Array<{ type: 'function'; function: ToolFunction }>;
}

interface ToolFunction {
  name: string;
  description: string;
  parameters: ToolSchema;
}

interface ToolSchema {
  [key: string]: unknown;
  type: 'object';
}

export interface MessagesRequest {
  model: string;
  max_tokens: number;
  system: string;
  messages: Array<{ role: 'user' | 'assistant'; content: string }>;
  tools?: Array<{ name: string; description: string; input_schema: ToolSchema }>;
}

/** One conversation in both request formats. */
export interface BenchRequest {
  readonly chat: ChatRequest;
  readonly messages: MessagesRequest;
}

interface Shape {
  readonly tools: number;
  readonly messageLength: number;
}

const SHAPES: Readonly<Record<RequestSize, Shape>> = {
  2: { tools: 0, messageLength: 450 },
  50: { tools: 12, messageLength: 1400 },
  500: { tools: 30, messageLength: 1200 },
};

/** A conversation whose chat body has `size` kilobytes, give or take the length of a message. */
export function benchRequest(size: RequestSize): BenchRequest {
  const random = seededNumbers(size);
  const { tools: toolCount, messageLength } = SHAPES[size];
  const system = prose(random, 300);
  const tools = Array.from({ length: toolCount }, (_, index) => tool(random, index));
  const turns: MessagesRequest['messages'] = [];
  let length = system.length + JSON.stringify(tools).length + 200;
  while (length < size * 1024 - messageLength / 2 || turns.length % 2 === 0) {
    const content = contentOf(turns.length, random, messageLength);
    turns.push({ role: turns.length % 2 === 0 ? 'user' : 'assistant', content });
    length += JSON.stringify(content).length + 32;
  }
  return {
    chat: {
      model: 'gpt-4o-mini',
      temperature: 0.7,
      max_tokens: 1024,
      messages: [{ role: 'system', content: system }, ...turns],
      ...(tools.length > 0 && {
        tools: tools.map((fn) => ({ type: 'function' as const, function: fn })),
      }),
    },
    messages: {
      model: 'claude-sonnet-5',
      max_tokens: 1024,
      system,
      messages: turns,
      ...(tools.length > 0 && {
        tools: tools.map(({ parameters, ...rest }) => ({ ...rest, input_schema: parameters })),
      }),
    },
  };
}

function contentOf(turn: number, random: () => number, length: number): string {
  if (turn % 4 === 1) return code(random, length);
  return turn % 4 === 2 ? records(random, length) : prose(random, length);
}

function tool(random: () => number, index: number): ToolFunction {
  return {
    name: `tool_${index}`,
    description: prose(random, 160),
    parameters: {
      type: 'object',
      properties: {
        path: { type: 'string', description: prose(random, 60) },
        limit: { type: 'integer', minimum: 1, maximum: 100 },
        mode: { type: 'string', enum: ['read', 'list', 'search'] },
      },
      required: ['path'],
      additionalProperties: false,
    },
  };
}
