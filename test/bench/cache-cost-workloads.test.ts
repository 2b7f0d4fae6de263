/** The traffic that prompt caching is measured on: a benchmark on malformed or mislabelled traffic measures nothing. */
import { describe, expect, test } from 'vitest';
import { abstractBlocks } from '../../bench/cache-cost/abstract-requests.ts';
import { messagesBody, messagesPrompt, type ContentBlock } from '../../bench/cache-cost/bodies.ts';
import {
  ANSWER,
  timesOf,
  type Conversation,
  type Prompt,
} from '../../bench/cache-cost/conversation.ts';
import { interleaved, readTraces } from '../../bench/cache-cost/traces.ts';
import { conversationsOf, WORKLOADS } from '../../bench/cache-cost/workloads/index.ts';

const EXTENT = 0.2;

function named(name: string, extent = EXTENT): Conversation[] {
  const workload = WORKLOADS.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`There is no workload "${name}".`);
  return conversationsOf(workload, 1, extent);
}

function tokensOf(prompt: Prompt): number {
  return abstractBlocks(prompt).reduce((sum, { tokens }) => sum + tokens, 0);
}

const promptsOf = (conversations: readonly Conversation[]): Prompt[] =>
  conversations.flatMap(({ turns }) => turns.map(({ prompt }) => prompt));

/** Gaps between requests, from request to request. */
function gapsOf(conversations: readonly Conversation[]): number[] {
  return conversations.flatMap((conversation) => {
    const times = timesOf(conversation);
    return times.slice(1).map((time, index) => time - (times[index] ?? 0));
  });
}

/** What Anthropic's format asks for: roles in turn, a user at both ends, every call answered in the next message. */
function expectValid(prompt: Prompt): void {
  const { messages } = messagesPrompt(prompt);
  expect(messages[0]?.role).toBe('user');
  expect(messages.at(-1)?.role).toBe('user');
  for (const [index, { role, content }] of messages.entries()) {
    expect(role).toBe(index % 2 === 0 ? 'user' : 'assistant');
    expect(content.length).toBeGreaterThan(0);
    const called = idsIn(messages[index - 1]?.content ?? [], 'tool_use', 'id');
    expect(idsIn(content, 'tool_result', 'tool_use_id')).toEqual(called);
  }
}

function idsIn(blocks: readonly ContentBlock[], type: string, key: string): unknown[] {
  return blocks.filter((block) => block.type === type).map((block) => block[key]);
}

