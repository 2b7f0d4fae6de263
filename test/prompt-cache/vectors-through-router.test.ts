/** The cases that providers document, as whole calls through the router: it places the marks, a simulated provider charges. */
import { describe, expect, test } from 'vitest';
import { createRouter, type PromptCacheMode, type UsageRecord } from '../../src/index.ts';
import {
  createVirtualClock,
  simulateProvider,
  type SimulateOptions,
  type SimulatedProvider,
} from '../../src/testing/index.ts';
import { finish } from '../testing/simulate/helpers.ts';

const BLOCK = 200;
/** A text of 200 tokens by the simulator's count, a quarter of its characters. */
const block = (name: string): string => `${name} `.padEnd(BLOCK * 4, name);
const blocks = (from: number, to: number): Array<{ type: 'text'; text: string }> =>
  Array.from({ length: to - from }, (_, i) => ({ type: 'text', text: block(`b${from + i}`) }));

interface Request {
  /** Seconds. */
  readonly at: number;
  readonly body: unknown;
}

interface Run {
  readonly provider: SimulatedProvider;
  readonly records: readonly UsageRecord[];
}

/** Plays requests at their times. */
async function play(
  options: SimulateOptions,
  url: string,
  requests: readonly Request[],
  promptCache: PromptCacheMode = 'auto',
): Promise<Run> {
  const clock = createVirtualClock();
  const provider = simulateProvider({ ...options, clock });
  const router = createRouter({ fetch: provider, clock, promptCache });
  const records: UsageRecord[] = [];
  router.on('usage', (record) => records.push(record));
  const sent = requests.map(async ({ at, body }) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, at * 1000));
    const response = await router.fetch(url, { method: 'POST', body: JSON.stringify(body) });
    expect(response.status).toBe(200);
    await response.text();
  });
  await finish(clock, Promise.all(sent));
  await finish(clock, router.close());
  expect(clock.pending).toBe(0);
  return { provider, records };
}

/** Input cost in plain tokens, at Claude's prices. */
function costOf({ provider }: Run): number {
  return provider.calls.reduce((sum, { usage }) => {
    const {
      uncached = 0,
      cacheRead = 0,
      cacheWrite = 0,
      cacheWrite1h = 0,
    } = usage?.inputTokens ?? {};
    return sum + uncached + cacheRead * 0.1 + cacheWrite * 1.25 + cacheWrite1h * 2;
  }, 0);
}

const readsOf = ({ provider }: Run): number[] =>
  provider.calls.map(({ usage }) => usage?.inputTokens.cacheRead ?? 0);

const MESSAGES = 'https://api.anthropic.com/v1/messages';
const claude = { provider: 'anthropic' } as const;
const model = 'claude-sonnet-4-5';

/** Turns of one conversation: each user message brings the next blocks, an answer of one block stands between. */
function conversation(ends: readonly number[]): unknown[] {
  const messages: unknown[] = [];
  let from = 0;
  return ends.map((end) => {
    if (messages.length > 0) {
      messages.push({ role: 'assistant', content: blocks(from, from + 1) });
      from++;
    }
    messages.push({ role: 'user', content: blocks(from, end) });
    from = end;
    return { model, max_tokens: 10, messages: [...messages] };
  });
}

