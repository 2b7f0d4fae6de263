import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/call.ts';
import { responseCacheSettings } from '../../src/dedupe/settings.ts';
import { refuse } from '../../src/http/refusal.ts';
import type { Stage } from '../../src/stage.ts';
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { CallContext, Middleware, UsageRecord } from '../../src/types.ts';
import { ReplayDispatcher, type PlayedAnswer } from '../helpers/replay-dispatcher.ts';
import { createPipeline, type Pipeline, type PipelineConfig } from './pipeline.ts';
import {
  chat,
  CHAT_URL,
  CHAT_USD,
  chatAnswer,
  createProvider,
  frame,
  LAST_FRAMES,
  textOf,
  type Provider,
} from './provider.ts';

const EVENTS = { 'content-type': 'text/event-stream' };

interface World extends Pipeline {
  readonly clock: VirtualClock;
  readonly provider: Provider;
  ask(options?: AskOptions): Promise<Response>;
  /** Lets everything happen that does not need time. */
  turn(): Promise<void>;
}

interface AskOptions {
  readonly signal?: AbortSignal;
  readonly stream?: boolean;
  readonly context?: CallContext;
}

function setUp(config: Partial<PipelineConfig> = {}): World {
  const clock = createVirtualClock();
  const provider = createProvider();
  const pipeline = createPipeline({ clock, fetch: provider.fetch, ...config });
  return {
    ...pipeline,
    clock,
    provider,
    ask: ({ signal, stream = false, context = {} } = {}) =>
      pipeline.with(context).fetch(CHAT_URL, { ...chat('Hi', { stream }), signal: signal ?? null }),
    turn: async () => {
      for (let i = 0; i < 4; i++) await clock.advance(0);
    },
  };
}

function expectNothingLeft({ dedupe, active, clock }: World, ...signals: AbortSignal[]): void {
  expect(dedupe.snapshot().inFlight).toEqual({ requests: 0, calls: 0 });
  expect(active.size).toBe(0);
  expect(clock.pending).toBe(0);
  for (const signal of signals) expect(getEventListeners(signal, 'abort')).toEqual([]);
}

const roles = (records: readonly UsageRecord[]): unknown[] =>
  records.map(({ dedupe, outcome, attempt }) => [dedupe?.role, outcome, attempt]);

const dedupeHeader = ({ headers }: Response): string | null => headers.get('x-tokenrouter-dedupe');

describe('one after the other', () => {
  test('each call has a request of its own, and is its leader', async () => {
    const world = setUp();
    for (let i = 0; i < 2; i++) {
      const asked = world.ask();
      await world.turn();
      world.provider.requests[i]?.answer();
      const response = await asked;
      expect(dedupeHeader(response)).toBe('leader');
      expect(response.headers.get('x-tokenrouter-attempts')).toBe('1');
      expect(await response.text()).toBe(chatAnswer());
    }
    expect(world.records).toMatchObject([
      { attempt: 1, cost: { usd: CHAT_USD }, saved: {}, dedupe: { role: 'leader' } },
      { attempt: 1, cost: { usd: CHAT_USD }, saved: {}, dedupe: { role: 'leader' } },
    ]);
    expectNothingLeft(world);
  });

  test('what may not share is not touched', async () => {
    const world = setUp({ mode: 'off' });
    const asked = [world.ask(), world.ask()];
    await world.turn();
    expect(world.provider.requests).toHaveLength(2);
    for (const request of world.provider.requests) request.answer();
    for (const response of await Promise.all(asked)) {
      expect(dedupeHeader(response)).toBeNull();
      await response.text();
    }
    expect(world.records.map(({ dedupe }) => dedupe)).toEqual([undefined, undefined]);
  });

  test('a fault in finding out who is alike lets the call go on alone', async () => {
    const world = setUp();
    let faults = 0;
    const init = Object.defineProperty(chat('Hi'), 'fault', {
      enumerable: true,
      get() {
        faults++;
        throw new Error('a fault');
      },
    });
    const asked = [world.router.fetch(CHAT_URL, init), world.router.fetch(CHAT_URL, init)];
    await world.turn();
    expect(faults).toBe(2);
    for (const request of world.provider.requests) request.answer();
    for (const response of await Promise.all(asked)) {
      expect(dedupeHeader(response)).toBeNull();
      expect(await response.text()).toBe(chatAnswer());
    }
    expectNothingLeft(world);
  });

  test('so does a fault in joining', async () => {
    const world = setUp();
    const signal = new AbortController().signal;
    let faults = 0;
    Object.defineProperty(signal, 'addEventListener', {
      value: (...listened: Parameters<AbortSignal['addEventListener']>) => {
        if (faults++ === 0) throw new Error('a fault');
        EventTarget.prototype.addEventListener.apply(signal, listened);
      },
    });
    const asked = world.ask({ signal });
    await world.turn();
    world.provider.only.answer();
    const response = await asked;
    expect(dedupeHeader(response)).toBeNull();
    expect(await response.text()).toBe(chatAnswer());
    expect(world.records).toMatchObject([{ outcome: 'ok', attempt: 1 }]);
    expectNothingLeft(world);
  });
});

