/** A cost test of a small agent: a simulated provider with its prompt cache instead of a network, virtual time instead of waiting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { createRouter } from 'tokenrouter';
import { memorySink, type MemorySink } from 'tokenrouter/sinks/memory';
import { cacheReadShare, costOf, createVirtualClock, simulateProvider } from 'tokenrouter/testing';

const TURNS = 6;
const handbook = Array.from({ length: 200 }, (_, i) => `Rule ${i + 1}: look before you leap.`);
const tools: Anthropic.Tool[] = [
  {
    name: 'read_file',
    description: 'Reads one file of the project.',
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  },
];

/** The agent under test: asks, does what it is told, asks again. */
async function agent(client: Anthropic, pause: () => Promise<void>): Promise<string> {
  const messages: Anthropic.MessageParam[] = [
    { role: 'user', content: 'Why does the build fail?' },
  ];
  for (;;) {
    const { content } = await client.messages.create({
      model: 'claude-opus-4-8',
      max_tokens: 1000,
      system: handbook.join('\n'),
      tools,
      messages,
    });
    const calls = content.filter((block) => block.type === 'tool_use');
    if (calls.length === 0)
      return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    messages.push({ role: 'assistant', content });
    messages.push({
      role: 'user',
      content: calls.map(({ id }) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: 'A line of a source file. '.repeat(80),
      })),
    });
    await pause();
  }
}

/** One run of the agent, and the records of its calls. */
async function run(promptCache: 'auto' | 'off'): Promise<MemorySink> {
  const clock = createVirtualClock();
  const provider = simulateProvider({
    provider: 'anthropic',
    clock,
    answer: ({ call }) =>
      call < TURNS - 1
        ? {
            text: 'Let me see.',
            toolCalls: [{ name: 'read_file', arguments: { path: `${call}.ts` } }],
          }
        : 'A comma is missing.',
  });
  const sink = memorySink();
  const router = createRouter({ fetch: provider, clock, promptCache, sinks: [sink] });
  const client = new Anthropic({ apiKey: 'test', fetch: router.fetch });

  let isDone = false;
  const answer = agent(client, () => new Promise((resolve) => clock.setTimeout(resolve, 20_000)));
  void answer.finally(() => (isDone = true)).catch(() => {});
  while (!isDone) await clock.next();
  assert.equal(await answer, 'A comma is missing.');
  await router.close();
  return sink;
}

function show(mode: string, sink: MemorySink): void {
  const read = Math.round((cacheReadShare(sink) ?? 0) * 100);
  console.log(
    `${mode}: ${sink.records.length} calls, $${costOf(sink)}, ${read} % read from the prompt cache`,
  );
}

await test('one question costs less than 4 cents, and less than half of what it costs without a cache', async () => {
  const [off, auto] = [await run('off'), await run('auto')];
  show('promptCache off', off);
  show('promptCache auto', auto);
  assert.ok(Number(costOf(auto)) < 0.04);
  assert.ok(Number(costOf(auto)) < Number(costOf(off)) / 2);
  assert.ok((cacheReadShare(auto) ?? 0) > 0.7);
});
