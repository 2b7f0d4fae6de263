import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../../src/testing/index.ts';
import type {
  SimulatedLimit,
  SimulatedProvider,
  SimulateOptions,
  VirtualClock,
} from '../../../../src/testing/index.ts';
import { finish, writtenTokens } from '../helpers.ts';
import { ask, at, limitHeaders, URLS } from './ask.ts';
import type { Provider } from './ask.ts';

function openai(options: Partial<SimulateOptions>): {
  clock: VirtualClock;
  simulated: SimulatedProvider;
} {
  const clock = createVirtualClock();
  const given = { provider: 'openai', clock, ...options } as SimulateOptions;
  return { clock, simulated: simulateProvider(given) };
}

/** Asks at each of these times, and says when and how it was answered; `failed` without an answer. */
async function asked(
  { clock, simulated }: ReturnType<typeof openai>,
  times: readonly number[],
): Promise<unknown[]> {
  const answers = times.map((ms) =>
    at(clock, ms, async () => {
      const { status } = await ask(simulated, 'openai');
      return [status, clock.now()];
    }).catch(({ message, cause }) => [message, clock.now(), cause?.code]),
  );
  return finish(clock, Promise.all(answers));
}

const LONG = 'A text that is long enough to come in several pieces, one after another.';

describe('latency', () => {
  test('head and output follow from the sizes', async () => {
    const { clock, simulated } = openai({
      tokensOf: writtenTokens,
      latency: { headMs: 500, perInputTokenMs: 2, tokensPerSecond: 100 },
      answer: () => ({ text: LONG, outputTokens: 300 }),
    });
    const whole = finish(clock, ask(simulated, 'openai', { text: '#50' }));
    await whole;
    expect(clock.now()).toBe(500 + 100 + 3000);

    const response = await finish(clock, ask(simulated, 'openai', { text: '#50', stream: true }));
    expect(clock.now()).toBe(3600 + 600);
    const reading = response.text().then((text) => [text.length > 0, clock.now()]);
    expect(await finish(clock, reading)).toEqual([true, 3600 + 3600]);
  });

  test('a function may decide for each request', async () => {
    const setup = openai({
      answer: ({ call }) => ({ text: 'x', outputTokens: 100 * (call + 1) }),
      latency: ({ outputTokens }) => ({ headMs: outputTokens, tokensPerSecond: 1000 }),
    });
    expect(await asked(setup, [0, 0])).toEqual([
      [200, 200],
      [200, 400],
    ]);
    const wrong = openai({ latency: () => ({ headMs: -1 }) });
    await expect(ask(wrong.simulated, 'openai')).rejects.toThrow(/latency(.|\n)*headMs/);
  });

  test('jitter stays within its share', async () => {
    const latency = { headMs: 1000, tokensPerSecond: 1, jitter: 0.2 };
    const setup = openai({ latency, answer: () => ({ text: 'x', outputTokens: 1 }) });
    const ends = (await asked(
      setup,
      Array.from({ length: 50 }, () => 0),
    )) as number[][];
    const times = ends.map(([, time]) => time ?? 0);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1600);
    expect(Math.max(...times)).toBeLessThanOrEqual(2400);
    expect(new Set(times).size).toBe(50);
  });
});

