import type { BoundRules } from '../../src/testing/simulate/cache/least-cost.ts';
import { readOpenAI } from '../../src/testing/simulate/cache/read-openai.ts';
import { abstractBlocks, type AbstractBlock } from './abstract-requests.ts';
import { chatBody, messagesBody } from './bodies.ts';
import type { Prompt } from './conversation.ts';
import { POLICIES, withPolicy, type Policy } from './policies.ts';
import { ANTHROPIC, OPENAI } from './rules.ts';

/** A provider's request format, and what its prompt cache costs. */
export interface Format {
  readonly name: 'messages' | 'chat';
  readonly provider: 'anthropic' | 'openai';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Policies that differ in this format. */
  readonly policies: readonly Policy[];
  body(policy: Policy, prompt: Prompt): unknown;
  readonly rules: BoundRules;
  /** The prompt as the provider's cache sees it. */
  blocks(prompt: Prompt): AbstractBlock[];
}

export const FORMATS: Readonly<Record<Format['name'], Format>> = {
  messages: {
    name: 'messages',
    provider: 'anthropic',
    url: 'https://api.anthropic.com/v1/messages',
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'key',
      'anthropic-version': '2023-06-01',
    },
    policies: POLICIES,
    body: (policy, prompt) => ({ ...withPolicy(policy, messagesBody(prompt)), stream: true }),
    rules: ANTHROPIC,
    blocks: abstractBlocks,
  },
  /** The provider keeps the end of every request unasked, and nobody but the router sets marks. */
  chat: {
    name: 'chat',
    provider: 'openai',
    url: 'https://api.openai.com/v1/chat/completions',
    headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
    policies: ['none', 'ours'],
    body: (_policy, prompt) => ({ ...chatBody(prompt), stream: true }),
    rules: OPENAI,
    blocks: (prompt) =>
      readOpenAI(chatBody(prompt), undefined, { pieces: false }).blocks.map(
        ({ id, tokens, tier, ending }) => ({
          id: `${tier} ${id}`,
          tokens,
          tier,
          endsTurn: ending !== undefined,
          cacheable: true,
        }),
      ),
  },
};
