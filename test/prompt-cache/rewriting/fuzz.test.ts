import { describe, expect, test } from 'vitest';
import { createSeededRandom, simulateProvider } from '../../../src/testing/index.ts';
import { createBodies, type Dialect } from './bodies.ts';
import { differences } from './differences.ts';
import { readTree } from './json-tree.ts';
import { breakpoints, isLegalOrder, lifetimes, whyNot, type Format } from './marks.ts';
import { createRig, type Provider } from './sent.ts';

/**
 * Random bodies in conversations of several turns through one router, so that marks are placed in many states. What is sent
 * means what was given, character for character, and no provider refuses it for its marks.
 */

interface Target {
  readonly name: string;
  readonly url: string;
  readonly dialect: Dialect;
  readonly model?: string;
  readonly format: Format;
  readonly provider: Provider;
  /** Whether a prompt of this size is marked at all. */
  readonly isMarked: boolean;
}

const TARGETS: readonly Target[] = [
  {
    name: 'Anthropic Messages',
    url: 'https://api.anthropic.com/v1/messages',
    dialect: 'messages',
    model: 'claude-sonnet-4-5',
    format: 'claude',
    provider: 'anthropic',
    isMarked: true,
  },
  {
    name: 'Anthropic Messages, new model',
    url: 'https://api.anthropic.com/v1/messages',
    dialect: 'messages',
    model: 'claude-opus-5-5',
    format: 'claude',
    provider: 'anthropic',
    isMarked: true,
  },
  {
    name: 'OpenAI chat before GPT-5.6',
    url: 'https://api.openai.com/v1/chat/completions',
    dialect: 'chat',
    model: 'gpt-4o',
    format: 'none',
    provider: 'openai',
    isMarked: false,
  },
  {
    name: 'OpenAI chat since GPT-5.6',
    url: 'https://api.openai.com/v1/chat/completions',
    dialect: 'chat',
    model: 'gpt-5.6-sol',
    format: 'openai-chat',
    provider: 'openai',
    isMarked: true,
  },
  {
    name: 'OpenAI Responses before GPT-5.6',
    url: 'https://api.openai.com/v1/responses',
    dialect: 'responses',
    model: 'gpt-5.4',
    format: 'none',
    provider: 'openai',
    isMarked: false,
  },
  {
    name: 'OpenAI Responses since GPT-5.6',
    url: 'https://api.openai.com/v1/responses',
    dialect: 'responses',
    model: 'gpt-5.6-sol',
    format: 'openai-responses',
    provider: 'openai',
    isMarked: true,
  },
  {
    name: 'DeepSeek chat',
    url: 'https://api.deepseek.com/chat/completions',
    dialect: 'chat',
    model: 'deepseek-chat',
    format: 'none',
    provider: 'deepseek',
    isMarked: false,
  },
  {
    name: 'Groq chat',
    url: 'https://api.groq.com/openai/v1/chat/completions',
    dialect: 'chat',
    model: 'openai/gpt-oss-120b',
    format: 'none',
    provider: 'openai',
    isMarked: false,
  },
  {
    name: 'Claude at OpenRouter',
    url: 'https://openrouter.ai/api/v1/chat/completions',
    dialect: 'chat',
    model: 'anthropic/claude-sonnet-4.5',
    format: 'openrouter',
    provider: 'openai',
    isMarked: true,
  },
  {
    name: 'Gemini',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    dialect: 'gemini',
    format: 'none',
    provider: 'gemini',
    isMarked: false,
  },
];

const AGENTS = Number(process.env['FUZZ_AGENTS'] ?? 24);
const TURNS = 5;

interface Seen {
  bodies: number;
  rewritten: number;
  marks: number;
  strings: number;
  hours: number;
  beside: number;
}

async function fuzz(target: Target, seed: number): Promise<{ problems: string[]; seen: Seen }> {
  const random = createSeededRandom(seed);
  const bodies = createBodies(random);
  const rig = createRig(target.provider);
  const problems: string[] = [];
  const seen: Seen = { bodies: 0, rewritten: 0, marks: 0, strings: 0, hours: 0, beside: 0 };
  for (let agent = 0; agent < AGENTS; agent++) {
    const conversations = bodies.agent(
      {
        dialect: target.dialect,
        model: target.model,
        wild: agent % 3 === 0 ? 0 : 0.15,
        turns: TURNS,
        hostMarks: agent % 2 === 1,
      },
      2,
    );
    for (const [which, { turns }] of conversations.entries()) {
      for (const [turn, body] of turns.entries()) {
        const where = `seed ${seed} agent ${agent}.${which} turn ${turn}`;
        const given = readTree(body);
        if (given === undefined) throw new Error(`${where}: the generator wrote no JSON: ${body}`);
        const sent = await rig.post(target.url, body);
        seen.bodies++;
        for (const problem of check(target, body, sent.body, seen)) {
          problems.push(`${where}: ${problem}`);
        }
        const alone = simulateProvider({ provider: target.provider });
        const unchanged = await alone(target.url, { method: 'POST', body });
        if (unchanged.status === 200 && sent.status !== 200) {
          problems.push(`${where}: the provider refuses what it would have taken`);
        }
        await rig.clock.advance(
          Math.floor([2000, 20_000, 400_000, 1_500_000][Math.floor(random() * 4)]!),
        );
      }
    }
  }
  return { problems, seen };
}

function check(target: Target, body: string, sent: unknown, seen: Seen): string[] {
  if (typeof sent !== 'string') return [`sent as ${typeof sent}`];
  const given = readTree(body)!;
  const after = readTree(sent);
  if (after === undefined) return ['what is sent is no JSON'];
  const { marks, faults } = differences(given, after);
  const problems = [...faults];
  for (const { path, key, wasString, value } of marks) {
    const why = whyNot(after, path, target.format);
    if (why !== undefined) problems.push(`${key} at ${path.join('.')}: ${why}`);
    if (wasString) seen.strings++;
    if (value.includes('1h')) seen.hours++;
  }
  const before = lifetimes(given);
  const now = lifetimes(after);
  if (now.length > 4 && now.length > before.length) problems.push(`${now.length} marks`);
  if (isLegalOrder(before) && !isLegalOrder(now)) problems.push(`lifetimes ${now.join()}`);
  if (breakpoints(after) > 4 && breakpoints(after) > breakpoints(given))
    problems.push('breakpoints');
  seen.marks += marks.length;
  if (marks.length > 0 && before.length > 0) seen.beside++;
  if (sent !== body) seen.rewritten++;
  return problems;
}

describe.each(TARGETS)('$name', (target) => {
  test('what is sent means what was given', async () => {
    const { problems, seen } = await fuzz(target, Number(process.env['FUZZ_SEED'] ?? 1));
    if (process.env['FUZZ_LOG'] !== undefined) console.log(target.name, seen);
    expect(problems.slice(0, 10)).toEqual([]);
    expect(seen.bodies).toBeGreaterThanOrEqual(200);
    expect(seen.rewritten).toBeGreaterThan(seen.bodies / 4);
    if (target.isMarked) expect(seen.marks).toBeGreaterThan(50);
    else expect(seen.marks).toBe(0);
  }, 60_000);
});