describe('workloads', () => {
  test('have names of their own', () => {
    expect(new Set(WORKLOADS.map(({ name }) => name)).size).toBe(WORKLOADS.length);
  });

  test.each(WORKLOADS)('$name: the same for the same seed, another for another', (workload) => {
    const once = conversationsOf(workload, 7, EXTENT);
    expect(conversationsOf(workload, 7, EXTENT)).toEqual(once);
    expect(conversationsOf(workload, 8, EXTENT)).not.toEqual(once);
  });

  test.each(WORKLOADS)('$name: valid prompts, in time, with ids of their own', (workload) => {
    const conversations = conversationsOf(workload, 1, EXTENT);
    expect(new Set(conversations.map(({ id }) => id)).size).toBe(conversations.length);
    for (const { startsAt, turns } of conversations) {
      expect(startsAt).toBeGreaterThanOrEqual(0);
      expect(turns.length).toBeGreaterThan(0);
      expect(turns[0]?.gap).toBe(0);
      for (const { gap, prompt } of turns) {
        expect(gap).toBeGreaterThanOrEqual(0);
        expectValid(prompt);
      }
    }
  });

  test('agents: an opening of 3000 to 14 000 tokens that all share, and a history that only grows', () => {
    const conversations = named('agent loop, 20 at once', 1);
    expect(conversations).toHaveLength(20);
    const [first] = conversations;
    const opening = abstractBlocks({
      tools: first?.turns[0]?.prompt.tools ?? [],
      messages: (first?.turns[0]?.prompt.messages ?? []).slice(0, 1),
    });
    const size = opening.reduce((sum, { tokens }) => sum + tokens, 0);
    expect(size).toBeGreaterThan(3000);
    expect(size).toBeLessThan(14_500);
    for (const { startsAt, turns } of conversations) {
      expect(startsAt).toBeLessThan(1);
      let before: readonly unknown[] = opening;
      for (const { prompt } of turns) {
        const blocks = abstractBlocks(prompt);
        expect(blocks.length).toBeGreaterThan(before.length);
        expect(blocks.slice(0, before.length)).toEqual(before);
        before = blocks;
      }
    }
  });

  test('parallel tools: 6 to 14 calls in a turn', () => {
    for (const { turns } of named('parallel tools, alone')) {
      for (const { prompt } of turns.slice(1)) {
        const calls = prompt.messages.findLast(({ role }) => role === 'assistant')?.tool_calls;
        expect(calls?.length).toBeGreaterThanOrEqual(6);
        expect(calls?.length).toBeLessThanOrEqual(14);
      }
    }
  });

  test('pauses: some, of 10 to 25 minutes', () => {
    const long = gapsOf(named('agent with pauses, alone', 1)).filter((gap) => gap > 100);
    expect(long.length).toBeGreaterThan(3);
    expect(Math.min(...long)).toBeGreaterThanOrEqual(600);
    expect(Math.max(...long)).toBeLessThanOrEqual(1502);
  });

  test('chat: people take 10 s to 15 min, several at once', () => {
    const conversations = named('chat, shared system', 1);
    const gaps = gapsOf(conversations).map((gap) => gap - ANSWER.whole);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10 - 1e-6);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(900 + 1e-6);
    const overlaps = conversations.filter((one, index) => {
      const next = conversations[index + 1];
      return next !== undefined && (timesOf(one).at(-1) ?? 0) > next.startsAt;
    });
    expect(overlaps.length).toBeGreaterThan(10);
  });

  test.each([
    ['fan-out, same instant', 0],
    ['fan-out, within 200 ms', 0.2],
  ])('%s: waves of 20 on a prefix of their own', (name, spread) => {
    const conversations = named(name);
    expect(conversations.length % 20).toBe(0);
    for (let at = 0; at < conversations.length; at += 20) {
      const wave = conversations.slice(at, at + 20);
      const starts = wave.map(({ startsAt }) => startsAt);
      expect(Math.max(...starts) - Math.min(...starts)).toBeLessThanOrEqual(spread);
      const documents = wave.map(({ turns }) => turns[0]?.prompt.messages[1]?.content);
      expect(new Set(documents).size).toBe(1);
      expect(String(documents[0]).length).toBeGreaterThan(30_000);
    }
  });

  test('seen twice: each system prompt in exactly two requests', () => {
    const prompts = promptsOf(named('seen twice, soon'));
    const systems = prompts.map(({ messages }) => messages[0]?.content);
    const counts = systems.map((one) => systems.filter((other) => other === one).length);
    expect(new Set(counts)).toEqual(new Set([2]));
  });

  test.each([
    ['gaps just above 5 min', 300, 332],
    ['gaps just above 1 h', 3600, 3902],
  ])('%s', (name, low, high) => {
    const gaps = gapsOf(named(name));
    expect(Math.min(...gaps)).toBeGreaterThan(low);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(high);
  });

  test('shuffled tools: another order each time, of the same tools', () => {
    for (const { turns } of named('shuffled tools')) {
      const orders = turns.map(({ prompt }) => JSON.stringify(prompt.tools));
      expect(new Set(orders).size).toBeGreaterThan(turns.length * 0.9);
      for (const { prompt, inOrder } of turns) {
        expect(inOrder?.messages).toBe(prompt.messages);
        expect(new Set(prompt.tools)).toEqual(new Set(inOrder?.tools));
      }
    }
  });

  test('a clock: no two requests have one system prompt', () => {
    const prompts = promptsOf(named('clock in the system prompt'));
    expect(new Set(prompts.map(({ messages }) => messages[0]?.content)).size).toBe(prompts.length);
  });

  test.each([
    ['just under the minimum', 900, 1023],
    ['just over the minimum', 1024, 1200],
  ])('%s of 1024 tokens', (name, low, high) => {
    for (const prompt of promptsOf(named(name, 1))) {
      expect(tokensOf(prompt)).toBeGreaterThanOrEqual(low);
      expect(tokensOf(prompt)).toBeLessThanOrEqual(high);
    }
  });

  test('old results cleared: of results, the latest three turns are whole', () => {
    const [{ turns } = { turns: [] }] = named('old results cleared');
    const results = (turns[8]?.prompt.messages ?? []).filter(({ role }) => role === 'tool');
    const cleared = results.map(({ content }) => content === '[cleared]');
    expect(cleared).toEqual(cleared.toSorted((a, b) => Number(b) - Number(a)));
    expect(cleared.filter((one) => !one).length).toBeGreaterThanOrEqual(3);
    expect(cleared.filter(Boolean).length).toBeGreaterThanOrEqual(4);
  });
});

describe('recorded conversations', () => {
  const shipped = readTraces({ shippedOnly: true });

  test('are read turn by turn, with their own gaps or drawn ones', () => {
    expect(shipped.map(({ turns }) => turns.length)).toEqual([7, 5, 10, 4]);
    const [timed, quick] = shipped.map(timesOf);
    expect(timed).toEqual([0, 4, 57, 62, 64, 71, 204]);
    // Recorded answers that took less than 2 s take as long as all.
    expect(quick).toEqual([0, 2, 4, 6, 8]);
    const drawn = (shipped[2]?.turns ?? []).slice(1).map(({ gap }) => gap);
    expect(new Set(drawn).size).toBe(9);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(1);
    expect(readTraces({ shippedOnly: true })).toEqual(shipped);
  });

  test('take their messages from a pool, also in ranges', () => {
    const lengths = shipped[3]?.turns.map(({ prompt }) => prompt.messages.length);
    expect(lengths).toEqual([2, 5, 8, 11]);
    const repeated = shipped[3]?.turns[2]?.prompt.messages;
    expect(repeated?.at(-1)).toBe(repeated?.[4]);
  });

  test('keep every text on the way to the format of Anthropic', () => {
    for (const prompt of promptsOf(shipped)) {
      const body = JSON.stringify(messagesBody(prompt));
      for (const { content } of prompt.messages) {
        if (typeof content === 'string' && content !== '') {
          expect(body).toContain(JSON.stringify(content));
        }
      }
      expectValid(prompt);
    }
  });

  test('run in lanes, of which one begins when the one before ends', () => {
    const spans = interleaved(shipped, 2).map((conversation) => ({
      start: conversation.startsAt,
      end: (timesOf(conversation).at(-1) ?? 0) + ANSWER.whole,
    }));
    expect(spans.map(({ start }) => start).slice(0, 2)).toEqual([0, 0]);
    for (const { start } of spans.slice(2)) {
      expect(spans.some(({ end }) => Math.abs(end - start) < 1e-6)).toBe(true);
      const running = spans.filter((other) => other.start <= start && start < other.end - 1e-6);
      expect(running.length).toBeLessThanOrEqual(2);
    }
  });
});
