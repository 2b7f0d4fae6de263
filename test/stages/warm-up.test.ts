import { describe, expect, test } from 'vitest';
import { createRouter, type PromptCacheOptions, type UsageRecord } from '../../src/index.ts';
import type { CacheKeeper } from '../../src/prompt-cache/cache-keeper.ts';
import { warmUp } from '../../src/stages/warm-up.ts';
import {
  createSeededRandom,
  createVirtualClock,
  simulateProvider,
  type SimulateOptions,
} from '../../src/testing/index.ts';

const URL = 'https://api.anthropic.com/v1/messages';
const SYSTEM = 'You are a careful assistant. '.repeat(600);

interface Ask {
  key?: string;
  system?: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

interface Outcome {
  at: number;
  status?: number;
  error?: unknown;
}

/** A router before a provider of which `sent` says when each request reached it. */
function setUp({
  promptCache,
  failing = [],
  firstByteMs = 1000,
  ...options
}: Partial<SimulateOptions> & {
  promptCache?: PromptCacheOptions;
  /** Numbers of the requests that fail after half a second, from 0. */
  failing?: readonly number[];
} = {}) {
  const clock = createVirtualClock();
  const simulated = simulateProvider({
    provider: 'anthropic',
    clock,
    firstByteMs,
    durationMs: Math.max(2000, firstByteMs),
    scope: ({ headers }) => headers.get('x-api-key') ?? '',
    ...options,
  });
  const sent: Array<[name: string, at: number]> = [];
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const number = sent.length;
    const body: { messages: Array<{ content: string | Array<{ text: string }> }> } = JSON.parse(
      String(init?.body),
    );
    const content = body.messages[0]?.content;
    sent.push([typeof content === 'string' ? content : (content?.[0]?.text ?? ''), clock.now()]);
    if (!failing.includes(number)) return simulated(input, init);
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 500));
    if (number % 2 === 1) return Response.json({ error: {} }, { status: 529 });
    throw new TypeError('fetch failed');
  };
  const router = createRouter({
    fetch: send,
    clock,
    random: createSeededRandom(),
    promptCache,
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
  });
  const records: UsageRecord[] = [];
  router.on('usage', (record) => records.push(record));
  const outcomes: Record<string, Outcome> = {};
  const ask = (name: string, { key = 'k', system = SYSTEM, signal, headers }: Ask = {}): void => {
    const init: RequestInit = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key, ...headers },
      body: JSON.stringify({
        model: 'claude-sonnet-4-5',
        max_tokens: 100,
        stream: true,
        system,
        messages: [{ role: 'user', content: name }],
      }),
      signal: signal ?? null,
    };
    void router.fetch(URL, init).then(
      async (response) => {
        outcomes[name] = { at: clock.now(), status: response.status };
        await response.text();
      },
      (error: unknown) => {
        outcomes[name] = { at: clock.now(), error };
      },
    );
  };
  const held = (): number[] => records.map(({ timing }) => timing.heldMs);
  const waiting = (): number => router.snapshot().promptCache.waiting;
  return { clock, router, records, sent, outcomes, ask, held, waiting, simulated };
}

