import * as api from '@opentelemetry/api';
import {
  AlwaysOnSampler,
  ParentBasedSampler,
  StackContextManager,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  activeTraceparent,
  otlpSink,
  type OtlpSinkOptions,
} from '../../../adapters/sinks/otlp/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { parseTraceparent } from '../../../src/util/traceparent.ts';
import { counts, createHost, retried, sum, type Host } from './host.ts';

const trace = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  sampled: true,
};

let host: Host;
beforeEach(() => {
  host = createHost();
});
afterEach(async () => {
  api.trace.disable();
  api.metrics.disable();
  api.logs.disable();
  await host[Symbol.asyncDispose]();
});

const sinkOf = (options: OtlpSinkOptions = {}) =>
  otlpSink({
    tracerProvider: host.tracerProvider,
    meterProvider: host.meterProvider,
    ...options,
  });

const milliseconds = ([seconds, nanos]: [number, number]) => seconds * 1e3 + nanos / 1e6;
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;

describe('spans', () => {
  test('are one per call, from its start to its end, below the span it was made in', async () => {
    await sinkOf().write([sampleRecord({ trace })]);
    const [span, ...more] = host.spans();
    expect(more).toEqual([]);
    expect(span).toMatchObject({
      name: 'chat gpt-4o-mini',
      kind: api.SpanKind.CLIENT,
      status: { code: api.SpanStatusCode.UNSET },
      parentSpanContext: { traceId: trace.traceId, spanId: trace.spanId, isRemote: true },
      instrumentationScope: { name: 'tokenrouter' },
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.usage.input_tokens': 1200,
        'gen_ai.usage.cache_read.input_tokens': 1000,
        'gen_ai.usage.cost.amount': 0.000135,
        'tokenrouter.cost.usd': '0.000135',
      },
    });
    expect(span!.spanContext().traceId).toBe(trace.traceId);
    const start = Date.parse('2026-01-31T12:00:00.000Z');
    expect(milliseconds(span!.startTime)).toBe(start);
    expect(milliseconds(span!.endTime)).toBeCloseTo(start + 820.25, 3);
  });

  test('begin a trace of their own where the call was made in none', async () => {
    const inside = api.trace.setSpanContext(api.ROOT_CONTEXT, {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags: 1,
    });
    // Delivery may run in anybody's context.
    await api.context.with(inside, () => sinkOf().write([sampleRecord()]));
    expect(host.spans()[0]!.parentSpanContext).toBeUndefined();
  });

  test.each([
    ['chat.completions', 'chat gpt-4o-mini'],
    ['responses', 'chat gpt-4o-mini'],
    ['messages', 'chat gpt-4o-mini'],
    ['completions', 'text_completion gpt-4o-mini'],
    ['generateContent', 'generate_content gpt-4o-mini'],
    ['embeddings', 'embeddings gpt-4o-mini'],
    ['other', 'other gpt-4o-mini'],
  ] as const)('of %s are named %s', async (name, expected) => {
    await sinkOf().write([sampleRecord({ api: name })]);
    expect(host.spans().map((span) => span.name)).toEqual([expected]);
  });

  test('are named after the operation alone without a model', async () => {
    await sinkOf().write([sampleRecord({ requestModel: undefined })]);
    expect(host.spans()[0]!.name).toBe('chat');
  });

  test('of failed calls say so', async () => {
    await sinkOf().write([
      sampleRecord({ outcome: 'overloaded', status: 529, errorCode: 'overloaded_error' }),
      sampleRecord({ outcome: 'server_error', status: 500 }),
      sampleRecord({ outcome: 'timeout', status: undefined }),
    ]);
    expect(host.spans().map((span) => span.status.code)).toEqual([2, 2, 2]);
    expect(host.spans().map((span) => span.attributes['error.type'])).toEqual([
      'overloaded_error',
      '500',
      'timeout',
    ]);
  });

  test('of attempts stand below that of their call, which has the sum', async () => {
    const { first, final } = retried({ trace });
    await sinkOf({ spans: 'operation+attempts' }).write([first, final]);
    const operation = host.spans().find((span) => span.name.startsWith('chat'))!;
    const attempts = host.spans().filter((span) => span.name.startsWith('attempt'));
    expect(operation.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 2400,
      'gen_ai.usage.output_tokens': 100,
      'gen_ai.usage.cost.amount': 0.00027,
      'tokenrouter.cost.usd': '0.00027',
      'tokenrouter.saved.cache_usd': '0.00015',
    });
    expect(attempts.map((span) => span.attributes['tokenrouter.attempt'])).toEqual([1, 2]);
    expect(attempts.map(parentOf)).toEqual(Array(2).fill(operation.spanContext().spanId));
    expect(attempts.map((span) => span.kind)).toEqual(Array(2).fill(api.SpanKind.CLIENT));
    expect(attempts.map((span) => span.status.code)).toEqual([2, 0]);
    // A backend that adds up every span of a trace must not count twice.
    const usage = attempts.flatMap((span) =>
      Object.keys(span.attributes).filter((key) => key.startsWith('gen_ai.usage')),
    );
    expect(usage).toEqual([]);
  });

  test('of attempts find their call over batches, whichever comes first', async () => {
    const [a, b] = [retried(), retried()];
    const sink = sinkOf({ spans: 'operation+attempts' });
    await sink.write([a.first, b.final]);
    await sink.write([b.first]);
    await sink.write([a.final]);
    for (const { final } of [a, b]) {
      const own = host
        .spans()
        .filter((span) => span.attributes['tokenrouter.call.id'] === final.callId);
      const operation = own.find((span) => span.name.startsWith('chat'))!;
      const attempts = own.filter((span) => span.name.startsWith('attempt'));
      expect(attempts.map(parentOf)).toEqual(Array(2).fill(operation.spanContext().spanId));
    }
  });

  test('come once, however often a batch does', async () => {
    const { first, final } = retried();
    const sink = sinkOf({ spans: 'operation+attempts', loggerProvider: host.loggerProvider });
    for (let i = 0; i < 3; i++) await sink.write([first, final]);
    expect(host.spans()).toHaveLength(3);
    expect(host.logs.getFinishedLogRecords()).toHaveLength(2);
    const metrics = await host.metrics();
    expect(sum(metrics.get('gen_ai.client.inference.usage.input_tokens'))).toBe(2400);
    expect(counts(metrics.get('gen_ai.client.inference.duration'))).toBe(1);
  });

  test('follow the caller’s sampling', async () => {
    await using sampling = createHost({
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    });
    const sink = otlpSink({
      tracerProvider: sampling.tracerProvider,
      spans: 'operation+attempts',
    });
    await sink.write([sampleRecord({ trace: { ...trace, sampled: false } })]);
    expect(sampling.spans()).toEqual([]);
    await sink.write([sampleRecord({ trace }), sampleRecord()]);
    expect(sampling.spans()).toHaveLength(4);
  });

  test('have text of requests and answers only when asked for it', async () => {
    const captured = { request: 'SECRET-Q', answer: 'SECRET-A' };
    await sinkOf().write([sampleRecord({ captured })]);
    await sinkOf({ captureContent: true }).write([sampleRecord({ captured })]);
    const [without, withText] = host.spans();
    expect(JSON.stringify(without!.attributes)).not.toContain('SECRET');
    expect(withText!.attributes['tokenrouter.request.content']).toBe('SECRET-Q');
  });

  test('are none with `spans: false`', async () => {
    await sinkOf({ spans: false }).write([sampleRecord()]);
    expect(host.spans()).toEqual([]);
    expect((await host.metrics()).size).toBeGreaterThan(0);
  });
});