describe('at the same time', () => {
  test.each([false, true])('20 calls are one request, streamed: %s', async (stream) => {
    const world = setUp();
    const asked = Array.from({ length: 20 }, () => world.ask({ stream }));
    await world.clock.advance(50);
    const { only } = world.provider;
    only.head(200, stream ? EVENTS : undefined);
    const responses = await Promise.all(asked);
    const texts = responses.map((response) => response.text());
    const parts = stream ? [frame('Hel'), frame('lo.'), LAST_FRAMES] : [chatAnswer()];
    for (const part of parts) {
      await world.clock.advance(10);
      only.push(part);
    }
    await world.clock.advance(10);
    only.end();
    expect(new Set(await Promise.all(texts))).toEqual(new Set([parts.join('')]));

    expect(responses.map(dedupeHeader)).toEqual([
      'leader',
      ...Array.from({ length: 19 }, () => 'follower'),
    ]);
    const ids = responses.map(({ headers }) => headers.get('x-tokenrouter-id'));
    expect(world.records.map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(20);
    for (const response of responses) {
      expect(response).toBeInstanceOf(Response);
      expect(response.status).toBe(200);
      expect(response.headers.get('x-request-id')).toBe('req-1');
    }
    const [leader, ...followers] = await world.settled();
    expect(leader).toMatchObject({
      attempt: 1,
      outcome: 'ok',
      cost: { usd: CHAT_USD },
      dedupe: { role: 'leader' },
      timing: { timeToHeadersMs: 50 },
    });
    for (const follower of followers) {
      expect(follower).toMatchObject({
        attempt: 0,
        final: true,
        outcome: 'ok',
        status: 200,
        stream,
        responseModel: 'gpt-4o-mini-2024-07-18',
        providerRequestId: 'req-1',
        usage: { grade: 'none', inputTokens: {}, outputTokens: {} },
        cost: { usd: '0' },
        saved: { dedupeUsd: CHAT_USD },
        dedupe: { role: 'follower', leaderId: leader?.callId },
        timing: { timeToHeadersMs: 50, durationMs: leader?.timing.durationMs },
      });
    }
    expect(world.dedupe.snapshot()).toMatchObject({ joined: 19, fromCache: 0 });
    expectNothingLeft(world);
  });

  test.each<[string, CallContext]>([
    ['tenants', { tenant: 'b' }],
    ['deadlines', { deadlineMs: 5000 }],
    ['wishes', { dedupe: 'off' }],
  ])('calls of different %s do not share', async (_name, context) => {
    const world = setUp();
    const asked = [
      world.ask({ context: { tenant: 'a' } }),
      world.ask({ context: { tenant: 'a', ...context } }),
    ];
    await world.turn();
    expect(world.provider.requests).toHaveLength(2);
    for (const request of world.provider.requests) request.answer();
    for (const response of await Promise.all(asked)) await response.text();
    expectNothingLeft(world);
  });

  test('who comes late gets everything from the first byte, at once', async () => {
    const world = setUp();
    const first = world.ask({ stream: true });
    await world.turn();
    const { only } = world.provider;
    only.head(200, EVENTS);
    const reader = (await first).body!.getReader();
    only.push(frame('one'));
    expect(await textOf(reader)).toBe(frame('one'));
    await world.clock.advance(1000);
    const late = await world.ask({ stream: true });
    expect(dedupeHeader(late)).toBe('follower');
    const lateReader = late.body!.getReader();
    expect(await textOf(lateReader)).toBe(frame('one'));
    only.push(frame('two'));
    expect(await textOf(lateReader)).toBe(frame('two'));
    expect(await textOf(reader)).toBe(frame('two'));
    only.push(LAST_FRAMES);
    only.end();
    for (const each of [reader, lateReader]) {
      expect(await textOf(each)).toBe(LAST_FRAMES);
      expect((await each.read()).done).toBe(true);
    }
    expect(world.records).toMatchObject([
      { dedupe: { role: 'leader' }, timing: { durationMs: 1000 } },
      {
        dedupe: { role: 'follower' },
        timing: { timeToHeadersMs: 0, timeToFirstChunkMs: 0, durationMs: 0 },
      },
    ]);
    expectNothingLeft(world);
  });

  test('who comes when the request has ended asks anew, though others still read', async () => {
    const world = setUp();
    const first = world.ask();
    await world.turn();
    world.provider.only.answer();
    const unread = await first;
    await world.turn();
    const second = world.ask();
    await world.turn();
    expect(world.provider.requests).toHaveLength(2);
    world.provider.requests[1]?.answer('{"other":1}');
    expect(await (await second).text()).toBe('{"other":1}');
    expect(await unread.text()).toBe(chatAnswer());
    expectNothingLeft(world);
  });

  test('each has memory of its own: what one does to its bytes nobody else sees', async () => {
    const world = setUp();
    const asked = [world.ask(), world.ask()];
    await world.turn();
    world.provider.only.answer();
    const [one, other] = await Promise.all(asked);
    const bytes = await one!.bytes();
    bytes.fill(0);
    expect(await other!.text()).toBe(chatAnswer());
  });

  test('the first reads as usual: a clone, the headers, the body’s own iterator', async () => {
    const world = setUp();
    const asked = world.ask();
    await world.turn();
    world.provider.only.head(200, { 'content-type': 'application/json', 'set-cookie': 'a=1' });
    const response = await asked;
    const copy = response.clone();
    world.provider.only.push(chatAnswer());
    world.provider.only.end();
    let text = '';
    for await (const chunk of response.body!) text += String(Buffer.from(chunk));
    expect(text).toBe(chatAnswer());
    expect(await copy.json()).toEqual(JSON.parse(chatAnswer()));
    const names = [...response.headers.keys()];
    expect(names).toEqual([...names].sort());
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': 'req-1',
      'x-tokenrouter-dedupe': 'leader',
    });
    expect(response.headers.getSetCookie()).toEqual(['a=1']);
  });

  test('an answer without a body', async () => {
    const world = setUp({ fetch: () => Promise.resolve(new Response(null, { status: 204 })) });
    const responses = await Promise.all([world.ask(), world.ask()]);
    expect(responses.map(({ status, body }) => [status, body])).toEqual([
      [204, null],
      [204, null],
    ]);
    expect(roles(world.records)).toEqual([
      ['leader', 'ok', 1],
      ['follower', 'ok', 0],
    ]);
    expectNothingLeft(world);
  });

  test('it is as urgent as the most urgent of those who wait', async () => {
    let waiting: Call | undefined;
    let hurried = 0;
    let go = (): void => {};
    const below: Stage = {
      name: 'schedule',
      handle: async (call, next) => {
        waiting = call;
        call.onHurry = () => hurried++;
        await new Promise<void>((resolve) => (go = resolve));
        return next(call);
      },
    };
    const world = setUp({ below: [below] });
    const asked = [world.ask({ context: { priority: 'low' } })];
    await world.turn();
    asked.push(
      world.ask({ context: { priority: 'urgent' } }),
      world.ask({ context: { priority: 'normal' } }),
    );
    await world.turn();
    expect([waiting?.context.priority, hurried]).toEqual(['urgent', 1]);
    go();
    await world.turn();
    world.provider.only.answer();
    for (const response of await Promise.all(asked)) await response.text();
    expect(world.records.map(({ context }) => context.priority)).toEqual([
      'low',
      'urgent',
      'normal',
    ]);
    expectNothingLeft(world);
  });
});

