import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Stage } from '../../src/stage.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import {
  chat,
  CHAT_URL,
  CHAT_USD,
  createProvider,
  frame,
  LAST_FRAMES,
  type Provider,
  type Upstream,
} from './provider.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const gone = new Error('not needed any more');

/** A caller of the one question that all of them ask. */
class Caller {
  readonly abort = new AbortController();
  readonly asked: Promise<Response>;

  constructor(pipeline: Pipeline) {
    const { signal } = this.abort;
    this.asked = pipeline.router.fetch(CHAT_URL, { ...chat('Hi', { stream: true }), signal });
    this.asked.catch(() => {});
  }

  leave(): void {
    this.abort.abort(gone);
  }

  get listeners(): number {
    return getEventListeners(this.abort.signal, 'abort').length;
  }
}

class World {
  readonly clock: VirtualClock = createVirtualClock();
  readonly provider: Provider = createProvider();
  readonly pipeline: Pipeline;

  constructor(below: readonly Stage[] = []) {
    const { clock } = this;
    this.pipeline = createPipeline({ clock, fetch: this.provider.fetch, below });
  }

  get upstream(): Upstream {
    return this.provider.only;
  }

  callers(count: number): readonly Caller[] {
    return Array.from({ length: count }, () => new Caller(this.pipeline));
  }

  async turn(): Promise<void> {
    for (let i = 0; i < 4; i++) await this.clock.advance(0);
  }

  records(): unknown[] {
    return this.pipeline.records.map(({ outcome, attempt, dedupe, cost, saved }) => ({
      outcome,
      attempt,
      role: dedupe?.role,
      ...(attempt === 0 ? { usd: cost.usd } : {}),
      ...(saved.dedupeUsd === undefined ? {} : { saved: saved.dedupeUsd }),
    }));
  }
}

function expectNothingLeft(world: World, callers: readonly Caller[]): void {
  expect(world.pipeline.dedupe.snapshot().inFlight).toEqual({ requests: 0, calls: 0 });
  expect(world.pipeline.active.size).toBe(0);
  expect(world.clock.pending).toBe(0);
  for (const { listeners } of callers) expect(listeners).toBe(0);
  for (const { signal } of world.provider.requests) {
    expect(getEventListeners(signal!, 'abort')).toEqual([]);
  }
}

const LEFT = { outcome: 'aborted', attempt: 0, role: 'follower', usd: '0' };
const PAID = { outcome: 'ok', attempt: 1, role: 'leader' };
const SAVED = { outcome: 'ok', attempt: 0, role: 'follower', usd: '0', saved: CHAT_USD };

describe('before the head', () => {
  test('the leader leaves: the next is leader, and the request goes on', async () => {
    const world = new World();
    const callers = world.callers(3);
    await world.turn();
    callers[0]!.leave();
    await expect(callers[0]!.asked).rejects.toBe(gone);
    expect(world.records()).toEqual([LEFT]);
    expect(world.upstream.isOver).toBe(false);
    world.upstream.head(200, EVENTS);
    const responses = await Promise.all(callers.slice(1).map(({ asked }) => asked));
    const roles = responses.map(({ headers }) => headers.get('x-tokenrouter-dedupe'));
    expect(roles).toEqual(['leader', 'follower']);
    world.upstream.push(LAST_FRAMES);
    world.upstream.end();
    for (const response of responses) expect(await response.text()).toBe(LAST_FRAMES);
    expect(world.records()).toEqual([LEFT, PAID, SAVED]);
    const [first, second, third] = world.pipeline.records;
    expect(first?.dedupe?.leaderId).toBe(second?.callId);
    expect(third?.dedupe?.leaderId).toBe(second?.callId);
    expectNothingLeft(world, callers);
  });

  test('a follower leaves', async () => {
    const world = new World();
    const callers = world.callers(2);
    await world.turn();
    callers[1]!.leave();
    await expect(callers[1]!.asked).rejects.toBe(gone);
    expect(world.upstream.isOver).toBe(false);
    world.upstream.head(200, EVENTS);
    world.upstream.push(LAST_FRAMES);
    world.upstream.end();
    expect(await (await callers[0]!.asked).text()).toBe(LAST_FRAMES);
    expect(world.records()).toEqual([LEFT, PAID]);
    expectNothingLeft(world, callers);
  });

  test('all leave: the request ends with the last', async () => {
    const world = new World();
    const callers = world.callers(3);
    await world.turn();
    for (const caller of callers) {
      expect(world.upstream.isAborted).toBe(false);
      caller.leave();
      await expect(caller.asked).rejects.toBe(gone);
    }
    expect(world.upstream.isAborted).toBe(true);
    expect(world.upstream.signal?.reason).toBe(gone);
    expect(world.records()).toEqual([LEFT, LEFT, { ...PAID, outcome: 'aborted' }]);
    expectNothingLeft(world, callers);
  });

  test('who comes after the last has left asks anew', async () => {
    const world = new World();
    const [first] = world.callers(1);
    await world.turn();
    first!.leave();
    const [second] = world.callers(1);
    await world.turn();
    expect(world.provider.requests).toHaveLength(2);
    world.provider.requests[1]?.answer();
    await (await second!.asked).text();
    expectNothingLeft(world, [first!, second!]);
  });

  test('while the request itself still waits for its turn', async () => {
    let waiting: AbortSignal | undefined;
    const world = new World([
      {
        name: 'schedule',
        handle: (call) =>
          new Promise((_, reject) => {
            waiting = call.signal;
            call.queuedSince = world.clock.now();
            call.signal?.addEventListener('abort', () => reject(call.signal?.reason), {
              once: true,
            });
          }),
      },
    ]);
    const callers = world.callers(2);
    await world.clock.advance(100);
    callers[0]!.leave();
    await world.turn();
    expect(waiting?.aborted).toBe(false);
    callers[1]!.leave();
    await world.turn();
    expect(waiting?.aborted).toBe(true);
    expect(world.provider.requests).toEqual([]);
    expect(world.pipeline.records).toMatchObject([
      { outcome: 'aborted', attempt: 0, timing: { queuedMs: 0 } },
      { outcome: 'aborted', attempt: 0, timing: { queuedMs: 100 } },
    ]);
    expectNothingLeft(world, callers);
  });

  test('one whose signal has fired already does not join', async () => {
    const world = new World();
    const callers = world.callers(1);
    const { signal } = callers[0]!.abort;
    const late = world.pipeline.router.fetch(CHAT_URL, {
      ...chat('Hi', { stream: true }),
      signal: AbortSignal.abort(gone),
    });
    await expect(late).rejects.toBe(gone);
    expect(signal.aborted).toBe(false);
    callers[0]!.leave();
    await expect(callers[0]!.asked).rejects.toBe(gone);
    await world.turn();
    expectNothingLeft(world, callers);
  });
});