describe('calls with the same new prefix at the same time', () => {
  test('one goes, the others follow when its answer begins, and read', async () => {
    const { clock, router, sent, ask, held, waiting, records, simulated } = setUp();
    for (let i = 0; i < 20; i++) ask(`q${i}`);
    await clock.advance(999);
    expect(sent).toEqual([['q0', 0]]);
    expect(waiting()).toBe(19);
    await clock.advance(1);
    expect(sent).toHaveLength(20);
    expect(sent.slice(1).every(([, at]) => at === 1000)).toBe(true);
    expect(waiting()).toBe(0);
    await clock.runAll();
    expect(clock.pending).toBe(0);
    expect(held().sort((a, b) => a - b)).toEqual([0, ...Array.from({ length: 19 }, () => 1000)]);
    expect(router.snapshot().promptCache.held).toEqual({ calls: 19, ms: 19_000 });
    const reads = simulated.calls.map(({ cache }) => cache?.read ?? 0);
    expect(reads.filter((read) => read > 4000)).toHaveLength(19);
    for (const { usage, cache } of records.filter(({ timing }) => timing.heldMs > 0)) {
      expect(usage.inputTokens.cacheRead).toBeGreaterThan(4000);
      expect(cache?.miss).toBeUndefined();
    }
    await router.close();
  });

  test('its failure makes the next one the first, the others wait on', async () => {
    // The first is cut off, the second answered with 529.
    const { clock, sent, ask, waiting, outcomes, records } = setUp({ failing: [0, 1] });
    for (let i = 0; i < 5; i++) ask(`q${i}`);
    await clock.advance(499);
    expect(sent.map(([name]) => name)).toEqual(['q0']);
    await clock.advance(1);
    expect(sent.map(([name]) => name)).toEqual(['q0', 'q1']);
    expect(waiting()).toBe(3);
    await clock.advance(500);
    expect(sent.map(([name]) => name)).toEqual(['q0', 'q1', 'q2']);
    expect(waiting()).toBe(2);
    await clock.runAll();
    expect(sent.slice(3)).toEqual([
      ['q3', 2000],
      ['q4', 2000],
    ]);
    expect(outcomes['q0']?.error).toBeInstanceOf(TypeError);
    expect(outcomes['q1']?.status).toBe(529);
    expect(outcomes['q4']?.status).toBe(200);
    expect(records).toHaveLength(5);
    expect(clock.pending).toBe(0);
  });

  test('none waits longer than it may, counted from when the first went out', async () => {
    const { clock, sent, ask, held } = setUp({ promptCache: { warmup: { maxHoldMs: 300 } } });
    ask('a');
    await clock.advance(100);
    ask('b');
    ask('c');
    await clock.runAll();
    expect(sent).toEqual([
      ['a', 0],
      ['b', 300],
      ['c', 300],
    ]);
    expect(held()).toEqual([0, 200, 200]);
    expect(clock.pending).toBe(0);
  });

  test('that time counts over all of those that fail before it', async () => {
    const { clock, sent, ask } = setUp({
      failing: [0],
      promptCache: { warmup: { maxHoldMs: 800 } },
    });
    for (const name of ['a', 'b', 'c']) ask(name);
    await clock.runAll();
    expect(sent).toEqual([
      ['a', 0],
      ['b', 500],
      ['c', 800],
    ]);
  });

  test('0 is never', async () => {
    const { clock, router, sent, ask } = setUp({ promptCache: { warmup: { maxHoldMs: 0 } } });
    ask('a');
    ask('b');
    await clock.advance(0);
    expect(sent).toHaveLength(2);
    await clock.runAll();
    expect(router.snapshot().promptCache.held.calls).toBe(0);
  });

  test('an abort while it waits rejects as fetch does and leaves nothing', async () => {
    const { clock, router, sent, ask, outcomes, waiting, records } = setUp();
    const abort = new AbortController();
    ask('a');
    ask('b', { signal: abort.signal });
    await clock.advance(200);
    expect(waiting()).toBe(1);
    const timers = clock.pending;
    abort.abort();
    await clock.advance(0);
    const { reason } = abort.signal;
    expect(outcomes['b']).toEqual({ at: 200, error: reason });
    expect(reason).toMatchObject({ name: 'AbortError' });
    expect(waiting()).toBe(0);
    expect(clock.pending).toBe(timers - 1);
    expect(sent).toHaveLength(1);
    expect(records).toMatchObject([{ outcome: 'aborted', timing: { heldMs: 200 } }]);
    await clock.runAll();
    expect(outcomes['a']?.status).toBe(200);
    expect(clock.pending).toBe(0);
    await router.close();
  });

  test('an abort of the first lets the next one go', async () => {
    const { clock, sent, ask } = setUp();
    const abort = new AbortController();
    ask('a', { signal: abort.signal });
    ask('b');
    ask('c');
    await clock.advance(200);
    abort.abort();
    await clock.advance(0);
    expect(sent).toEqual([
      ['a', 0],
      ['b', 200],
    ]);
    await clock.runAll();
    expect(sent[2]).toEqual(['c', 1200]);
  });

  test('an urgent one never waits', async () => {
    const { clock, sent, ask, held } = setUp();
    ask('a');
    ask('b', { headers: { 'x-tokenrouter-priority': 'urgent' } });
    ask('c', { headers: { 'x-tokenrouter-priority': 'high' } });
    await clock.advance(0);
    expect(sent.map(([name]) => name)).toEqual(['a', 'b']);
    await clock.runAll();
    expect(held()).toEqual([0, 0, 1000]);
  });

  test('one that waits is cut off when the router closes', async () => {
    const { clock, router, sent, ask, outcomes, waiting, records } = setUp({ firstByteMs: 60_000 });
    ask('a');
    ask('b');
    await clock.advance(10);
    const closed = router.close({ timeoutMs: 100 });
    await clock.advance(100);
    await closed;
    expect(outcomes['b']).toMatchObject({ at: 110, error: { message: 'fetch failed' } });
    expect(records.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
    expect(sent).toHaveLength(1);
    await clock.runAll();
    expect(sent).toHaveLength(1);
    expect([waiting(), clock.pending]).toEqual([0, 0]);
  });

  test('one that was cut off has left the waiting room, and its record says how long it was in', async () => {
    const { clock, router, ask, waiting, records } = setUp({ firstByteMs: 60_000 });
    ask('a');
    ask('b');
    await clock.advance(10);
    const closed = router.close({ timeoutMs: 100 });
    await clock.advance(100);
    await closed;
    expect(waiting()).toBe(0);
    expect(records.map(({ timing }) => timing.heldMs)).toEqual([0, 110]);
    await clock.runAll();
  });
});

describe('calls that do not wait', () => {
  test.each<[string, Ask, Ask]>([
    ['another account', {}, { key: 'other' }],
    ['another prompt', {}, { system: SYSTEM.toUpperCase() }],
    ['a short prefix', { system: 'Short.' }, { system: 'Short.' }],
  ])('%s', async (_name, first, second) => {
    const { clock, sent, ask, held } = setUp();
    ask('a', first);
    ask('b', second);
    await clock.advance(0);
    expect(sent).toHaveLength(2);
    await clock.runAll();
    expect(held()).toEqual([0, 0]);
  });

  test('in observe mode', async () => {
    const { clock, sent, ask, held } = setUp({ promptCache: { mode: 'observe' } });
    for (let i = 0; i < 5; i++) ask(`q${i}`);
    await clock.advance(0);
    expect(sent).toHaveLength(5);
    await clock.runAll();
    expect(held()).toEqual([0, 0, 0, 0, 0]);
  });

  test('for one that is only observed, and so writes nothing', async () => {
    const { clock, sent, ask } = setUp();
    ask('a', { headers: { 'x-tokenrouter-prompt-cache': 'observe' } });
    ask('b');
    await clock.advance(0);
    expect(sent).toHaveLength(2);
    await clock.runAll();
  });

  test('once the prefix can be read', async () => {
    const { clock, sent, ask, held } = setUp();
    ask('a');
    await clock.advance(3000);
    ask('b');
    ask('c');
    await clock.advance(0);
    expect(sent).toHaveLength(3);
    await clock.runAll();
    expect(held()).toEqual([0, 0, 0]);
  });
});

test('a fault in planning costs the plan, never the call', async () => {
  const { clock } = setUp();
  const cacheKeeper = {
    request: () => {
      throw new Error('a fault');
    },
  } as unknown as CacheKeeper;
  const stage = warmUp({ clock, cacheKeeper, maxHoldMs: 1000 });
  const call = { context: { priority: 'normal' } } as Parameters<typeof stage.handle>[0];
  const response = new Response();
  await expect(stage.handle(call, async () => response)).resolves.toBe(response);
  expect(call.cacheRequest).toBeUndefined();
});