describe('Anthropic', () => {
  test('look-back: 10, 15, then 35 blocks are read as far as they were sent', async () => {
    const requests = conversation([10, 15, 35]).map((body, i) => ({ at: i * 60, body }));
    const run = await play(claude, MESSAGES, requests);
    expect(readsOf(run)).toEqual([0, 10 * BLOCK, 15 * BLOCK]);
  });

  test('a block that changes at the end is not paid for again and again', async () => {
    const requests = Array.from({ length: 40 }, (_, i) => ({
      at: i * 20,
      body: {
        model,
        max_tokens: 10,
        system: blocks(0, 6),
        messages: [{ role: 'user', content: block(`changes${i}`) }],
      },
    }));
    const run = await play(claude, MESSAGES, requests);
    // From the second on the six blocks are read; the changing one is plain soon.
    expect(readsOf(run).slice(1)).toEqual(Array.from({ length: 39 }, () => 6 * BLOCK));
    expect(costOf(run)).toBeLessThan(1200 * 1.25 + 39 * 120 + 40 * BLOCK * 1.05);
  });

  test('a conversation with pauses of 299 s is read, and the entry lives from the start of each request', async () => {
    const requests = conversation([8, 10, 12]).map((body, i) => ({ at: i * 299, body }));
    expect(readsOf(await play(claude, MESSAGES, requests))).toEqual([0, 8 * BLOCK, 10 * BLOCK]);
  });

  test('what is being written is not readable: the second call waits for the first byte', async () => {
    const body = {
      model,
      max_tokens: 10,
      system: blocks(0, 8),
      messages: [{ role: 'user', content: 'a' }],
    };
    const run = await play({ ...claude, firstByteMs: 2000, durationMs: 2000 }, MESSAGES, [
      { at: 0, body },
      { at: 1, body },
      { at: 1, body: { ...body, messages: [{ role: 'user', content: 'b' }] } },
    ]);
    expect(readsOf(run).slice(1)).toEqual(
      [8 * BLOCK + 1, 8 * BLOCK].map((read) => expect.closeTo(read, -2)),
    );
    expect(run.records.map(({ timing }) => timing.heldMs).sort((a, b) => a - b)).toEqual([
      0, 1000, 1000,
    ]);
  });

  test('below the minimum nothing is marked, and no error comes', async () => {
    const requests = conversation([4]).flatMap((body) => [0, 10, 20].map((at) => ({ at, body })));
    const run = await play(claude, MESSAGES, requests);
    expect(costOf(run)).toBe(
      run.provider.calls.reduce((sum, { usage }) => sum + (usage?.inputTokens.total ?? 0), 0),
    );
    expect(run.records.map(({ cache }) => cache?.marks)).toEqual([0, 0, 0]);
  });

  test('host marks stay, four at most, longer lifetimes first', async () => {
    const mark = { type: 'ephemeral' };
    const long = { type: 'ephemeral', ttl: '1h' };
    const marked = (cache_control: unknown): Array<Record<string, unknown>> =>
      blocks(0, 6).map((part, i) => (i === 5 ? { ...part, cache_control } : part));
    const requests = [mark, long].flatMap((cache_control, i) =>
      conversation([8, 12]).map((body, turn) => ({
        at: (i * 2 + turn) * 30,
        body: { ...(body as object), system: marked(cache_control), cache_control: mark },
      })),
    );
    const run = await play(claude, MESSAGES, requests);
    for (const { body } of run.provider.calls) {
      const text = JSON.stringify(body);
      expect(text.match(/"cache_control"/g)?.length).toBeLessThanOrEqual(4);
      expect(text).toContain('"cache_control":{"type":"ephemeral"');
    }
  });

  test.each([
    [
      'tools',
      { tools: [{ name: 't', input_schema: { type: 'object' }, description: 'other' }] },
      'tools-changed',
    ],
    ['model', { model: 'claude-sonnet-4-6' }, 'model-changed'],
    [
      'system',
      { system: [{ type: 'text', text: block('other') }, ...blocks(1, 6)] },
      'system-changed',
    ],
    ['thinking', { thinking: { type: 'enabled', budget_tokens: 1024 } }, 'parameter-changed'],
  ])('another %s is read anew, and the record says why', async (_name, change, reason) => {
    const turns = conversation([6, 10, 12, 14]).map((body) => ({
      ...(body as object),
      system: blocks(0, 6),
      tools: [{ name: 't', input_schema: { type: 'object' }, description: block('t') }],
    }));
    const requests = turns.map((body, i) => ({
      at: i * 20,
      body: i < 3 ? body : { ...body, ...change },
    }));
    const run = await play(claude, MESSAGES, requests);
    expect(run.records.map(({ cache }) => cache?.miss?.reason)).toEqual([
      undefined,
      undefined,
      undefined,
      reason,
    ]);
  });
});

describe('OpenAI', () => {
  const CHAT = 'https://api.openai.com/v1/chat/completions';
  const chat = (model: string, system: string, question: string): unknown => ({
    model,
    messages: [
      { role: 'developer', content: system },
      { role: 'user', content: question },
    ],
  });

  test('from GPT-5.6 on one-shot questions are not written', async () => {
    const model = 'gpt-5.6-sol';
    const requests = Array.from({ length: 40 }, (_, i) => ({
      at: i * 20,
      body: chat(model, block('s').repeat(10), block(`q${i}`).repeat(8)),
    }));
    const run = await play({ provider: 'openai' }, CHAT, requests);
    const written = run.provider.calls.map(({ usage }) => usage?.inputTokens.cacheWrite ?? 0);
    expect(written.slice(10).every((tokens) => tokens === 0)).toBe(true);
    expect(
      readsOf(run)
        .slice(2)
        .every((tokens) => tokens > 1900),
    ).toBe(true);
  });

  test('before GPT-5.6 one key stands for a family, and nothing else is added', async () => {
    const model = 'gpt-4o';
    const requests = [0, 1, 2].map((i) => ({
      at: i * 10,
      body: chat(model, block('s').repeat(10), `q${i}`),
    }));
    const run = await play({ provider: 'openai' }, CHAT, requests);
    const keys = run.provider.calls.map(
      ({ body }) => (body as Record<string, unknown>)['prompt_cache_key'],
    );
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^tr-/);
    expect(readsOf(run).map((read) => read > 0)).toEqual([false, true, true]);
  });

  test('tools in another order at each call are read as if they were not', async () => {
    const model = 'gpt-4o';
    const tools = Array.from({ length: 8 }, (_, i) => ({
      type: 'function',
      function: {
        name: `tool${i}`,
        description: block(`t${i}`),
        parameters: { type: 'object', properties: { b: {}, a: {} } },
      },
    }));
    const requests = [0, 1, 2, 3].map((i) => ({
      at: i * 10,
      body: {
        ...(chat(model, 's', 'q') as object),
        tools: [...tools.slice(i), ...tools.slice(0, i)],
      },
    }));
    const run = await play({ provider: 'openai' }, CHAT, requests);
    expect(
      readsOf(run)
        .slice(1)
        .every((read) => read >= 1500),
    ).toBe(true);
  });
});

test('DeepSeek and Gemini get the same bytes for the same meaning, and nothing else', async () => {
  const bodies = [
    '{"model":"deepseek-chat","messages":[{"role":"user","content":"a"}],"temperature":0}',
    '{ "temperature":0, "messages":[{"content":"a","role":"user"}], "model":"deepseek-chat" }',
  ];
  const sent: string[] = [];
  const router = createRouter({
    fetch: async (_input, init) => {
      sent.push(String(init?.body));
      return Response.json({});
    },
  });
  for (const body of bodies) {
    await router.fetch('https://api.deepseek.com/chat/completions', { method: 'POST', body });
  }
  expect(new Set(sent).size).toBe(1);
  expect(JSON.parse(sent[0] ?? '')).toEqual(JSON.parse(bodies[0] ?? ''));
});
