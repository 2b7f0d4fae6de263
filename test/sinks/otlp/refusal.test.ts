import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { otlpSink, type OtlpSinkOptions } from '../../../adapters/sinks/otlp/index.ts';
import { createDelivery } from '../../../src/delivery/delivery.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { startReceiver, TIMEOUT_MS, uid, type Receiver } from './receiver.ts';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
});

const samples = (count: number) => Array.from({ length: count }, () => sampleRecord());
const sinkTo = (options: OtlpSinkOptions = {}) =>
  otlpSink({ url: receiver.url, timeoutMs: TIMEOUT_MS, ...options });

/** As a reader does that leaves out repeated ids. */
const storedIds = () => [...new Set(receiver.logs.map(uid))];

describe('a refusal', () => {
  test.each([429, 500, 502, 503, 504, 401, 404])('with %i rejects the batch', async (status) => {
    receiver.answer = (_, number) => (number === 1 ? { status, body: 'no, SECRET' } : undefined);
    const sink = sinkTo();
    const records = samples(3);
    const error: unknown = await sink.write(records).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'PostError', code: `HTTP_${status}` });
    expect(String(error)).not.toContain('SECRET');
    await sink.write(records);
    expect(receiver.logs.map(uid)).toEqual(records.map(({ id }) => id));
  });

  test('of a connection rejects with the network’s code', async () => {
    const gone = await startReceiver();
    await gone[Symbol.asyncDispose]();
    await expect(otlpSink({ url: gone.url }).write(samples(1))).rejects.toMatchObject({
      name: 'PostError',
      code: 'ECONNREFUSED',
    });
  });

  test.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(Date.parse('2026-01-01T00:00:00Z') + 5_000).toUTCString(), 5_000],
    ['more than five minutes', '86400', 300_000],
  ])('that says when to come again is heeded: %s', async (_what, retryAfter, ms) => {
    const clock = createVirtualClock({ startAt: Date.parse('2026-01-01T00:00:00Z') });
    receiver.answer = (_, number) =>
      number === 1 ? { status: 429, headers: { 'retry-after': retryAfter } } : undefined;
    const sink = sinkTo({ clock, timeoutMs: 10 });
    const records = samples(1);
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'HTTP_429' });
    const write = sink.write(records);
    await clock.advance(ms - 1);
    expect(receiver.requests).toHaveLength(1);
    await clock.advance(1);
    await write;
    expect(storedIds()).toEqual([records[0]!.id]);
    // Only once.
    await sink.write(samples(1));
    expect(receiver.logs).toHaveLength(2);
  });

  test('that is none for too long rejects after timeoutMs', async () => {
    const clock = createVirtualClock();
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    receiver.answer = () => {
      asked();
      return 'hang';
    };
    const write = sinkTo({ clock, timeoutMs: 1_000 }).write(samples(1));
    const rejected = expect(write).rejects.toMatchObject({ code: 'TIMEOUT' });
    await isAsked;
    await clock.advance(1_000);
    await rejected;
  });

  test('of a part is counted and not sent again', async () => {
    receiver.answer = ({ signal }) => ({
      status: 200,
      body: JSON.stringify({
        partialSuccess:
          signal === 'logs'
            ? { rejectedLogRecords: '2', errorMessage: 'too old' }
            : { rejectedSpans: 1 },
      }),
    });
    const sink = sinkTo({ spans: 'operation' });
    const records = samples(3);
    await sink.write(records);
    await sink.write(records);
    expect(sink.rejected).toEqual({ logRecords: 2, spans: 1 });
    expect(receiver.requests).toHaveLength(2);
  });

  test.each(['', 'null', '[]', '{"partialSuccess":null}', '{"partialSuccess":', 'ok'])(
    'is not what %j means',
    async (body) => {
      receiver.answer = () => ({ status: 200, body });
      const sink = sinkTo();
      await sink.write(samples(1));
      expect(sink.rejected).toEqual({ logRecords: 0, spans: 0 });
    },
  );

  test.each([400, 413, 422])('of one bad record with %i costs no other', async (status) => {
    const records = samples(20);
    const bad = new Set([records[4]!.id, records[5]!.id, records[17]!.id]);
    receiver.answer = ({ items }) =>
      items.some((item) => bad.has(uid(item))) ? { status } : undefined;
    const sink = sinkTo();
    await sink.write(records);
    expect(receiver.logs.map(uid)).toEqual(
      records.map(({ id }) => id).filter((id) => !bad.has(id)),
    );
    expect(sink.rejected).toEqual({ logRecords: 3, spans: 0 });
    // Nor does it come again.
    const before = receiver.requests.length;
    await sink.write(records);
    expect(receiver.requests).toHaveLength(before);
  });

  test.each([1, 4, 200])('of everything as bad loses nothing: %i', async (count) => {
    receiver.answer = () => ({ status: 400 });
    const sink = sinkTo();
    const records = samples(count);
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'HTTP_400' });
    expect(sink.rejected).toEqual({ logRecords: 0, spans: 0 });
    expect(receiver.requests.length).toBeLessThan(25);
    receiver.answer = () => undefined;
    await sink.write(records);
    expect(receiver.logs.map(uid)).toEqual(records.map(({ id }) => id));
  });

  test('of spans does not bring the logs twice', async () => {
    receiver.answer = ({ signal }, number) =>
      signal === 'traces' && number < 4 ? { status: 503 } : undefined;
    const sink = sinkTo({ spans: 'operation+attempts' });
    const call = sampleRecord({ attempt: 2 });
    const records = [{ ...sampleRecord({ final: false }), callId: call.callId }, call];
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'HTTP_503' });
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'HTTP_503' });
    await sink.write(records);
    expect(receiver.logs).toHaveLength(2);
    expect(receiver.spans).toHaveLength(3);
  });
});

describe('closing', () => {
  test('ends a write that waits for its answer', async () => {
    const sink = sinkTo();
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    receiver.answer = () => {
      asked();
      return 'hang';
    };
    const rejected = expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'CLOSED' });
    await isAsked;
    await sink.close?.();
    await rejected;
  });

  test('ends a write that waits for its turn', async () => {
    receiver.answer = () => ({ status: 503, headers: { 'retry-after': '60' } });
    const sink = sinkTo();
    await expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'HTTP_503' });
    const rejected = expect(sink.write(samples(1))).rejects.toMatchObject({ code: 'CLOSED' });
    await sink.close?.();
    await rejected;
    expect(receiver.requests).toHaveLength(1);
  });
});

test('delivery brings everything to a receiver that is away for a while', async () => {
  receiver.answer = (_, number) => (number < 4 ? { status: 503 } : undefined);
  const delivery = createDelivery({
    sinks: [sinkTo()],
    clock: systemClock,
    random: () => 0.1,
    flushIntervalMs: 5,
  });
  const records = samples(10);
  for (const record of records) delivery.push(record);
  await delivery.close();
  expect(storedIds()).toEqual(records.map(({ id }) => id));
  expect(delivery.snapshot().sinks).toMatchObject([
    { name: 'otlp', written: 10, retries: 3, lastError: { name: 'PostError', code: 'HTTP_503' } },
  ]);
});