describe('an answer that is there in one piece', () => {
  const answer = (): PlayedAnswer => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    chunks: [Buffer.from(chatAnswer())],
  });

  test.each<[string, number, Partial<PipelineConfig>]>([
    ['alone', 1, {}],
    ['shared', 3, {}],
    ['kept', 1, { responseCache: responseCacheSettings({}) }],
  ])('%s', async (_name, count, config) => {
    const world = setUp({
      ...config,
      fetch: undefined,
      dispatcher: new ReplayDispatcher(answer, true),
    });
    const signals = Array.from({ length: count }, () => new AbortController().signal);
    const responses = await Promise.all(signals.map((signal) => world.ask({ signal })));
    for (const [i, response] of responses.entries()) {
      expect(dedupeHeader(response)).toBe(i === 0 ? 'leader' : 'follower');
      expect(response.headers.get('x-tokenrouter-id')).toBe(world.records[i]?.callId);
      expect(await response.text()).toBe(chatAnswer());
    }
    expect(world.records.map(({ cost }) => cost.usd)).toEqual([CHAT_USD, '0', '0'].slice(0, count));
    expectNothingLeft(world, ...signals);
    const again = await world.ask();
    expect(dedupeHeader(again)).toBe(config.responseCache === undefined ? 'leader' : 'cache');
    expect(await again.text()).toBe(chatAnswer());
  });

  test('goes to the next in its own name when the first has left', async () => {
    const world = setUp({ fetch: undefined, dispatcher: new ReplayDispatcher(answer, true) });
    const abort = new AbortController();
    const first = world.ask({ signal: abort.signal });
    const second = world.ask();
    abort.abort();
    await expect(first).rejects.toThrow('aborted');
    const response = await second;
    expect(dedupeHeader(response)).toBe('leader');
    expect(response.headers.get('x-tokenrouter-id')).toBe(world.records[1]?.callId);
    expect(await response.text()).toBe(chatAnswer());
    expectNothingLeft(world, abort.signal);
  });
});