describe('in mid-body', () => {
  async function reading(count: number): Promise<{
    world: World;
    callers: readonly Caller[];
    responses: readonly Response[];
  }> {
    const world = new World();
    const callers = world.callers(count);
    await world.turn();
    world.upstream.head(200, EVENTS);
    world.upstream.push(frame('one'));
    return { world, callers, responses: await Promise.all(callers.map(({ asked }) => asked)) };
  }

  test.each([0, 1])(
    'caller %i aborts: its read fails with its reason, the other reads on',
    async (who) => {
      const { world, callers, responses } = await reading(2);
      const texts = responses.map((response) => response.text());
      await world.turn();
      callers[who]!.leave();
      await expect(texts[who]).rejects.toBe(gone);
      expect(world.records()).toEqual([LEFT]);
      expect(world.pipeline.records[0]).toMatchObject({
        status: 200,
        timing: { timeToHeadersMs: 0 },
      });
      expect(world.upstream.isOver).toBe(false);
      world.upstream.push(LAST_FRAMES);
      world.upstream.end();
      expect(await texts[1 - who]).toBe(frame('one') + LAST_FRAMES);
      expect(world.records()).toEqual([LEFT, PAID]);
      expectNothingLeft(world, callers);
    },
  );

  test.each([0, 1])('caller %i cancels its body', async (who) => {
    const { world, callers, responses } = await reading(2);
    await responses[who]!.body!.cancel();
    expect(world.records()).toEqual([LEFT]);
    expect(world.upstream.isOver).toBe(false);
    world.upstream.push(LAST_FRAMES);
    world.upstream.end();
    expect(await responses[1 - who]!.text()).toBe(frame('one') + LAST_FRAMES);
    expect(world.records()).toEqual([LEFT, PAID]);
    expectNothingLeft(world, callers);
  });

  test('who stops reading behind the end mark had everything, whoever else still reads', async () => {
    const { world, callers, responses } = await reading(2);
    const rest = responses[1]!.text();
    world.upstream.push(LAST_FRAMES);
    await world.turn();
    await responses[0]!.body!.cancel();
    expect(world.records()).toEqual([{ ...LEFT, outcome: 'ok' }]);
    world.upstream.end();
    expect(await rest).toBe(frame('one') + LAST_FRAMES);
    expect(world.records()).toEqual([{ ...LEFT, outcome: 'ok' }, PAID]);
    expectNothingLeft(world, callers);
  });

  test('the last cancels: the provider’s body is cancelled', async () => {
    const { world, callers, responses } = await reading(2);
    await responses[0]!.body!.cancel();
    await responses[1]!.body!.cancel();
    await world.turn();
    expect(world.upstream.isCancelled).toBe(true);
    expect(world.records()).toEqual([LEFT]);
    const [, last] = await world.pipeline.settled();
    expect(last).toMatchObject({ outcome: 'aborted', attempt: 1, usage: { grade: 'estimated' } });
    expectNothingLeft(world, callers);
  });

  test('the last aborts: its reader sees its reason, the provider its abort', async () => {
    const { world, callers, responses } = await reading(2);
    const texts = responses.map((response) => response.text());
    await world.turn();
    for (const [i, caller] of callers.entries()) {
      expect(world.upstream.isOver).toBe(false);
      caller.leave();
      await expect(texts[i]).rejects.toBe(gone);
    }
    expect(world.upstream.isAborted).toBe(true);
    await world.pipeline.settled();
    expect(world.records()).toEqual([LEFT, { ...PAID, outcome: 'aborted' }]);
    expectNothingLeft(world, callers);
  });

  test('after the end of the request an abort changes nothing', async () => {
    const { world, callers, responses } = await reading(2);
    world.upstream.push(LAST_FRAMES);
    world.upstream.end();
    await world.turn();
    for (const caller of callers) caller.leave();
    for (const response of responses) {
      expect(await response.text()).toBe(frame('one') + LAST_FRAMES);
    }
    expect(world.records()).toEqual([PAID, SAVED]);
    expectNothingLeft(world, callers);
  });

  test('a listener on records may end the others', async () => {
    const clock = createVirtualClock();
    const provider = createProvider();
    const pipeline = createPipeline({
      clock,
      fetch: provider.fetch,
      onRecord: () => {
        for (const caller of callers) caller.leave();
      },
    });
    const callers = [1, 2, 3].map(() => new Caller(pipeline));
    await clock.advance(0);
    callers[0]!.leave();
    for (const { asked } of callers) await expect(asked).rejects.toBe(gone);
    expect(provider.only.isAborted).toBe(true);
    expect(pipeline.records).toHaveLength(3);
    expect(pipeline.dedupe.snapshot().inFlight.calls).toBe(0);
  });
});

