import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { otlpSink, type OtlpSinkOptions } from '../../../adapters/sinks/otlp/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { counts, createHost, histograms, numbers, retried, sum, type Host } from './host.ts';

let host: Host;
beforeEach(() => {
  host = createHost();
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
});

const sinkOf = (options: OtlpSinkOptions = {}) =>
  otlpSink({
    tracerProvider: host.tracerProvider,
    meterProvider: host.meterProvider,
    ...options,
  });

describe('metrics', () => {
  const streamed = () =>
    sampleRecord({
      stream: true,
      timing: { queuedMs: 0, heldMs: 0, timeToFirstChunkMs: 250, durationMs: 3_000 },
      usage: {
        inputTokens: { total: 100, uncached: 10, cacheRead: 60, cacheWrite: 20, cacheWrite1h: 10 },
        outputTokens: { total: 7, reasoning: 3 },
        grade: 'exact',
      },
    });
  const latest = {
    'gen_ai.client.inference.usage.input_tokens': 100,
    'gen_ai.client.inference.usage.output_tokens': 7,
    'gen_ai.client.inference.usage.cache_read.input_tokens': 60,
    'gen_ai.client.inference.usage.cache_write.input_tokens': 30,
    'gen_ai.client.inference.usage.reasoning.output_tokens': 3,
    'tokenrouter.cost': 0.000135,
  };

  test('have the latest names', async () => {
    await sinkOf().write([streamed()]);
    const metrics = await host.metrics();
    const counters = [...metrics].filter(([, [point]]) => typeof point?.value === 'number');
    expect(Object.fromEntries(counters.map(([name, points]) => [name, sum(points)]))).toEqual(
      latest,
    );
    expect(metrics.get('gen_ai.client.inference.usage.input_tokens')![0]!.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o-mini',
      'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
      'gen_ai.token.modality': 'unknown',
    });
    const observed = [...metrics].filter(([, [point]]) => typeof point?.value === 'object');
    expect(
      Object.fromEntries(observed.map(([name, points]) => [name, histograms(points)[0]!.sum])),
    ).toEqual({
      'gen_ai.client.inference.duration': 3,
      'gen_ai.client.inference.time_to_first_chunk': 0.25,
      'gen_ai.client.inference.operation.input_tokens': 100,
      'gen_ai.client.inference.operation.output_tokens': 7,
    });
    expect(
      histograms(metrics.get('gen_ai.client.inference.duration'))[0]!.buckets.boundaries,
    ).toEqual([
      0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    ]);
    expect(
      histograms(metrics.get('gen_ai.client.inference.operation.input_tokens'))[0]!.buckets
        .boundaries,
    ).toEqual([
      1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
      67_108_864,
    ]);
  });

  test('have the names of v1.41', async () => {
    await sinkOf({ semconv: 'v1.41' }).write([streamed()]);
    const metrics = await host.metrics();
    expect([...metrics.keys()].sort()).toEqual([
      'gen_ai.client.operation.duration',
      'gen_ai.client.operation.time_to_first_chunk',
      'gen_ai.client.token.usage',
      'tokenrouter.cost',
    ]);
    const tokens = metrics.get('gen_ai.client.token.usage')!;
    expect(tokens.map(({ attributes }) => attributes['gen_ai.token.type'])).toEqual([
      'input',
      'output',
    ]);
    expect(histograms(tokens).map(({ sum }) => sum)).toEqual([100, 7]);
  });

  test('have both, and each once', async () => {
    await sinkOf({ semconv: 'both' }).write([streamed(), sampleRecord({ api: 'embeddings' })]);
    const metrics = await host.metrics();
    expect(metrics.size).toBe(13);
    expect(counts(metrics.get('gen_ai.client.inference.duration'))).toBe(1);
    expect(counts(metrics.get('gen_ai.client.operation.duration'))).toBe(2);
  });

  test('of what is no inference keep the older name in the latest generation', async () => {
    await sinkOf().write([sampleRecord({ api: 'embeddings' }), sampleRecord({ api: 'other' })]);
    const metrics = await host.metrics();
    expect(metrics.has('gen_ai.client.inference.duration')).toBe(false);
    expect(counts(metrics.get('gen_ai.client.operation.duration'))).toBe(2);
  });

  test('of a call that was tried twice count every attempt, and the call once', async () => {
    const { first, final } = retried();
    await sinkOf().write([first, final]);
    const metrics = await host.metrics();
    expect(sum(metrics.get('gen_ai.client.inference.usage.input_tokens'))).toBe(2400);
    expect(sum(metrics.get('tokenrouter.cost'))).toBeCloseTo(0.00027, 15);
    const perCall = histograms(metrics.get('gen_ai.client.inference.operation.input_tokens'));
    expect(perCall.map(({ count, sum }) => [count, sum])).toEqual([[1, 2400]]);
    expect(counts(metrics.get('gen_ai.client.inference.duration'))).toBe(1);
  });

  test('count nothing for what an answer did not say, and 0 for what failed', async () => {
    const nothing = { inputTokens: {}, outputTokens: {}, grade: 'none' as const };
    const cost = { usd: null, price: 'unpriced' as const };
    const sink = sinkOf();
    await sink.write([sampleRecord({ usage: nothing, cost })]);
    const before = await host.metrics();
    expect([...before.keys()]).toEqual(['gen_ai.client.inference.duration']);
    await sink.write([
      sampleRecord({ usage: nothing, cost, outcome: 'server_error', status: 500 }),
    ]);
    const after = await host.metrics();
    expect(numbers(after.get('gen_ai.client.inference.usage.input_tokens'))).toEqual([0]);
    const [point] = after.get('gen_ai.client.inference.operation.input_tokens')!;
    expect(point!.attributes['error.type']).toBe('500');
    expect(after.has('tokenrouter.cost')).toBe(false);
  });

  test('survive numbers that no counter can hold', async () => {
    await sinkOf().write([
      sampleRecord({
        usage: {
          inputTokens: { total: 1e21, uncached: Number.NaN, cacheRead: -1 },
          outputTokens: { total: Number.MAX_VALUE, reasoning: 0.5 },
          grade: 'partial',
        },
        cost: { usd: '9'.repeat(400), price: 'approximate' },
        timing: { queuedMs: 0, heldMs: 0, durationMs: Number.POSITIVE_INFINITY },
      }),
      sampleRecord(),
    ]);
    const metrics = await host.metrics();
    expect(sum(metrics.get('gen_ai.client.inference.usage.input_tokens'))).toBe(1200);
    expect(sum(metrics.get('tokenrouter.cost'))).toBe(0.000135);
    expect(counts(metrics.get('gen_ai.client.inference.duration'))).toBe(1);
    expect(host.spans()).toHaveLength(2);
  });

  test('are none with `metrics: false`', async () => {
    await sinkOf({ metrics: false }).write([sampleRecord()]);
    expect((await host.metrics()).size).toBe(0);
  });
});