describe('a stream', () => {
  /** A stream's text, and at how many times it came. */
  async function streamed(provider: Provider, traffic: Partial<SimulateOptions>) {
    const clock = createVirtualClock();
    const given = { provider, clock, answer: LONG.repeat(20), ...traffic } as SimulateOptions;
    const simulated = simulateProvider(given);
    const times = new Set<number>();
    const read = async (): Promise<string> => {
      const response = await ask(simulated, provider, { stream: true });
      let text = '';
      for await (const chunk of response.body ?? []) {
        times.add(clock.now());
        text += Buffer.from(chunk).toString();
      }
      return text;
    };
    return { text: await finish(clock, read()), times: [...times] };
  }

  test.each(['openai', 'anthropic', 'deepseek'] as const)(
    '%s: brings the same bytes as without traffic, in a handful of instalments',
    async (provider) => {
      const plain = await streamed(provider, {});
      const { text, times } = await streamed(provider, { limits: [] });
      expect(text).toBe(plain.text);
      expect(times).toEqual([1000, 1250, 1500, 1750, 2000]);
      expect(plain.times.length).toBeGreaterThan(30);
    },
  );

  test('goes on while nobody reads', async () => {
    const { clock, simulated } = openai({ limits: [], answer: LONG });
    const response = await finish(clock, ask(simulated, 'openai', { stream: true }));
    expect(response.url).toBe(URLS.openai);
    await clock.runAll();
    expect(simulated.totals()).toMatchObject({ inFlight: 0, peakInFlight: 1 });
    expect(await response.text()).toContain('data: [DONE]');
  });

  test('leaves nothing on the signal of its caller', async () => {
    const { clock, simulated } = openai({ limits: [{ unit: 'tokens', limit: 1000 }] });
    const { signal } = new AbortController();
    for (const stream of [true, false]) {
      const response = await finish(clock, ask(simulated, 'openai', { stream, signal }));
      await finish(clock, response.text());
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('is whole at once without a clock', async () => {
    const simulated = simulateProvider({ provider: 'openai', limits: [], answer: LONG });
    const response = await ask(simulated, 'openai', { stream: true });
    expect(simulated.totals()).toMatchObject({ inFlight: 0 });
    expect(await response.text()).toContain('data: [DONE]');
  });
});

describe('concurrency', () => {
  test('a hard cap refuses beyond, until somebody is done', async () => {
    const setup = openai({ maxConcurrent: 2, durationMs: 1000, firstByteMs: 0 });
    expect(await asked(setup, [0, 1, 2, 999, 1000, 1001])).toEqual([
      [200, 1000],
      [200, 1001],
      [429, 2],
      [429, 999],
      [200, 2000],
      [200, 2001],
    ]);
    expect(setup.simulated.totals()).toMatchObject({
      calls: 4,
      refused: 2,
      refusals: { rate: 0, concurrency: 2, overload: 0, outage: 0 },
      inFlight: 0,
      peakInFlight: 2,
    });
  });

  test('is counted for each model', async () => {
    const { clock, simulated } = openai({ maxConcurrent: 1 });
    const asks = ['x', 'y', 'x'].map((model) => ask(simulated, 'openai', { model }));
    const statuses = (await finish(clock, Promise.all(asks))).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('whoever gives up frees a place: before the head, in the body, or by cancelling it', async () => {
    const { clock, simulated } = openai({ maxConcurrent: 1, answer: LONG });
    const question = { stream: true };

    const early = new AbortController();
    const waiting = ask(simulated, 'openai', { ...question, signal: early.signal });
    const refused = expect(waiting).rejects.toThrow('early');
    await clock.advance(500);
    early.abort(new Error('early'));
    await refused;
    expect(simulated.totals().inFlight).toBe(0);

    const late = new AbortController();
    const begun = await finish(
      clock,
      ask(simulated, 'openai', { ...question, signal: late.signal }),
    );
    const broken = expect(begun.text()).rejects.toThrow('late');
    await clock.advance(300);
    expect(simulated.totals().inFlight).toBe(1);
    late.abort(new Error('late'));
    await broken;
    expect(simulated.totals().inFlight).toBe(0);

    const { body } = await finish(clock, ask(simulated, 'openai', question));
    await body?.cancel();
    expect([simulated.totals().inFlight, clock.pending]).toEqual([0, 0]);
    expect(simulated.totals().refused).toBe(0);
  });

  test('load slows all down, and refuses above its hard limit', async () => {
    const load = { knee: 2, hard: 4, degrade: 0 };
    const setup = openai({ load, firstByteMs: 0, durationMs: 1000 });
    expect(await asked(setup, [0, 0, 0, 0, 0])).toEqual([
      [200, 2000],
      [200, 2000],
      [200, 2000],
      [200, 2000],
      [429, 0],
    ]);
    expect(setup.simulated.calls.at(-1)).toMatchObject({ status: 429, refusal: 'concurrency' });
  });
});

describe('overload and outages', () => {
  test('a share is answered under overload, all before and after', async () => {
    const overload = [{ from: 2000, to: 7000, share: 0.3 }];
    const setup = openai({ overload, firstByteMs: 0, durationMs: 0 });
    const times = Array.from({ length: 900 }, (_, index) => 10 * index);
    const answers = (await asked(setup, times)) as Array<[number, number]>;
    const answered = answers.filter(([status]) => status === 200).length;
    expect(answers.slice(0, 200).every(([status]) => status === 200)).toBe(true);
    expect(answers.slice(700).every(([status]) => status === 200)).toBe(true);
    expect(answered).toBeGreaterThan(400 + 100);
    expect(answered).toBeLessThan(400 + 200);
    expect(setup.simulated.totals().refusals).toMatchObject({ overload: 900 - answered });
  });

  test('an outage refuses, fails or hangs; answers under way go on', async () => {
    const setup = openai({
      outages: [
        { from: 1000, to: 2000, kind: '503' },
        { from: 2000, to: 3000, kind: 'refuse' },
      ],
    });
    expect(await asked(setup, [999, 1000, 1999, 2000, 2999, 3000])).toEqual([
      [200, 2999],
      [503, 1000],
      [503, 1999],
      ['fetch failed', 2000, 'ECONNREFUSED'],
      ['fetch failed', 2999, 'ECONNREFUSED'],
      [200, 5000],
    ]);
    expect(setup.simulated.totals().refusals?.outage).toBe(4);
    expect(setup.simulated.calls[3]).toMatchObject({ status: 0, refusal: 'outage' });
  });

  test('what hangs ends with the signal, and with nothing else', async () => {
    const { clock, simulated } = openai({ outages: [{ from: 0, to: 10, kind: 'hang' }] });
    const controller = new AbortController();
    let isSettled = false;
    const call = ask(simulated, 'openai', { signal: controller.signal }).finally(() => {
      isSettled = true;
    });
    const failed = expect(call).rejects.toThrow('enough');
    await clock.advance(1e6);
    expect([isSettled, clock.pending]).toEqual([false, 0]);
    controller.abort(new Error('enough'));
    await failed;
  });

  test('neither uses up a limit', async () => {
    const { clock, simulated } = openai({
      limits: [{ unit: 'requests', limit: 1, windowMs: 1e9, chargeRefused: true }],
      overload: [{ from: 0, to: 10, share: 0 }],
      outages: [{ from: 10, to: 20, kind: '503' }],
    });
    for (const expected of [503, 503, 200, 429]) {
      expect((await finish(clock, ask(simulated, 'openai'))).status).toBe(expected);
      await clock.advance(10);
    }
  });
});

/** 60 calls at once, and again a second after every refusal; each starts a little later than the one before. */
async function herd(limit: Partial<SimulatedLimit>, apartMs: number, lastsMs = 30_000) {
  const { clock, simulated } = openai({
    limits: [{ unit: 'requests', limit: 5, windowMs: 1000, ...limit }],
    retryAfter: 1,
    firstByteMs: 0,
    durationMs: 100,
  });
  let served = 0;
  let servedAt = 0;
  for (let caller = 0; caller < 60; caller++) {
    const call = async (): Promise<void> => {
      const response = await ask(simulated, 'openai');
      if (response.status === 200) {
        served++;
        servedAt = clock.now();
        return;
      }
      expect(limitHeaders(response)).toMatchObject({ 'retry-after': '1' });
      clock.setTimeout(() => void call(), 1000);
    };
    clock.setTimeout(() => void call(), caller * apartMs);
  }
  await clock.advance(lastsMs);
  return { served, servedAt, wasted: simulated.totals().refused };
}

describe('the herd: 5 a second, retry-after: 1', () => {
  test('is served in the end, at 330 wasted calls', async () => {
    expect(await herd({}, 0)).toEqual({ served: 60, servedAt: 11_100, wasted: 330 });
    expect(await herd({ algorithm: 'sliding-window' }, 0)).toMatchObject({ served: 60 });
  });

  test('starves where refused calls count', async () => {
    const limit = { algorithm: 'sliding-window', chargeRefused: true } as const;
    const { served, wasted } = await herd(limit, 3);
    expect(served).toBe(5);
    expect(wasted).toBeGreaterThan(1500);
    const free = await herd({ algorithm: 'sliding-window' }, 3);
    expect(free.served).toBe(60);
  });
});

describe('two runs', () => {
  const everything = (provider: Provider): SimulateOptions => ({
    provider,
    answer: LONG,
    limits: [
      { unit: 'requests', limit: 40, chargeRefused: true },
      { unit: 'tokens', limit: 3000, algorithm: 'sliding-window', charge: 'actual' },
      { unit: 'requests', limit: 50, algorithm: 'fixed-window', schedule: [[20_000, 20]] },
    ],
    retryAfter: 'both',
    maxConcurrent: 12,
    latency: { headMs: 300, perInputTokenMs: 1, jitter: 0.3 },
    load: { knee: 4, hard: 10 },
    overload: [{ from: 30_000, to: 40_000, share: 0.5 }],
    outages: [{ from: 45_000, to: 47_000, kind: 'refuse' }],
    neighbours: { requestsPerMinute: 20 },
  });

  async function run(provider: Provider, options: Partial<SimulateOptions> = {}): Promise<unknown> {
    const clock = createVirtualClock();
    const simulated = simulateProvider({
      ...everything(provider),
      clock,
      ...options,
    } as SimulateOptions);
    const texts = Array.from({ length: 150 }, (_, index) =>
      at(clock, index * 400, async () => {
        const response = await ask(simulated, provider, { stream: index % 3 === 0, maxTokens: 50 });
        const head = [response.status, clock.now(), ...response.headers];
        return [head, await response.text(), clock.now()];
      }).catch(String),
    );
    const seen = await finish(clock, Promise.all(texts));
    expect(clock.pending).toBe(0);
    return [seen, simulated.totals(), simulated.calls];
  }

  test.each(['openai', 'anthropic', 'deepseek', 'gemini'] as const)(
    '%s: are equal to the byte',
    async (provider) => {
      const first = await run(provider);
      expect(await run(provider)).toEqual(first);
      const [, totals] = first as [unknown, ReturnType<SimulatedProvider['totals']>];
      const { rate, overload, outage } = totals.refusals ?? {};
      for (const count of [totals.calls, rate, overload, outage]) expect(count).toBeGreaterThan(0);
    },
  );

  test('differ with other chances', async () => {
    expect(await run('openai', { random: () => 0.9 })).not.toEqual(await run('openai'));
  });
});

test('neighbours take what would be left', async () => {
  const served = async (requestsPerMinute: number): Promise<number> => {
    const setup = openai({
      limits: [{ unit: 'requests', limit: 60, burst: 5 }],
      neighbours: { requestsPerMinute },
      durationMs: 0,
      firstByteMs: 0,
    });
    await asked(
      setup,
      Array.from({ length: 300 }, (_, index) => index * 1000),
    );
    return setup.simulated.totals().calls;
  };
  expect(await served(0)).toBe(300);
  const half = await served(30);
  expect(half).toBeGreaterThan(125);
  expect(half).toBeLessThan(185);
});

test('without options of traffic nothing tells of it', async () => {
  const { clock, simulated } = openai({ random: () => 0 });
  const response = await finish(clock, ask(simulated, 'openai'));
  expect([...response.headers.keys()].toSorted()).toEqual([
    'content-type',
    'openai-version',
    'x-request-id',
  ]);
  expect(Object.keys(simulated.totals())).toEqual([
    'calls',
    'refused',
    'inputTokens',
    'outputTokens',
  ]);
  expect(Object.keys(simulated.calls[0]!)).not.toContain('refusal');
});
