/** A host's OpenTelemetry: the real SDK, exporting into memory. */
import type { Attributes } from '@opentelemetry/api';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';

import { sampleRecord } from '../../../src/testing/sample-record.ts';
import type { UsageRecord } from '../../../src/types.ts';

export interface Point {
  readonly value: number | Histogram;
  readonly attributes: Attributes;
}

export interface Host extends AsyncDisposable {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  readonly logs: InMemoryLogRecordExporter;
  spans(): readonly ReadableSpan[];
  /** By name. */
  metrics(): Promise<ReadonlyMap<string, readonly Point[]>>;
}

export function createHost(tracing: Omit<TracerProviderOptions, 'spanProcessors'> = {}): Host {
  const spans = new InMemorySpanExporter();
  const logs = new InMemoryLogRecordExporter();
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const tracerProvider = new TracerProvider({
    ...tracing,
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
  });
  const meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 60_000_000 }),
    ],
  });
  const loggerProvider = new LoggerProvider({
    processors: [new SimpleLogRecordProcessor({ exporter: logs })],
  });
  return {
    tracerProvider,
    meterProvider,
    loggerProvider,
    logs,
    spans: () => spans.getFinishedSpans(),
    async metrics(): Promise<ReadonlyMap<string, readonly Point[]>> {
      metrics.reset();
      await meterProvider.forceFlush();
      const all =
        metrics
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
      return new Map(
        all.map(({ descriptor, dataPoints }) => {
          const points: readonly DataPoint<unknown>[] = dataPoints;
          return [descriptor.name, points as readonly Point[]];
        }),
      );
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([
        tracerProvider.shutdown(),
        meterProvider.shutdown(),
        loggerProvider.shutdown(),
      ]);
    },
  };
}

export const numbers = (points: readonly Point[] = []): number[] =>
  points.map(({ value }) => value as number);
export const sum = (points?: readonly Point[]): number =>
  numbers(points).reduce((a, b) => a + b, 0);
export const histograms = (points: readonly Point[] = []): Histogram[] =>
  points.map(({ value }) => value as Histogram);
export const counts = (points?: readonly Point[]): number =>
  histograms(points).reduce((total, { count }) => total + count, 0);

/** A call whose first attempt broke off, and its second. */
export function retried(overrides: Partial<UsageRecord> = {}): {
  first: UsageRecord;
  final: UsageRecord;
} {
  const final = sampleRecord({ attempt: 2, ...overrides });
  const first = sampleRecord({
    final: false,
    attempt: 1,
    outcome: 'truncated',
    timing: { queuedMs: 0, heldMs: 0, durationMs: 300 },
    ...overrides,
    callId: final.callId,
  });
  return { first, final };
}
