import { createHash } from 'node:crypto';
import type {
  Block,
  CacheRules,
  Fingerprint,
  Prompt,
  Salts,
  Tier,
} from '../../../src/prompt-cache/types.ts';

export type Json = Record<string, unknown>;

/** A request in the format of Anthropic's messages. */
export interface Body {
  readonly model?: string;
  readonly tools?: readonly Json[];
  readonly system?: string | readonly Json[];
  readonly messages: ReadonlyArray<{ role: string; content: string | readonly Json[] }>;
}

/** Puts a body together piece by piece, noting where each block stands. The readers of the library do it the other way round. */
export function promptOf({ model = 'claude-sonnet-5', tools, system, messages }: Body): Prompt {
  let text = `{"model":${JSON.stringify(model)}`;
  const blocks: Block[] = [];
  const offsets: Record<Tier, number> = { tools: 0, system: 0, messages: 0 };

  const add = (
    value: unknown,
    block: Pick<Block, 'tier' | 'kind' | 'role' | 'message' | 'endsTurn'>,
  ) => {
    const json = JSON.stringify(value);
    const start = text.length - offsets[block.tier];
    text += json;
    blocks.push({
      ...block,
      start,
      end: start + json.length,
      isString: typeof value === 'string',
      tokens: Math.max(1, Math.ceil(Buffer.byteLength(json) / 4)),
      mark: json.includes('"cache_control":') ? '5m' : undefined,
    });
  };
  const addAll = (
    values: readonly unknown[],
    block: (index: number) => Parameters<typeof add>[1],
  ) => {
    text += '[';
    for (const [index, value] of values.entries()) {
      if (index > 0) text += ',';
      add(value, block(index));
    }
    text += ']';
  };

  if (tools !== undefined) {
    text += ',"tools":';
    offsets.tools = text.length;
    addAll(tools, () => ({ tier: 'tools', kind: 'tool', role: '', message: -1, endsTurn: false }));
  }
  if (system !== undefined) {
    text += ',"system":';
    offsets.system = text.length;
    const block = {
      tier: 'system',
      kind: 'text',
      role: 'system',
      message: -1,
      endsTurn: false,
    } as const;
    if (typeof system === 'string') add(system, block);
    else addAll(system, () => block);
  }
  text += ',"messages":[';
  offsets.messages = text.length;
  for (const [message, { role, content }] of messages.entries()) {
    text += `${message > 0 ? ',' : ''}{"role":${JSON.stringify(role)},"content":`;
    const closes = role !== 'assistant' && messages[message + 1]?.role !== role;
    const block = { tier: 'messages', kind: 'text', role, message } as const;
    if (typeof content === 'string') add(content, { ...block, endsTurn: closes });
    else addAll(content, (i) => ({ ...block, endsTurn: closes && i === content.length - 1 }));
    text += '}';
  }
  const end = text.length + 1;
  const whole = `${text}]}`;
  const slice = (from: number, to: number): string => whole.slice(from, to);
  return { api: 'messages', text: whole, slice, offsets, blocks, end, member: () => undefined };
}

export const noSalts: Salts = { tools: '', system: '', messages: '' };

/** The chain as the contract has it: hashes only at the positions that it promises. */
export function fingerprintOf(prompt: Prompt, salts: Salts = noSalts): Fingerprint {
  const hash = createHash('sha256');
  const { blocks, offsets, text } = prompt;
  const hashes = new Map<number, string>();
  let tier: Tier | undefined;
  const start = blocks.filter((block) => block.tier !== 'messages').length;
  for (const [index, block] of blocks.entries()) {
    if (block.tier !== tier) hash.update(`${block.tier} ${salts[block.tier]}`);
    tier = block.tier;
    const json = text.slice(offsets[tier] + block.start, offsets[tier] + block.end);
    hash.update(`${block.role} ${json.replace(/,"cache_control":\{[^}]*\}/, '')}`);
    const isKept =
      index < start + 8 || index >= blocks.length - 24 || block.endsTurn || block.tier === 'system';
    if (isKept) hashes.set(index, hash.copy().digest('base64url').slice(0, 22));
  }
  return {
    at: (index) => hashes.get(index),
    positions: [...hashes.keys()],
    full: hash.digest('base64url').slice(0, 22),
    salts,
  };
}

export const rules: CacheRules = {
  writes: 'marks',
  minTokens: 1024,
  read: 0.1,
  lifetimes: [
    { ttl: '5m', ms: 300_000, write: 1.25 },
    { ttl: '1h', ms: 3_600_000, write: 2 },
  ],
  maxMarks: 4,
  lookback: 20,
};

const words =
  'the agent reads a file and then it writes down what has changed since the last release of the package '.split(
    ' ',
  );

/** About that many tokens of text, another one for every seed. */
export function prose(tokens: number, seed = 0): string {
  let text = '';
  for (let i = 0; text.length < tokens * 4; i++)
    text += `${words[(i * (seed + 3) + seed) % words.length]} `;
  return text;
}

export const tool = (name: string, description: string = prose(60, name.length)): Json => ({
  name,
  description,
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
});

export type Message = Body['messages'][number];

export const user = (content: Message['content']): Message => ({ role: 'user', content });
export const assistant = (content: Message['content']): Message => ({ role: 'assistant', content });
