/** Policies, replay and table of the measurement of prompt caching. */
import { describe, expect, test } from 'vitest';
import { bound } from '../../bench/cache-cost/abstract-bound.ts';
import { abstractRequests } from '../../bench/cache-cost/abstract-requests.ts';
import { runAbstract } from '../../bench/cache-cost/abstract-run.ts';
import { messagesBody, messagesPrompt } from '../../bench/cache-cost/bodies.ts';
import type { Conversation, Prompt } from '../../bench/cache-cost/conversation.ts';
import { FORMATS } from '../../bench/cache-cost/formats.ts';
import { unmarkedCost, type WorkloadResult } from '../../bench/cache-cost/measure.ts';
import { POLICIES, withPolicy, type Policy } from '../../bench/cache-cost/policies.ts';
import { replay } from '../../bench/cache-cost/replay.ts';
import { readTraces } from '../../bench/cache-cost/traces.ts';
import { traceTable, workloadTable } from '../../bench/cache-cost/table.ts';
import { conversationsOf, WORKLOADS } from '../../bench/cache-cost/workloads/index.ts';

function conversationsNamed(name: string): Conversation[] {
  const workload = WORKLOADS.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`There is no workload "${name}".`);
  return conversationsOf(workload, 1, 0.2);
}

function lastPromptOf(name: string): Prompt {
  const prompt = conversationsNamed(name)[0]?.turns.at(-1)?.prompt;
  if (prompt === undefined) throw new Error(`"${name}" is empty.`);
  return prompt;
}

/** Where the marks stand: `system.0`, `messages.3.1`; `*` for the request's own. */
function marksOf(policy: Policy, prompt: Prompt): string[] {
  const body = withPolicy(policy, messagesBody(prompt));
  const marked = (blocks: unknown): number[] =>
    Array.isArray(blocks)
      ? blocks.flatMap((block: object, index) => ('cache_control' in block ? [index] : []))
      : [];
  return [
    ...('cache_control' in body ? ['*'] : []),
    ...marked(body.system).map((index) => `system.${index}`),
    ...body.messages.flatMap(({ content }, message) =>
      marked(content).map((index) => `messages.${message}.${index}`),
    ),
  ];
}