describe('a transport that heeds no signal', () => {
  test('is left alone, and what it still brings goes nowhere', async () => {
    let answer: (response: Response) => void = () => {};
    const cancelled: unknown[] = [];
    const clock = createVirtualClock();
    const fetch = (): Promise<Response> => new Promise((resolve) => (answer = resolve));
    const pipeline = createPipeline({ clock, fetch });
    const callers = [new Caller(pipeline), new Caller(pipeline)];
    await clock.advance(0);
    for (const caller of callers) caller.leave();
    for (const { asked } of callers) await expect(asked).rejects.toBe(gone);
    expect(pipeline.active.size).toBe(0);
    expect(pipeline.records.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
    answer(new Response(new ReadableStream({ cancel: (reason) => void cancelled.push(reason) })));
    await clock.advance(0);
    expect(cancelled).toHaveLength(1);
  });
});

describe('cut from outside, as the router’s close does', () => {
  const closed = new Error('closed');

  test.each(['before the head', 'in mid-body'])('%s all end with the last', async (when) => {
    const world = new World();
    const callers = world.callers(3);
    await world.turn();
    const texts: Array<Promise<string>> = [];
    if (when === 'in mid-body') {
      world.upstream.head(200, EVENTS);
      world.upstream.push(frame('one'));
      for (const { asked } of callers) texts.push((await asked).text());
      await world.turn();
    }
    for (const text of texts) text.catch(() => {});
    world.pipeline.cut(closed);
    await world.turn();
    expect(world.upstream.isOver).toBe(true);
    if (when === 'before the head') {
      for (const { asked } of callers) {
        await expect(asked).rejects.toMatchObject({ message: 'fetch failed', cause: closed });
      }
    }
    for (const text of texts) {
      await expect(text).rejects.toMatchObject({ message: 'terminated', cause: closed });
    }
    await world.pipeline.settled();
    expect(world.records()).toEqual([LEFT, LEFT, { ...PAID, outcome: 'aborted' }]);
    expectNothingLeft(world, callers);
  });

  test('one alone leaves alone', async () => {
    const world = new World();
    const callers = world.callers(2);
    await world.turn();
    [...world.pipeline.active][0]!.cut(closed);
    await expect(callers[0]!.asked).rejects.toMatchObject({ cause: closed });
    expect(world.upstream.isOver).toBe(false);
    world.upstream.answer(LAST_FRAMES);
    expect(await (await callers[1]!.asked).text()).toBe(LAST_FRAMES);
    expectNothingLeft(world, callers);
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('a response that nobody reads and nobody holds is as good as cancelled', async () => {
  const world = new World();
  const kept = world.callers(1);
  const asked = (async () => {
    const response = await new Caller(world.pipeline).asked;
    return response.status;
  })();
  await world.turn();
  world.upstream.head(200, EVENTS);
  expect(await asked).toBe(200);
  const response = await kept[0]!.asked;
  for (let i = 0; i < 50 && world.pipeline.records.length === 0; i++) {
    await world.turn();
    collectGarbage();
  }
  expect(world.records()).toEqual([LEFT]);
  world.upstream.push(LAST_FRAMES);
  world.upstream.end();
  expect(await response.text()).toBe(LAST_FRAMES);
  expectNothingLeft(world, kept);
});
