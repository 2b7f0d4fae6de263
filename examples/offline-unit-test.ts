/** A unit test of a small app: recorded answers instead of a network, a virtual clock instead of waiting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { createRouter } from 'tokenrouter';
import { memorySink } from 'tokenrouter/sinks/memory';
import { createVirtualClock, replayFetch } from 'tokenrouter/testing';

/** The app: answers a question, or says that the provider fell silent. */
async function capitalOf(country: string, client: OpenAI): Promise<string> {
  try {
    const answer = await client.chat.completions.create({
      model: 'gpt-4.1-nano',
      messages: [{ role: 'user', content: `What is the capital of ${country}?` }],
    });
    return answer.choices[0]?.message.content ?? '';
  } catch {
    return 'No answer today.';
  }
}

const recorded = new URL('../test/fixtures/interactions/openai.jsonl', import.meta.url);

await test('it answers, for less than a thousandth of a cent', async (context) => {
  const sink = memorySink();
  const router = createRouter({ fetch: replayFetch(recorded), sinks: [sink] });
  context.after(() => router.close());
  const client = new OpenAI({ apiKey: 'test', fetch: router.fetch });

  assert.equal(await capitalOf('France', client), 'The capital of France is Paris.');
  await router.flush();
  assert.ok(Number(sink.records[0]?.cost.usd) < 0.00001);
});

await test('it gives up on an answer that stops half-way, after 30 seconds that nobody waits for', async (context) => {
  const clock = createVirtualClock();
  const sink = memorySink();
  const router = createRouter({
    fetch: replayFetch(recorded, { fault: { kind: 'stall', afterBytes: 200 }, clock }),
    idleTimeoutMs: 30_000,
    clock,
    sinks: [sink],
  });
  context.after(() => router.close());
  const client = new OpenAI({ apiKey: 'test', maxRetries: 0, fetch: router.fetch });

  const answer = capitalOf('France', client);
  await clock.advance(30_000);
  assert.equal(await answer, 'No answer today.');
  await router.flush();
  assert.equal(sink.records[0]?.outcome, 'stalled');
});