describe('policies', () => {
  const agent = lastPromptOf('agent loop, alone');
  const chat = lastPromptOf('chat, shared system');
  const end = (prompt: Prompt): string => {
    const { messages } = messagesPrompt(prompt);
    return `messages.${messages.length - 1}.${(messages.at(-1)?.content.length ?? 0) - 1}`;
  };

  test('none, and ours before the router saw it, mark nothing', () => {
    for (const prompt of [agent, chat]) {
      expect(marksOf('none', prompt)).toEqual([]);
      expect(marksOf('ours', prompt)).toEqual([]);
    }
  });

  test('automatic marks the request', () => {
    expect(marksOf('automatic', agent)).toEqual(['*']);
  });

  test('system + last marks the ends of both', () => {
    expect(marksOf('system + last', agent)).toEqual(['system.0', end(agent)]);
    expect(marksOf('system + last', chat)).toEqual(['system.0', end(chat)]);
  });

  test('litellm-style marks what people wrote, four marks in all', () => {
    expect(marksOf('litellm-style', agent)).toEqual(['system.0', 'messages.0.0']);
    const long = conversationsOf(
      WORKLOADS.find(({ name }) => name.startsWith('gaps'))!,
      1,
      1,
    );
    expect(marksOf('litellm-style', long[0]!.turns.at(-1)!.prompt)).toEqual([
      'system.0',
      'messages.0.0',
      'messages.2.0',
      'messages.4.0',
    ]);
  });

  test('change nothing but marks', () => {
    for (const policy of POLICIES) {
      const text = JSON.stringify(withPolicy(policy, messagesBody(agent)));
      const bare = text.replaceAll(',"cache_control":{"type":"ephemeral"}', '');
      // A string has to become a block before it can carry a mark.
      const asStrings = bare.replaceAll(/\[\{"type":"text","text":("(?:[^"\\]|\\.)*")\}\]/g, '$1');
      const plain = JSON.stringify(messagesBody(agent));
      expect(asStrings).toBe(
        plain.replaceAll(/\[\{"type":"text","text":("(?:[^"\\]|\\.)*")\}\]/g, '$1'),
      );
    }
  });
});

describe('a replay', () => {
  const format = FORMATS.messages;

  test.each([
    ['agent with pauses, alone', 'system + last'],
    ['chat, shared system', 'system + last'],
    ['fan-out, within 200 ms', 'automatic'],
  ] as const)('of "%s", %s, costs what it costs without router and HTTP', async (name, policy) => {
    const conversations = conversationsNamed(name);
    const { cost, calls, heldMs } = await replay(conversations, policy, format);
    const requests = abstractRequests(conversations);
    const abstract = runAbstract(requests, {
      plan({ blocks }) {
        const system = blocks.findLastIndex(({ tier }) => tier === 'system');
        const places = policy === 'automatic' ? [] : [system];
        return { marks: [...places, blocks.length - 1].map((block) => ({ block, ttl: '5m' })) };
      },
    });
    expect(cost).toBeCloseTo(abstract.cost, 3);
    expect(calls).toBe(requests.length);
    expect(heldMs).toBe(0);
  });

  test('without marks costs every token of every conversation', async () => {
    const traces = readTraces({ shippedOnly: true });
    const { cost, byConversation } = await replay(traces, 'none', format);
    const expected = traces.map((trace) => unmarkedCost(trace, format));
    expect([...byConversation.keys()].toSorted()).toEqual(traces.map(({ id }) => id).toSorted());
    expect(traces.map(({ id }) => byConversation.get(id))).toEqual(expected);
    expect(cost).toBe(expected.reduce((sum, own) => sum + own, 0));
  });

  test('of chat bodies reads what OpenAI keeps unasked', async () => {
    const conversations = conversationsNamed('agent loop, alone');
    const { cost } = await replay(conversations, 'none', FORMATS.chat);
    const requests = abstractRequests(conversations, FORMATS.chat.blocks);
    const ratio = cost / bound(requests, { rules: FORMATS.chat.rules });
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThan(1.02);
  });

  test('fails when a request is refused', async () => {
    const turns = [{ gap: 0, prompt: { tools: [], messages: [] } }];
    const empty = [{ id: 'empty', startsAt: 0, turns }];
    await expect(replay(empty, 'none', format)).rejects.toThrow('The provider answered 400');
  });
});

describe('tables', () => {
  const name = 'chat, shared system';
  const cell = (policy: Policy, seed: number, cost: number): WorkloadResult => ({
    kind: 'workload',
    workload: name,
    policy,
    seed,
    format: 'messages',
    extent: 1,
    cost,
    bound: 100,
    calls: 1,
    heldMs: 0,
  });
  const none = [1, 2, 3].map((seed) => cell('none', seed, 400));
  const rowOf = (costs: readonly number[]): string => {
    const ours = costs.map((cost, index) => cell('ours', index + 1, cost));
    return (
      workloadTable([...none, ...ours])
        .split('\n')
        .at(-1) ?? ''
    );
  };

  test('show the median and the range of the seeds', () => {
    expect(rowOf([105, 110, 120])).toMatch(/\| 4\.00 .*\| 1\.10 \(1\.05-1\.20\) \| 1\.15 \| pass/);
  });

  test('fail above the goal, and where marking is dearer than not marking for any seed', () => {
    expect(rowOf([116, 116, 100])).toContain('FAIL');
    expect(rowOf([100, 100, 126])).toContain('FAIL');
    expect(rowOf([100, 100, 401])).toContain('DEARER');
    expect(rowOf([115, 115, 115])).toContain('pass');
  });

  test('of recorded conversations have a column per policy', () => {
    const sum = { cost: 102, bound: 100, calls: 26, dearer: 3, heldMs: 0 };
    const job = {
      kind: 'traces',
      format: 'messages',
      shippedOnly: true,
      conversations: 4,
    } as const;
    const text = traceTable([
      { ...job, policy: 'none', together: sum, alone: sum },
      { ...job, policy: 'ours', together: { ...sum, dearer: 0 }, alone: { ...sum, cost: 103 } },
    ]);
    expect(text).toMatch(/\| 20 at once.*\| 1\.020 \| 1\.020 \| 1\.02 \| pass/);
    expect(text).toMatch(/dearer than unmarked\s+\| 3\s+\| 0\s+\| 0\s+\| pass/);
    expect(text).toMatch(/each alone.*\| 1\.020 \| 1\.030 \| 1\.02 \| FAIL/);
  });
});