describe('a failure', () => {
  test.each([400, 429, 500])('an answer with status %i goes to all once', async (status) => {
    const world = setUp();
    const asked = [world.ask(), world.ask(), world.ask()];
    await world.turn();
    world.provider.only.answer('{"error":{"code":"no"}}', status);
    for (const response of await Promise.all(asked)) {
      expect([response.status, await response.text()]).toEqual([status, '{"error":{"code":"no"}}']);
    }
    const [leader, ...followers] = world.records;
    for (const { outcome, errorCode, cost, dedupe, saved } of followers) {
      expect([outcome, errorCode]).toEqual([leader?.outcome, 'no']);
      expect([cost.usd, dedupe?.role, saved]).toEqual(['0', 'follower', {}]);
    }
    expect(world.records).toHaveLength(3);
    expectNothingLeft(world);
  });

  test.each(['before the head', 'in mid-body'])('of the network %s is shared', async (when) => {
    const world = setUp();
    const asked = [world.ask({ stream: true }), world.ask({ stream: true })];
    await world.turn();
    const { only } = world.provider;
    const failure = new TypeError('fetch failed', { cause: new Error('reset') });
    if (when === 'before the head') {
      only.fail(failure);
      for (const each of asked) await expect(each).rejects.toBe(failure);
    } else {
      only.head(200, EVENTS);
      const texts = (await Promise.all(asked)).map((response) => response.text());
      only.push(frame('a'));
      await world.turn();
      only.fail(failure);
      for (const each of texts) await expect(each).rejects.toBe(failure);
    }
    await world.settled();
    expect(roles(world.records)).toEqual([
      ['leader', 'network_error', 1],
      ['follower', 'network_error', 0],
    ]);
    expectNothingLeft(world);
  });

  test('an error of a stage inside is shared too', async () => {
    const world = setUp({
      below: [
        {
          name: 'faulty',
          handle: () => {
            throw new Error('a bug');
          },
        },
      ],
    });
    const asked = [world.ask(), world.ask()];
    for (const each of asked) await expect(each).rejects.toThrow('a bug');
    expect(world.records.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['rejected', 0],
      ['rejected', 0],
    ]);
    expectNothingLeft(world);
  });
});

