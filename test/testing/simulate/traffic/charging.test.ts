import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../../src/testing/index.ts';
import type {
  SimulatedLimit,
  SimulatedProvider,
  SimulateOptions,
  VirtualClock,
} from '../../../../src/testing/index.ts';
import { finish, writtenTokens } from '../helpers.ts';
import { ask, at } from './ask.ts';
import type { Question } from './ask.ts';

/** A window that is never over keeps what was charged visible. */
const forever = { windowMs: 1e12, algorithm: 'fixed-window' } as const;

interface Setup {
  readonly clock: VirtualClock;
  readonly simulated: SimulatedProvider;
  ask(question?: Question): Promise<Response>;
  /** What is left of the limit, asked for by a request that takes nothing of it. */
  left(): Promise<number>;
}

function setup(limit: SimulatedLimit, options: Partial<SimulateOptions> = {}): Setup {
  const clock = createVirtualClock();
  const simulated = simulateProvider({
    provider: 'openai',
    clock,
    firstByteMs: 1000,
    durationMs: 5000,
    tokensOf: writtenTokens,
    answer: ({ body }) => ({
      text: 'Some text in pieces, so that there is a stream of it, and more.',
      outputTokens: JSON.stringify(body).includes('probe') ? 0 : 400,
    }),
    limits: [{ ...forever, ...limit }],
    ...options,
  } as SimulateOptions);
  return {
    clock,
    simulated,
    ask: (question) => ask(simulated, 'openai', question),
    async left() {
      const asked = ask(simulated, 'openai', { text: 'probe #0' });
      const response = await finish(clock, asked);
      return Number(response.headers.get('x-ratelimit-remaining-tokens'));
    },
  };
}

/** What is left of the limit at times, while one answer is written. */
async function leftOver(
  limit: SimulatedLimit,
  question: Question,
  times: readonly number[],
): Promise<number[]> {
  const { clock, ask: send, simulated } = setup(limit);
  const sent = send(question).then((response) => response.text());
  const probes = times.map((ms) =>
    at(clock, ms, async () => {
      const response = await ask(simulated, 'openai', { text: 'probe #0' });
      return Number(response.headers.get('x-ratelimit-remaining-tokens'));
    }),
  );
  await finish(clock, sent);
  return finish(clock, Promise.all(probes));
}

const TIMES = [0.1, 1999, 2001, 4999, 5001];
const question: Question = { text: '#100', maxTokens: 1000 };

describe('output counts', () => {
  const of = (unit: 'tokens' | 'outputTokens', charge?: SimulatedLimit['charge']) => ({
    unit,
    limit: 2000,
    ...(charge && { charge }),
  });

  test.each([
    ['OpenAI: as much as it may have, for good', of('tokens'), [900, 900, 900, 900, 900]],
    ['reserved: the rest comes back', of('tokens', 'reserve'), [900, 900, 900, 900, 1500]],
    ['actual: as it is written', of('tokens', 'actual'), [1900, 1900, 1800, 1600, 1500]],
    ['of output alone: max', of('outputTokens', 'max'), [1000, 1000, 1000, 1000, 1000]],
    ['of output alone: reserve', of('outputTokens', 'reserve'), [1000, 1000, 1000, 1000, 1600]],
    ['of output alone: actual', of('outputTokens', 'actual'), [2000, 2000, 1900, 1700, 1600]],
  ])('%s', async (_, limit, expected) => {
    expect(await leftOver(limit, question, TIMES)).toEqual(expected);
    expect(await leftOver(limit, { ...question, stream: true }, TIMES)).toEqual(expected);
  });

  test('as it is written where the body does not limit it', async () => {
    const limit = of('tokens', 'max');
    expect(await leftOver(limit, { text: '#100' }, TIMES)).toEqual([1900, 1900, 1800, 1600, 1500]);
  });

  test('never, for requests and input', async () => {
    const limit: SimulatedLimit = { unit: 'inputTokens', limit: 2000 };
    expect(await leftOver(limit, question, TIMES)).toEqual([1900, 1900, 1900, 1900, 1900]);
  });
});

describe('an answer nobody waits for', () => {
  test.each([
    ['actual', 1800],
    ['reserve', 1800],
    ['max', 900],
  ] as const)('%s: what was written is paid for', async (charge, left) => {
    const { clock, ask: send, left: leftNow } = setup({ unit: 'tokens', limit: 2000, charge });
    const controller = new AbortController();
    const asked = send({ ...question, signal: controller.signal });
    const failed = expect(asked).rejects.toThrow('given up');
    await clock.advance(2500);
    controller.abort(new Error('given up'));
    await failed;
    expect(clock.pending).toBe(0);
    expect(await leftNow()).toBe(left);
  });
});

test.each([500, 800])('a limit of %d on output lets in until it is used up', async (limit) => {
  const windowMs = 60_000;
  const { clock, ask: send } = setup({ unit: 'outputTokens', limit, charge: 'actual', windowMs });
  // Whoever was let in is answered, 800 tokens in all.
  for (let i = 0; i < 2; i++) await (await finish(clock, send())).text();
  expect((await send()).status).toBe(429);
  await clock.advance(windowMs - clock.now());
  expect((await finish(clock, send())).status).toBe(200);
});

