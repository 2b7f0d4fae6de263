import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from '../../src/call.ts';
import { isRouterError } from '../../src/errors.ts';
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import {
  chat,
  CHAT_URL,
  CHAT_USD,
  createProvider,
  frame,
  JSON_HEADERS,
  LAST_FRAMES,
  type Provider,
  type Upstream,
} from './provider.ts';

/**
 * Callers that ask, read, stall, leave and are cut in any order, while the provider answers, stops and fails. The world below
 * knows nothing of how it is done; after every step it compares what callers, provider and records show with what must hold.
 */

const MAX_BUFFER_BYTES = 3000;
const CHUNK_OVERHEAD = 128;

type Action =
  | { readonly do: 'join'; readonly question: number; readonly hasSignal: boolean }
  | { readonly do: 'abort' | 'cancel' | 'cut' | 'read'; readonly caller: number }
  | { readonly do: 'head'; readonly request: number; readonly status: number }
  | { readonly do: 'push'; readonly request: number; readonly length: number }
  | { readonly do: 'end' | 'fail'; readonly request: number };

const index = fc.nat({ max: 9 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      question: fc.nat({ max: 1 }),
      hasSignal: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('abort' as const, 'cancel' as const, 'cut' as const),
      caller: index,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), caller: index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('head' as const),
      request: index,
      status: fc.constantFrom(200, 200, 200, 400),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      request: index,
      length: fc.integer({ min: 1, max: 1500 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('end' as const, 'fail' as const),
      request: index,
    }),
  },
);

class Caller {
  readonly question: number;
  readonly abort: AbortController | undefined;
  readonly call: Call;
  readonly chunks: Uint8Array[] = [];
  response: Response | undefined;
  error: unknown;
  hasLeft = false;
  isDone = false;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #isReading = false;

  constructor(question: number, pipeline: Pipeline, hasSignal: boolean) {
    this.question = question;
    this.abort = hasSignal ? new AbortController() : undefined;
    const init = chat(`question ${question}`, { stream: true });
    const answered = pipeline.router.fetch(CHAT_URL, {
      ...init,
      signal: this.abort?.signal ?? null,
    });
    this.call = [...pipeline.active].at(-1)!;
    answered.then(
      (response) => {
        this.response = response;
      },
      (error: unknown) => {
        this.error = error;
      },
    );
  }

