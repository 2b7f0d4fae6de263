import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/testing/virtual-clock.ts';
import { ReplayDispatcher, type PlayedAnswer } from '../helpers/replay-dispatcher.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { chat, CHAT_URL, createProvider, frame, LAST_FRAMES, textOf } from './provider.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const KB = 1024;
const MB = KB * KB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, garbage not counted. */
function held(): number {
  // The memory of buffers goes with the second.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A body of so many chunks, made one by one, that knows how many were asked for. */
function longAnswer(
  count: number,
  size: number,
): { answer: () => PlayedAnswer; taken: () => number } {
  const chunk = Buffer.alloc(size, 'x');
  let taken = 0;
  const chunks = new Proxy<Uint8Array[]>([], {
    get(target, key) {
      const index = typeof key === 'string' ? Number(key) : NaN;
      if (!(index >= 0)) return Reflect.get(target, key) as unknown;
      taken = Math.max(taken, index + 1);
      return index < count ? chunk : undefined;
    },
  });
  return {
    answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, chunks }),
    taken: () => taken,
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function over(answer: () => PlayedAnswer, burst: boolean, maxBufferBytes?: number): Pipeline {
  return createPipeline({
    clock: createVirtualClock(),
    dispatcher: new ReplayDispatcher(answer, burst),
    maxBufferBytes,
  });
}

describe('a single caller', () => {
  test.each(['off', 'deterministic'] as const)(
    'holds back the connection at 128 KB, dedupe %s',
    async (mode) => {
      const { answer, taken } = longAnswer(1000, 16 * KB);
      const pipeline = createPipeline({
        clock: createVirtualClock(),
        dispatcher: new ReplayDispatcher(answer, true),
        mode,
      });
      const response = await pipeline.router.fetch(CHAT_URL, chat('Hi'));
      await turns(5);
      expect(taken()).toBe(9);
      const reader = response.body!.getReader();
      expect((await reader.read()).value?.byteLength).toBe(9 * 16 * KB);
      await turns(5);
      // It has not asked for more yet.
      expect(taken()).toBe(9);
      const next = reader.read();
      await turns(5);
      expect((await next).value?.byteLength).toBe(16 * KB);
      const held = taken();
      await turns(5);
      expect(taken()).toBe(held);
      expect(held).toBeLessThanOrEqual(9 + 10);
      await reader.cancel();
    },
  );
});

test('the fastest reader decides when more is fetched', async () => {
  const { answer, taken } = longAnswer(1000, 16 * KB);
  const { router } = over(answer, true);
  const [fast, slow] = await Promise.all([1, 2].map(() => router.fetch(CHAT_URL, chat('Hi'))));
  const reader = fast!.body!.getReader();
  let read = 0;
  while (read < 3 * MB) read += (await reader.read()).value!.byteLength;
  expect(taken() * 16 * KB).toBeGreaterThanOrEqual(3 * MB);
  await reader.cancel();
  const before = taken();
  await turns(5);
  // The slow one is alone now, and has 3 MB to read first.
  expect(taken() - before).toBeLessThanOrEqual(10);
  const slowReader = slow!.body!.getReader();
  expect((await slowReader.read()).value!.byteLength).toBe(read);
  await slowReader.cancel();
});

test('a slow reader delays no other, and is cut off when it is too far behind', async () => {
  const clock = createVirtualClock();
  const provider = createProvider();
  const pipeline = createPipeline({ clock, fetch: provider.fetch, maxBufferBytes: 4000 });
  const ask = (): Promise<Response> =>
    pipeline.router.fetch(CHAT_URL, chat('Hi', { stream: true }));
  const asked = [ask(), ask(), ask()];
  await clock.advance(0);
  provider.only.head(200, EVENTS);
  const [fast, lagging, stuck] = (await Promise.all(asked)).map((response) =>
    response.body!.getReader(),
  );
  let sent = '';
  let read = '';
  const readers = [fast!, lagging!, stuck!];
  for (let i = 0; i < 12; i++) {
    const text = frame(`${i} `.repeat(200));
    sent += text;
    provider.only.push(text);
    read += await textOf(readers[0]!);
    if (i === 3 || i === 8) {
      // It takes all that has come since.
      await readers[1]!.read();
    }
  }
  expect(read).toBe(sent);
  await expect(readers[2]!.read()).rejects.toMatchObject({
    name: 'TypeError',
    message: 'terminated',
    cause: { name: 'RouterError', code: 'ERR_SLOW_READER' },
  });
  expect(pipeline.records).toMatchObject([
    {
      outcome: 'aborted',
      errorCode: 'ERR_SLOW_READER',
      attempt: 0,
      status: 200,
      cost: { usd: '0' },
    },
  ]);
  expect(provider.only.isOver).toBe(false);

  // Nobody joins what nobody can have from its first byte on.
  const late = ask();
  await clock.advance(0);
  expect(provider.requests).toHaveLength(2);
  expect(pipeline.dedupe.snapshot().inFlight).toEqual({ requests: 1, calls: 1 });
  provider.requests[1]?.answer(LAST_FRAMES);
  expect(await (await late).text()).toBe(LAST_FRAMES);

  provider.requests[0]?.push(LAST_FRAMES);
  provider.requests[0]?.end();
  expect(await textOf(readers[0]!)).toBe(LAST_FRAMES);
  const rest = await textOf(readers[1]!);
  expect((sent + LAST_FRAMES).endsWith(rest)).toBe(true);
  expect((await readers[1]!.read()).done).toBe(true);
  expect(pipeline.active.size).toBe(0);
});

test('100 MB with a fast and a slow reader stay within the bound', async () => {
  const total = 100 * MB;
  const { answer } = longAnswer(total / (64 * KB), 64 * KB);
  const pipeline = over(answer, false);
  const [fast, slow] = await Promise.all(
    [1, 2].map(() => pipeline.router.fetch(CHAT_URL, chat('Hi'))),
  );
  const before = held();
  const reader = fast!.body!.getReader();
  const slowReader = slow!.body!.getReader();
  let read = 0;
  let slowRead = 0;
  let most = 0;
  let looked = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    read += value.byteLength;
    // A tenth of a megabyte behind at first, then 15, then nobody waits for it.
    if (read - slowRead > 15 * MB && read < 50 * MB) {
      slowRead += (await slowReader.read()).value?.byteLength ?? 0;
    }
    if (read - looked > 5 * MB) {
      looked = read;
      most = Math.max(most, held() - before);
    }
  }
  expect(read).toBe(total);
  expect(most).toBeGreaterThan(14 * MB);
  expect(most).toBeLessThan(24 * MB);
  await expect(slowReader.read()).rejects.toMatchObject({ cause: { code: 'ERR_SLOW_READER' } });
  expect(held() - before).toBeLessThan(4 * MB);
}, 60_000);
