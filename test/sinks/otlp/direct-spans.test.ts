import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { otlpSink, type OtlpSinkOptions } from '../../../adapters/sinks/otlp/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { startReceiver, TIMEOUT_MS, type Receiver } from './receiver.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
});

const sinkTo = (options: OtlpSinkOptions = {}) =>
  otlpSink({ url: receiver.url, timeoutMs: TIMEOUT_MS, ...options });

describe('spans', () => {
  const trace = { traceId, spanId, sampled: true };
  const call = () => {
    const final = sampleRecord({
      attempt: 2,
      trace,
      timing: { queuedMs: 10, heldMs: 0, durationMs: 900 },
    });
    const first: UsageRecord = {
      ...sampleRecord({
        final: false,
        attempt: 1,
        trace,
        outcome: 'truncated',
        timing: { queuedMs: 10, heldMs: 0, durationMs: 300 },
      }),
      callId: final.callId,
    };
    return { first, final };
  };

  test('are one for a call and one below it for each attempt', async () => {
    const { first, final } = call();
    await sinkTo({ spans: 'operation+attempts', logs: false }).write([first, final]);
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/v1/traces']);
    const [operation, one, two] = receiver.spans;
    expect(receiver.spans).toHaveLength(3);
    expect(operation).toMatchObject({
      traceId,
      parentSpanId: spanId,
      flags: 0x301,
      name: 'chat gpt-4o-mini',
      kind: 3,
      startTimeUnixNano: '1769860800000000000',
      endTimeUnixNano: '1769860800900000000',
      status: {},
      attributes: {
        'gen_ai.usage.input_tokens': '2400',
        'gen_ai.usage.output_tokens': '100',
        'gen_ai.usage.cost.amount': 0.00027,
        'tokenrouter.cost.usd': '0.00027',
        'tokenrouter.attempt': '2',
      },
    });
    expect(one).toMatchObject({
      traceId,
      parentSpanId: operation!['spanId'],
      flags: 0x101,
      name: 'attempt gpt-4o-mini',
      endTimeUnixNano: '1769860800300000000',
      status: { code: 2 },
      attributes: { 'tokenrouter.attempt': '1', 'tokenrouter.attempt.input_tokens': '1200' },
    });
    expect(two).toMatchObject({
      parentSpanId: operation!['spanId'],
      startTimeUnixNano: '1769860800300000000',
      endTimeUnixNano: '1769860800900000000',
      attributes: { 'tokenrouter.attempt': '2', 'tokenrouter.final': true },
    });
    expect(new Set(receiver.spans.map((span) => span['spanId'])).size).toBe(3);
    // A backend that adds up all spans of a trace counts nothing twice.
    for (const { attributes } of [one!, two!]) {
      expect(Object.keys(attributes).filter((key) => key.startsWith('gen_ai.usage'))).toEqual([]);
    }
  });

  test('are the same when another process delivers the batch again', async () => {
    const { first, final } = call();
    const alone = sampleRecord();
    for (let i = 0; i < 2; i++) {
      await sinkTo({ spans: 'operation+attempts' }).write([first, final, alone]);
    }
    expect(receiver.spans.slice(5)).toEqual(receiver.spans.slice(0, 5));
    expect(receiver.spans[3]).not.toHaveProperty('parentSpanId');
    expect(receiver.spans[3]).toMatchObject({ flags: 0x101 });
  });

  test('come whichever record comes first, over batches', async () => {
    const [a, b] = [call(), call()];
    const sink = sinkTo({ spans: 'operation+attempts' });
    await sink.write([a.first, b.final]);
    await sink.write([a.final, b.first]);
    const below = (record: UsageRecord) =>
      receiver.spans.filter((span) => span.attributes['tokenrouter.call.id'] === record.callId);
    for (const { final } of [a, b]) {
      const [operation, ...attempts] = below(final);
      expect(attempts).toHaveLength(2);
      for (const attempt of attempts) expect(attempt['parentSpanId']).toBe(operation!['spanId']);
    }
    expect(below(a.final)[0]!.attributes['tokenrouter.cost.usd']).toBe('0.00027');
  });

  test('are one for a call with `operation`, and the sum is the same', async () => {
    const { first, final } = call();
    await sinkTo({ spans: 'operation' }).write([first, final]);
    expect(receiver.spans).toHaveLength(1);
    expect(receiver.spans[0]!.attributes).toMatchObject({ 'tokenrouter.cost.usd': '0.00027' });
  });

  test('have no attempt where nothing was sent, and say how many prices are missing', async () => {
    const { first, final } = call();
    const cost = { usd: null, price: 'unpriced' as const };
    await sinkTo({ spans: 'operation+attempts' }).write([
      sampleRecord({ attempt: 0, outcome: 'rejected', errorCode: 'ERR_QUEUE_FULL', cost }),
      { ...first, cost },
      final,
    ]);
    expect(receiver.spans.map(({ name }) => name)).toEqual([
      'chat gpt-4o-mini',
      'chat gpt-4o-mini',
      'attempt gpt-4o-mini',
      'attempt gpt-4o-mini',
    ]);
    expect(receiver.spans[0]!.attributes['error.type']).toBe('ERR_QUEUE_FULL');
    expect(receiver.spans[1]!.attributes).toMatchObject({
      'tokenrouter.cost.usd': '0.000135',
      'tokenrouter.cost.unpriced_attempts': '1',
    });
  });

  test('are none of a trace that is not sampled', async () => {
    const unsampled = { ...trace, sampled: false };
    await sinkTo({ spans: 'operation+attempts' }).write([sampleRecord({ trace: unsampled })]);
    expect(receiver.spans).toEqual([]);
    expect(receiver.logs).toMatchObject([{ traceId, spanId }]);
    expect(receiver.logs[0]).not.toHaveProperty('flags');
  });
});