describe('what was read from the prompt cache', () => {
  const read = async (
    provider: 'anthropic' | 'openai',
    limit: Partial<SimulatedLimit> = {},
  ): Promise<number> => {
    const clock = createVirtualClock();
    const simulated = simulateProvider({
      provider,
      clock,
      tokensOf: () => 30_000,
      limits: [{ unit: 'inputTokens', limit: 100_000, ...forever, ...limit }],
      headers: 'openai',
    });
    const body = {
      model: provider === 'openai' ? 'gpt-5.6' : 'claude-next',
      max_tokens: 5,
      cache_control: { type: 'ephemeral' },
      messages: [{ role: 'user', content: 'A long prompt' }],
    };
    const url = provider === 'openai' ? 'https://x/v1/chat/completions' : 'https://x/v1/messages';
    const send = (): Promise<Response> =>
      simulated(url, { method: 'POST', body: JSON.stringify(body) });
    await finish(clock, send());
    const second = await finish(clock, send());
    expect(simulated.calls[1]?.usage?.inputTokens.cacheRead).toBe(30_000);
    return Number(second.headers.get('x-ratelimit-remaining-tokens'));
  };

  test('counts for OpenAI and not for Anthropic, unless told otherwise', async () => {
    expect(await read('openai')).toBe(40_000);
    expect(await read('anthropic')).toBe(70_000);
    expect(await read('openai', { countsCacheReads: false })).toBe(70_000);
    expect(await read('anthropic', { countsCacheReads: true })).toBe(40_000);
  });
});

test('a refused request leaves no trace in the prompt cache and is not answered', async () => {
  const clock = createVirtualClock();
  let answers = 0;
  const simulated = simulateProvider({
    provider: 'openai',
    clock,
    tokensOf: () => 5000,
    answer: () => `answer ${++answers}`,
    limits: [{ unit: 'requests', limit: 1, windowMs: 60_000, algorithm: 'fixed-window' }],
  });
  const model = 'gpt-5.6';
  await finish(clock, ask(simulated, 'openai', { model, text: 'One' }));
  expect((await ask(simulated, 'openai', { model, text: 'Two' })).status).toBe(429);
  await clock.advance(60_000);
  await finish(clock, ask(simulated, 'openai', { model, text: 'Two' }));
  const reads = simulated.calls.map(({ usage }) => usage?.inputTokens.cacheRead);
  expect(reads).toEqual([0, undefined, 0]);
  expect(simulated.calls[1]).toMatchObject({ status: 429, refusal: 'rate', cache: undefined });
  expect(answers).toBe(2);
});

describe('limits hold', () => {
  const limit: SimulatedLimit = { unit: 'requests', limit: 1, ...forever };
  const statuses = async (
    limits: SimulatedLimit[],
    questions: readonly Question[],
    options: Partial<SimulateOptions> = {},
  ): Promise<number[]> => {
    const simulated = simulateProvider({
      provider: 'openai',
      scope: ({ headers }) => headers.get('authorization') ?? '',
      limits,
      ...options,
    } as SimulateOptions);
    const all: number[] = [];
    for (const each of questions) all.push((await ask(simulated, 'openai', each)).status);
    return all;
  };
  const scoped = (authorization: string, model: string): Question => ({
    model,
    headers: { authorization },
  });

  test('for each scope and model', async () => {
    const questions = [
      scoped('a', 'x'),
      scoped('a', 'y'),
      scoped('b', 'x'),
      scoped('a', 'x'),
      scoped('b', 'x'),
    ];
    expect(await statuses([limit], questions)).toEqual([200, 200, 200, 429, 429]);
  });

  test('for all models of a scope where told so', async () => {
    const questions = [scoped('a', 'x'), scoped('a', 'y'), scoped('b', 'x')];
    expect(await statuses([{ ...limit, per: 'scope' }], questions)).toEqual([200, 429, 200]);
  });

  test('without a clock, by `now`', async () => {
    let now = 0;
    const limits: SimulatedLimit[] = [{ unit: 'requests', limit: 60, burst: 1 }];
    const simulated = simulateProvider({ provider: 'openai', now: () => now, limits });
    const seen: number[] = [];
    for (const time of [0, 500, 1000, 1999, 2000]) {
      now = time;
      seen.push((await ask(simulated, 'openai')).status);
    }
    expect(seen).toEqual([200, 429, 200, 429, 200]);
  });

  test('all or none: what one refuses the others do not charge', async () => {
    const limits: SimulatedLimit[] = [
      { unit: 'requests', limit: 2, ...forever },
      { unit: 'inputTokens', limit: 10, ...forever },
    ];
    const questions = ['#11', '#9', '#9', '#1'].map((text) => ({ text }));
    const seen = await statuses(limits, questions, { tokensOf: writtenTokens });
    expect(seen).toEqual([429, 200, 429, 200]);
  });

  test('also against those who are refused, where that counts', async () => {
    const limits: SimulatedLimit[] = [
      { unit: 'requests', limit: 3, ...forever, chargeRefused: true },
      { unit: 'inputTokens', limit: 10, ...forever },
    ];
    const questions = ['#11', '#11', '#9', '#1'].map((text) => ({ text }));
    const seen = await statuses(limits, questions, { tokensOf: writtenTokens });
    expect(seen).toEqual([429, 429, 200, 429]);
  });
});