describe('logs', () => {
  test('are one per record, within the span it was made in', async () => {
    const { first, final } = retried({ trace });
    await otlpSink({ loggerProvider: host.loggerProvider }).write([first, final]);
    const logs = host.logs.getFinishedLogRecords();
    expect(logs.map(({ eventName }) => eventName)).toEqual([
      'tokenrouter.attempt',
      'gen_ai.client.inference.operation.details',
    ]);
    expect(logs.map(({ severityNumber }) => severityNumber)).toEqual([
      api.SeverityNumber.WARN,
      api.SeverityNumber.INFO,
    ]);
    for (const log of logs) {
      expect(log.spanContext).toMatchObject({ traceId: trace.traceId, spanId: trace.spanId });
      expect(log.attributes['gen_ai.usage.input_tokens']).toBe(1200);
    }
    expect(logs[1]!.attributes['log.record.uid']).toBe(final.id);
    expect(milliseconds(logs[1]!.hrTime)).toBeCloseTo(Date.parse(final.startedAt) + 820.25, 3);
  });
});

describe('the host’s own OpenTelemetry', () => {
  function register(): void {
    api.trace.setGlobalTracerProvider(host.tracerProvider);
    api.metrics.setGlobalMeterProvider(host.meterProvider);
    api.logs.setGlobalLoggerProvider(host.loggerProvider);
  }

  test('gets spans and metrics, and logs when asked for', async () => {
    register();
    await otlpSink({ api }).write([sampleRecord()]);
    expect(host.spans()).toHaveLength(1);
    expect((await host.metrics()).has('gen_ai.client.inference.duration')).toBe(true);
    expect(host.logs.getFinishedLogRecords()).toEqual([]);
    await otlpSink({ api, logs: true, spans: false, metrics: false }).write([sampleRecord()]);
    expect(host.logs.getFinishedLogRecords()).toHaveLength(1);
    expect(host.spans()).toHaveLength(1);
  });

  test('may be registered after the sink was made and used, and once more', async () => {
    const sink = otlpSink({ api, logs: true });
    await sink.write([sampleRecord()]);
    register();
    await sink.write([sampleRecord()]);
    expect(host.spans()).toHaveLength(1);
    expect(host.logs.getFinishedLogRecords()).toHaveLength(1);
    expect(counts((await host.metrics()).get('gen_ai.client.inference.duration'))).toBe(1);

    await using next = createHost();
    api.metrics.disable();
    api.metrics.setGlobalMeterProvider(next.meterProvider);
    await sink.write([sampleRecord()]);
    expect(counts((await next.metrics()).get('gen_ai.client.inference.duration'))).toBe(1);
  });

  test('may be of API 1.9, which has no logs', async () => {
    register();
    const { logs: _, ...older } = api;
    await otlpSink({ api: older }).write([sampleRecord()]);
    expect(host.spans()).toHaveLength(1);
    expect(() => otlpSink({ api: older, logs: true })).toThrow(/logs needs loggerProvider.*1\.10/);
  });

  test('is not asked for a signal whose provider was handed in', async () => {
    register();
    await using own = createHost();
    await otlpSink({ api, tracerProvider: own.tracerProvider }).write([sampleRecord()]);
    expect(own.spans()).toHaveLength(1);
    expect(host.spans()).toEqual([]);
    expect((await host.metrics()).size).toBeGreaterThan(0);
  });

  test('may be absent: nothing happens and nothing fails', async () => {
    const sink = otlpSink({ api, logs: true, spans: 'operation+attempts' });
    const { first, final } = retried({ trace });
    await sink.write([first, final]);
    await sink.close?.();
    await expect(sink.write([final])).rejects.toThrow(/close/);
  });
});

describe('activeTraceparent', () => {
  test('is the span that is active, and nothing where none is', () => {
    api.trace.setGlobalTracerProvider(host.tracerProvider);
    const contexts = new StackContextManager();
    api.context.setGlobalContextManager(contexts.enable());
    const active = activeTraceparent(api);
    expect(active()).toBeUndefined();
    api.trace.getTracer('host').startActiveSpan('request', (span) => {
      const { traceId, spanId } = span.spanContext();
      expect(parseTraceparent(active()!)).toEqual({ traceId, spanId, sampled: true });
      span.end();
    });
    expect(active()).toBeUndefined();
    api.context.disable();
  });
});
