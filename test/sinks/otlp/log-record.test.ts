import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { otlpSink, type OtlpSinkOptions } from '../../../adapters/sinks/otlp/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { picoDollars } from '../../../src/util/usd.ts';
import { startReceiver, TIMEOUT_MS, type Received, type Receiver } from './receiver.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

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

async function one(record: UsageRecord, options?: OtlpSinkOptions): Promise<Received> {
  await sinkTo(options).write([record]);
  return receiver.logs.at(-1)!;
}

describe('a log record', () => {
  test('says what the usage record says', async () => {
    const record = sampleRecord({
      stream: true,
      errorCode: 'insufficient_quota',
      outcome: 'rate_limited',
      status: 429,
      route: 'fast',
      target: 'eu',
      trace: { traceId, spanId, sampled: true },
      usage: {
        inputTokens: { total: 10, uncached: 1, cacheRead: 2, cacheWrite: 3, cacheWrite1h: 4 },
        outputTokens: { total: 9, reasoning: 8 },
        grade: 'exact',
      },
      cost: {
        usd: '12',
        inputUsd: '1',
        cacheReadUsd: '2',
        cacheWriteUsd: '3',
        outputUsd: '6',
        price: 'exact',
        priceDate: '2026-01-01',
      },
      saved: { cacheUsd: '-0.5', dedupeUsd: '0.25' },
      timing: {
        queuedMs: 1.5,
        heldMs: 2,
        timeToHeadersMs: 3,
        timeToFirstChunkMs: 2000,
        durationMs: 2500.125,
      },
      dedupe: { role: 'follower', leaderId: 'leader' },
      cache: {
        prefix: 'p',
        marks: 1,
        expectedRead: 7,
        miss: { reason: 'expired', lostTokens: 5, lostUsd: '0.1' },
      },
      context: { tenant: 't', user: 'u', priority: 'high', session: 's', tags: { feature: 'x' } },
    });
    expect(await one(record)).toEqual({
      timeUnixNano: '1769860802500125000',
      observedTimeUnixNano: '1769860802500125000',
      severityNumber: 13,
      severityText: 'WARN',
      eventName: 'gen_ai.client.inference.operation.details',
      flags: 1,
      traceId,
      spanId,
      attributes: {
        'log.record.uid': record.id,
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o-mini',
        'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
        'gen_ai.request.stream': true,
        'gen_ai.conversation.id': 's',
        'gen_ai.response.time_to_first_chunk': 2,
        'gen_ai.usage.input_tokens': '10',
        'gen_ai.usage.output_tokens': '9',
        'gen_ai.usage.cache_read.input_tokens': '2',
        'gen_ai.usage.cache_write.input_tokens': '7',
        'gen_ai.usage.reasoning.output_tokens': '8',
        'gen_ai.usage.cost.amount': 12,
        'gen_ai.usage.cost.currency': 'USD',
        'gen_ai.usage.cost.source': 'local',
        'error.type': 'insufficient_quota',
        'http.response.status_code': '429',
        'tokenrouter.record.id': record.id,
        'tokenrouter.call.id': record.callId,
        'tokenrouter.attempt': '1',
        'tokenrouter.final': true,
        'tokenrouter.api': 'chat.completions',
        'tokenrouter.outcome': 'rate_limited',
        'tokenrouter.error.code': 'insufficient_quota',
        'tokenrouter.provider_request.id': 'req_sample',
        'tokenrouter.route': 'fast',
        'tokenrouter.target': 'eu',
        'tokenrouter.usage.grade': 'exact',
        'tokenrouter.usage.uncached.input_tokens': '1',
        'tokenrouter.usage.cache_write_1h.input_tokens': '4',
        'tokenrouter.cost.usd': '12',
        'tokenrouter.cost.input_usd': '1',
        'tokenrouter.cost.cache_read_usd': '2',
        'tokenrouter.cost.cache_write_usd': '3',
        'tokenrouter.cost.output_usd': '6',
        'tokenrouter.cost.price': 'exact',
        'tokenrouter.cost.price_date': '2026-01-01',
        'tokenrouter.saved.cache_usd': '-0.5',
        'tokenrouter.saved.dedupe_usd': '0.25',
        'tokenrouter.timing.queued_ms': 1.5,
        'tokenrouter.timing.held_ms': 2,
        'tokenrouter.timing.time_to_headers_ms': 3,
        'tokenrouter.timing.duration_ms': 2500.125,
        'tokenrouter.dedupe.role': 'follower',
        'tokenrouter.dedupe.leader_id': 'leader',
        'tokenrouter.cache.prefix': 'p',
        'tokenrouter.cache.marks': '1',
        'tokenrouter.cache.expected_read_tokens': '7',
        'tokenrouter.cache.miss.reason': 'expired',
        'tokenrouter.cache.miss.lost_tokens': '5',
        'tokenrouter.cache.miss.lost_usd': '0.1',
        'tokenrouter.tenant': 't',
        'tokenrouter.user': 'u',
        'tokenrouter.priority': 'high',
        'tokenrouter.tag.feature': 'x',
      },
    });
  });

  test('leaves out what is not known, and keeps 0', async () => {
    const { attributes, ...log } = await one(
      sampleRecord({
        requestModel: undefined,
        responseModel: undefined,
        usage: { inputTokens: { total: 0 }, outputTokens: {}, grade: 'none' },
        cost: { usd: null, price: 'unpriced' },
      }),
    );
    expect(log).not.toHaveProperty('traceId');
    expect(attributes['gen_ai.usage.input_tokens']).toBe('0');
    for (const absent of [
      'gen_ai.request.model',
      'gen_ai.request.stream',
      'gen_ai.usage.output_tokens',
      'gen_ai.usage.cost.amount',
      'gen_ai.usage.cost.currency',
      'tokenrouter.cost.usd',
      'error.type',
    ]) {
      expect(attributes).not.toHaveProperty([absent]);
    }
  });

  test.each([
    ['latest', ['gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.cost.amount']],
    ['v1.41', ['gen_ai.usage.cache_creation.input_tokens']],
    [
      'both',
      [
        'gen_ai.usage.cache_creation.input_tokens',
        'gen_ai.usage.cache_write.input_tokens',
        'gen_ai.usage.cost.amount',
      ],
    ],
  ] as const)('has the names of %s', async (semconv, expected) => {
    const record = sampleRecord({
      usage: {
        inputTokens: { total: 5, cacheWrite: 5 },
        outputTokens: { total: 1 },
        grade: 'exact',
      },
    });
    const { attributes } = await one(record, { semconv });
    const names = Object.keys(attributes).filter((name) => /cost\.amount|cache_(w|c)/.test(name));
    expect(names.filter((name) => name.startsWith('gen_ai.')).sort()).toEqual(expected);
  });

  test('has text of requests and answers only when asked for it', async () => {
    const record = () => sampleRecord({ captured: { request: 'SECRET-Q', answer: 'SECRET-A' } });
    expect(JSON.stringify(await one(record()))).not.toContain('SECRET');
    const { attributes } = await one(record(), { captureContent: true });
    expect(attributes).toMatchObject({
      'tokenrouter.request.content': 'SECRET-Q',
      'tokenrouter.response.content': 'SECRET-A',
    });
  });

  test('is of bounded size', async () => {
    const big = 'x'.repeat(100_000);
    const tags = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`${String(i).padStart(4, '0')}${big}`, big]),
    );
    const { attributes } = await one(
      sampleRecord({
        context: { priority: 'normal', tenant: big, tags },
        captured: { request: big },
      }),
      { captureContent: true },
    );
    expect(String(attributes['tokenrouter.tenant'])).toHaveLength(4_096);
    expect(String(attributes['tokenrouter.request.content'])).toHaveLength(65_536);
    expect(Object.keys(attributes).filter((key) => key.includes('.tag.'))).toHaveLength(64);
    expect(JSON.stringify(attributes).length).toBeLessThan(400_000);
  });

  test('has clean text, and one type for each name', async () => {
    const { attributes } = await one(
      sampleRecord({
        status: undefined,
        outcome: 'network_error',
        errorCode: 'what\nthe server said',
        timing: { queuedMs: 0, heldMs: 2, durationMs: 3 },
        context: { priority: 'low', tenant: 'a\0b\ud800', tags: { a: '1', 'b\0': '2' } },
      }),
    );
    expect(attributes).toMatchObject({
      'error.type': 'network_error',
      'tokenrouter.tenant': 'a\ufffdb\ufffd',
      'tokenrouter.tag.b\ufffd': '2',
      'tokenrouter.timing.queued_ms': 0,
    });
  });

  test.each([
    ['no time', 'yesterday', 820.25, '0'],
    ['a time before the epoch', '1969-12-31T23:59:59.000Z', 1, '0'],
    ['a duration that is none', '2026-01-31T12:00:00.000Z', Number.NaN, '1769860800000000000'],
    ['an endless duration', '2026-01-31T12:00:00.000Z', 1e300, '1769860800000000000'],
  ])('takes %s', async (_what, startedAt, durationMs, time) => {
    const record = sampleRecord({ startedAt, timing: { queuedMs: 0, heldMs: 0, durationMs } });
    expect(await one(record)).toMatchObject({ timeUnixNano: time });
  });

  test('is one of many whose sum is the sum of the records', async () => {
    const call = sampleRecord({ attempt: 2 });
    const first = { ...sampleRecord({ final: false }), callId: call.callId };
    await sinkTo({ spans: 'operation+attempts' }).write([first, call, ...samples(3)]);
    const usd = receiver.logs.map(({ attributes }) =>
      picoDollars(String(attributes['tokenrouter.cost.usd'])),
    );
    expect(usd.reduce((sum, pico) => sum! + pico!, 0n)).toBe(5n * 135_000_000n);
    expect(receiver.logs.map(({ eventName }) => eventName)).toEqual([
      'tokenrouter.attempt',
      ...Array<string>(4).fill('gen_ai.client.inference.operation.details'),
    ]);
  });
});