  /** Which of the provider's requests answered it. */
  get request(): string | undefined {
    return this.response?.headers.get('x-request-id') ?? undefined;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  read(): void {
    if (this.#isReading || this.isDone || this.error !== undefined) return;
    this.#reader ??= this.response?.body?.getReader();
    if (this.#reader === undefined) return;
    this.#isReading = true;
    this.#reader.read().then(
      ({ value, done }) => {
        this.#isReading = false;
        if (value !== undefined) this.chunks.push(value);
        if (done) this.isDone = true;
      },
      (error: unknown) => {
        this.#isReading = false;
        this.error = error;
      },
    );
  }

  cancel(): void {
    this.#reader ??= this.response?.body?.getReader();
    void this.#reader?.cancel('enough').catch(() => {});
  }
}

/** What the provider did in answer to one request. */
interface Story {
  readonly name: string;
  readonly question: number;
  readonly upstream: Upstream;
  status: number | undefined;
  sent: Buffer[];
  ended: 'complete' | 'failed' | undefined;
}

class World {
  readonly clock: VirtualClock = createVirtualClock();
  readonly provider: Provider = createProvider();
  readonly pipeline: Pipeline = createPipeline({
    clock: this.clock,
    fetch: this.provider.fetch,
    maxBufferBytes: MAX_BUFFER_BYTES,
  });
  readonly callers: Caller[] = [];
  readonly stories: Story[] = [];

  async run(actions: readonly Action[]): Promise<void> {
    for (const each of actions) {
      this.act(each);
      await this.step();
    }
    await this.finish();
  }

  act(each: Action): void {
    switch (each.do) {
      case 'join':
        if (this.callers.length < 10) {
          this.callers.push(new Caller(each.question, this.pipeline, each.hasSignal));
        }
        return;
      case 'abort':
      case 'cancel':
      case 'cut':
      case 'read':
        this.disturb(each.do, this.callers[each.caller % this.callers.length]);
        return;
      default: {
        const story = this.stories[each.request % this.stories.length];
        if (story !== undefined && story.ended === undefined) this.answer(story, each);
      }
    }
  }

  disturb(how: 'abort' | 'cancel' | 'cut' | 'read', caller: Caller | undefined): void {
    if (caller === undefined || caller.error !== undefined) return;
    if (how === 'read') {
      caller.read();
      return;
    }
    if (!this.pipeline.active.has(caller.call)) return;
    if (how === 'abort' && caller.abort !== undefined) {
      caller.hasLeft = true;
      caller.abort.abort(new Error('not needed any more'));
    } else if (how === 'cut') {
      caller.hasLeft = true;
      caller.call.cut(new Error('closed'));
    } else if (how === 'cancel' && caller.response !== undefined) {
      caller.hasLeft = true;
      caller.cancel();
    }
  }

  answer(story: Story, each: Action): void {
    const { upstream } = story;
    if (upstream.isOver) return;
    if (each.do === 'head' && story.status === undefined) {
      story.status = each.status;
      const headers = { 'x-request-id': story.name };
      const type = each.status === 200 ? { 'content-type': 'text/event-stream' } : JSON_HEADERS;
      upstream.head(each.status, { ...headers, ...type });
    } else if (each.do === 'fail') {
      story.ended = 'failed';
      upstream.fail(new TypeError('fetch failed', { cause: new Error(story.name) }));
    } else if (story.status !== undefined) {
      if (each.do === 'push') this.push(story, frame('x'.repeat(each.length)));
      if (each.do === 'end') {
        this.push(story, LAST_FRAMES);
        story.ended = 'complete';
        upstream.end();
      }
    }
  }

  push(story: Story, text: string): void {
    const bytes = Buffer.from(text);
    story.sent.push(bytes);
    story.upstream.push(bytes);
  }

  /** Lets everything that follows happen, and looks at it. */
  async step(): Promise<void> {
    const before = this.stories.length;
    for (let turn = 0; turn < 3; turn++) await this.clock.advance(0);
    for (const upstream of this.provider.requests.slice(before)) {
      const question = upstream.body.includes('question 0') ? 0 : 1;
      expectNoneToJoin(this, question);
      const name = `req-${this.stories.length}`;
      this.stories.push({
        name,
        question,
        upstream,
        status: undefined,
        sent: [],
        ended: undefined,
      });
    }
    expectCancelledExactlyWhenAlone(this);
  }

  /** A reader that was too slow sees it with its next read only; its record is there at once. */
  isCutOff({ call }: Caller): boolean {
    return this.pipeline.records.some(({ callId, final }) => final && callId === call.id);
  }

  /** The provider comes to an end, and whoever is still there reads to it. */
  async finish(): Promise<void> {
    for (const [request] of this.stories.entries()) {
      this.act({ do: 'head', request, status: 200 });
      await this.step();
    }
    for (let round = 0; round < 4; round++) {
      for (const caller of this.callers) for (let i = 0; i < 3; i++) caller.read();
      await this.step();
    }
    for (const [request] of this.stories.entries()) this.act({ do: 'end', request });
    for (let round = 0; round < 60 && !this.callers.every(isThrough); round++) {
      for (const caller of this.callers) caller.read();
      await this.step();
    }
  }
}

/** A second request for the same question is sent only when the first can no longer be joined. */
function expectNoneToJoin(world: World, question: number): void {
  for (const story of world.stories) {
    if (story.question !== question || story.ended !== undefined || story.upstream.isOver) continue;
    expect(weightOf(story.sent)).toBeGreaterThan(MAX_BUFFER_BYTES);
  }
}

function expectCancelledExactlyWhenAlone(world: World): void {
  const newest = new Map(world.stories.map((story) => [story.question, story]));
  for (const story of world.stories) {
    if (story.ended !== undefined) continue;
    const waits = world.callers.some(
      (caller) =>
        !caller.hasLeft &&
        caller.error === undefined &&
        !world.isCutOff(caller) &&
        (caller.request === story.name ||
          (caller.request === undefined && newest.get(caller.question) === story)),
    );
    expect([story.name, story.upstream.isOver]).toEqual([story.name, !waits]);
  }
}

async function expectAllIsWell(world: World): Promise<void> {
  const records = await world.pipeline.settled();
  for (const caller of world.callers) {
    if (!caller.hasLeft) expectTheAnswer(world, caller);
    if (caller.abort !== undefined) {
      expect(getEventListeners(caller.abort.signal, 'abort')).toEqual([]);
    }
    const own = records.filter(({ callId, final }) => final && callId === caller.call.id);
    expect(own).toHaveLength(1);
  }
  for (const { upstream } of world.stories) {
    expect(getEventListeners(upstream.signal!, 'abort')).toEqual([]);
  }
  expect(world.pipeline.active.size).toBe(0);
  expect(world.pipeline.dedupe.snapshot().inFlight).toEqual({ requests: 0, calls: 0 });
  expect(world.clock.pending).toBe(0);
  expectPaidOnce(world);
}

function expectTheAnswer(world: World, caller: Caller): void {
  const { error } = caller;
  const story = world.stories.find(({ name }) => name === caller.request);
  if (story === undefined) {
    // It never had a head.
    expect(error).toMatchObject({ message: 'fetch failed' });
    return;
  }
  expect(caller.response?.status).toBe(story.status);
  const cause = error instanceof TypeError ? error.cause : undefined;
  if (isRouterError(cause)) {
    expect(cause.code).toBe('ERR_SLOW_READER');
    const behind = weightOf(story.sent) - caller.bytes.length;
    expect(behind).toBeGreaterThan(MAX_BUFFER_BYTES);
  } else if (story.ended === 'failed') {
    expect(error).toMatchObject({ message: 'fetch failed' });
  } else {
    expect(error).toBeUndefined();
    expect(caller.isDone).toBe(true);
  }
  const sent = Buffer.concat(story.sent);
  const all = error === undefined ? sent : sent.subarray(0, caller.bytes.length);
  expect(caller.bytes.equals(all)).toBe(true);
}

function expectPaidOnce(world: World): void {
  const { records } = world.pipeline;
  const paid = records.filter(({ attempt }) => attempt > 0);
  const ids = paid.map(({ providerRequestId }) => providerRequestId);
  const answered = world.stories.filter(({ status }) => status !== undefined);
  expect(paid).toHaveLength(world.stories.length);
  expect(ids.filter((id) => id !== undefined).sort()).toEqual(
    answered.map(({ name }) => name).sort(),
  );
  for (const { dedupe } of paid) expect(dedupe).toEqual({ role: 'leader', leaderId: undefined });
  for (const story of answered) {
    if (story.ended !== 'complete' || story.status !== 200 || story.upstream.isOver) continue;
    const leader = paid.find(({ providerRequestId }) => providerRequestId === story.name);
    expect(leader).toMatchObject({ outcome: 'ok', cost: { usd: CHAT_USD } });
  }
  for (const { attempt, cost, usage, dedupe, saved, outcome } of records) {
    if (attempt > 0) continue;
    expect({ cost, usage }).toEqual({
      cost: { usd: '0', price: 'exact' },
      usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
    });
    expect(dedupe?.role).toBe('follower');
    expect(records.some(({ callId }) => callId === dedupe?.leaderId)).toBe(true);
    if (outcome === 'ok' && saved.dedupeUsd !== undefined) expect(saved.dedupeUsd).toBe(CHAT_USD);
  }
}

function isThrough(caller: Caller): boolean {
  return caller.isDone || caller.hasLeft || caller.error !== undefined;
}

function weightOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength + CHUNK_OVERHEAD, 0);
}

test('any interleaving of joining, reading, leaving and failing leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 10, maxLength: 50, size: 'max' }),
      async (actions) => {
        const world = new World();
        await world.run(actions);
        await expectAllIsWell(world);
      },
    ),
    { numRuns: 1000, seed: 20261121 },
  );
}, 120_000);