describe('what the router refuses', () => {
  const refusing = (code: 'ERR_QUEUE_FULL' | 'ERR_DEADLINE', times: number): Stage => {
    let refused = 0;
    return {
      name: 'schedule',
      handle: async (call, next) => {
        await Promise.resolve();
        call.refusal = undefined;
        if (refused++ >= times) return next(call);
        call.refusal = code;
        return refuse(call.endpoint.api, { code, status: 503, message: 'No.' });
      },
    };
  };

  test('is refused to all', async () => {
    const world = setUp({ below: [refusing('ERR_QUEUE_FULL', 1)] });
    const responses = await Promise.all([world.ask(), world.ask()]);
    for (const response of responses) {
      expect(response.status).toBe(503);
      expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_FULL');
      expect(await response.json()).toMatchObject({ error: { code: 'ERR_QUEUE_FULL' } });
    }
    const refused = {
      outcome: 'rejected',
      errorCode: 'ERR_QUEUE_FULL',
      attempt: 0,
      cost: { usd: null },
    };
    expect(world.records).toMatchObject([refused, refused]);
    expectNothingLeft(world);
  });

  test('for the first’s deadline is the first’s alone: the others start over, together', async () => {
    const world = setUp({ below: [refusing('ERR_DEADLINE', 2)] });
    const context = { deadlineMs: 1000 };
    const asked = Array.from({ length: 4 }, () => world.ask({ context }));
    await world.turn();
    world.provider.only.answer();
    const responses = await Promise.all(asked);
    expect(responses.map(({ status }) => status)).toEqual([503, 503, 200, 200]);
    for (const response of responses) await response.text();
    expect(world.records.map(({ outcome, dedupe }) => [outcome, dedupe?.role])).toEqual([
      ['rejected', undefined],
      ['rejected', undefined],
      ['ok', 'leader'],
      ['ok', 'follower'],
    ]);
    expectNothingLeft(world);
  });
});

describe('with a middleware', () => {
  test('that asks again, the attempts are counted on', async () => {
    const again: Middleware = async (request, next) => {
      const first = await next(request);
      await first.text();
      return next(request);
    };
    const world = setUp({ middleware: [again] });
    const asked = [world.ask(), world.ask()];
    for (let i = 0; i < 2; i++) {
      await world.turn();
      world.provider.requests[i]?.answer();
    }
    const responses = await Promise.all(asked);
    expect(responses.map(({ headers }) => headers.get('x-tokenrouter-attempts'))).toEqual([
      '2',
      '0',
    ]);
    for (const response of responses) await response.text();
    expect(world.provider.requests).toHaveLength(2);
    expect(roles(world.records.filter(({ final }) => final))).toEqual([
      ['leader', 'ok', 2],
      ['follower', 'ok', 0],
    ]);
    expect(world.records.filter(({ final }) => !final)).toMatchObject([
      { attempt: 1, cost: { usd: CHAT_USD }, dedupe: { role: 'leader' } },
    ]);
    expectNothingLeft(world);
  });

  test('that asks again, a request of its own comes after an answer of another’s', async () => {
    const again: Middleware = async (request, next, { tags }) => {
      const first = await next(request);
      if (tags?.['again'] === undefined) return first;
      await first.text();
      return next(request);
    };
    const world = setUp({ middleware: [again] });
    const first = world.ask();
    const asked = world.ask({ context: { tags: { again: 'yes' } } });
    await world.turn();
    world.provider.only.answer();
    await (await first).text();
    await world.turn();
    world.provider.requests[1]?.answer();
    const response = await asked;
    expect(response.headers.get('x-tokenrouter-attempts')).toBe('1');
    await response.text();
    expect(roles(world.records)).toEqual([
      ['leader', 'ok', 1],
      ['leader', 'ok', 1],
    ]);
    expectNothingLeft(world);
  });

  test('that asks twice at once, the second is the first’s follower', async () => {
    const twice: Middleware = async (request, next) => {
      const [, second] = await Promise.all([next(request), next(request)]);
      return second;
    };
    const world = setUp({ middleware: [twice] });
    const asked = world.ask();
    await world.turn();
    world.provider.only.answer();
    expect(await (await asked).text()).toBe(chatAnswer());
    const [paid, final] = world.records.toSorted((a, b) => Number(a.final) - Number(b.final));
    expect(paid).toMatchObject({ final: false, attempt: 1, cost: { usd: CHAT_USD } });
    expect(final).toMatchObject({ attempt: 0, cost: { usd: '0' }, saved: { dedupeUsd: CHAT_USD } });
    expect(world.records).toHaveLength(2);
    expectNothingLeft(world);
  });

  test('that holds the leader’s answer up, followers’ records do not wait for it', async () => {
    let release = (): void => {};
    let calls = 0;
    const slow: Middleware = async (request, next) => {
      const isFirst = calls++ === 0;
      const response = await next(request);
      if (isFirst) await new Promise<void>((resolve) => (release = resolve));
      return response;
    };
    const world = setUp({ middleware: [slow] });
    const asked = [world.ask(), world.ask()];
    await world.turn();
    world.provider.only.answer();
    await (await asked[1]!).text();
    expect(world.records).toMatchObject([
      { cost: { usd: '0' }, saved: { dedupeUsd: CHAT_USD }, dedupe: { role: 'follower' } },
    ]);
    release();
    await (await asked[0]!).text();
    expect(world.records[1]).toMatchObject({ cost: { usd: CHAT_USD }, dedupe: { role: 'leader' } });
    expect(world.records[0]?.dedupe?.leaderId).toBe(world.records[1]?.callId);
    expectNothingLeft(world);
  });
});

test('followers wait for the leader’s account when its tokens have to be counted', async () => {
  const world = setUp();
  const asked = [world.ask(), world.ask()];
  await world.turn();
  const { usage: _, ...answer } = JSON.parse(chatAnswer()) as Record<string, unknown>;
  world.provider.only.answer(JSON.stringify(answer));
  for (const response of await Promise.all(asked)) await response.text();
  expect(world.records).toEqual([]);
  const [leader, follower] = await world.settled();
  expect(leader).toMatchObject({ usage: { grade: 'estimated' }, dedupe: { role: 'leader' } });
  expect(Number(leader?.cost.usd)).toBeGreaterThan(0);
  expect(follower).toMatchObject({ cost: { usd: '0' }, saved: { dedupeUsd: leader?.cost.usd } });
});

test('without a price nobody knows what was saved', async () => {
  const world = setUp();
  const asked = [1, 2].map(() =>
    world.router.fetch(CHAT_URL, chat('Hi', { model: 'gpt-unheard-of' })),
  );
  await world.turn();
  world.provider.only.answer(chatAnswer().replace('gpt-4o-mini-2024-07-18', 'gpt-unheard-of'));
  for (const response of await Promise.all(asked)) await response.text();
  expect(world.records).toMatchObject([{ cost: { usd: null } }, { cost: { usd: '0' } }]);
  expect(world.records[1]?.saved).toEqual({});
});

test('an object that is no Response goes to the first, and the others go on alone', async () => {
  const foreign = (): Response =>
    ({ ok: true, status: 200, text: async () => 'foreign' }) as unknown as Response;
  let asked = 0;
  const world = setUp({
    fetch: () => {
      asked++;
      return Promise.resolve(foreign());
    },
  });
  const answers = await Promise.all([world.ask(), world.ask(), world.ask()]);
  for (const answer of answers) expect(await answer.text()).toBe('foreign');
  expect(asked).toBe(3);
  expect(world.records.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
    ['ok', 1],
    ['ok', 1],
    ['ok', 1],
  ]);
  expectNothingLeft(world);
});
