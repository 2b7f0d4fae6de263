import type { Sink, UsageRecord } from '../../../src/types.ts';
import { systemClock } from '../../../src/util/clock.ts';
import type { AttributeOptions } from './attributes.ts';
import { destinationOf, resourceOf } from './destination.ts';
import { DirectWriter, type Rejected } from './direct.ts';
import { Instruments } from './instruments.ts';
import { checkOptions, type OtlpSinkOptions } from './options.ts';
import { ProviderWriter } from './providers.ts';
import { Sender } from './sender.ts';

export { activeTraceparent, type ActiveSpanApi } from './active-span.ts';
export type { OpenTelemetryApi } from './open-telemetry.ts';
export type { OtlpSinkOptions };

export interface OtlpSink extends Sink {
  /** What a receiver refused while it took the rest (`partialSuccess`, or 400 for it alone). Lost. 0 with `api` or providers. */
  readonly rejected: Readonly<Rejected>;
}

/**
 * Gives records to OpenTelemetry: spans and metrics through the host's own, or logs (and spans) straight to an OTLP receiver.
 *
 * Straight to a receiver a write is done when the receiver took it. A batch may come twice; a log's `log.record.uid` is its record's id,
 * and spans have ids made of it: readers leave out repeated ones. Through providers nothing comes twice, but theirs are queues
 * that drop what is too much. Text is cut at 4,096 characters, that of requests and answers at 65,536.
 */
export function otlpSink(options: OtlpSinkOptions = {}): OtlpSink {
  checkOptions(options);
  const attributes: AttributeOptions = {
    generations: options.semconv === 'both' ? ['latest', 'v1.41'] : [options.semconv ?? 'latest'],
    captureContent: options.captureContent ?? false,
  };
  const { api, tracerProvider, meterProvider, loggerProvider } = options;
  const isDirect = (api ?? tracerProvider ?? meterProvider ?? loggerProvider) === undefined;
  return isDirect ? direct(options, attributes) : through(options, attributes);
}

function direct(options: OtlpSinkOptions, attributes: AttributeOptions): OtlpSink {
  const { spans = false, clock = systemClock, timeoutMs = 10_000 } = options;
  const env = process.env;
  const sender = new Sender({ fetch: options.fetch, clock, timeoutMs });
  const writer = new DirectWriter(sender, {
    logs: options.logs === false ? undefined : destinationOf('logs', options, env),
    traces: spans === false ? undefined : destinationOf('traces', options, env),
    withAttempts: spans === 'operation+attempts',
    attributes,
    resource: resourceOf(options.resource, env),
  });
  return sink(
    writer.rejected,
    (records) => writer.write(records),
    () => sender.close(),
  );
}

function through(options: OtlpSinkOptions, attributes: AttributeOptions): OtlpSink {
  const { api, tracerProvider, meterProvider, loggerProvider } = options;
  const { spans = 'operation', metrics = true, logs = loggerProvider !== undefined } = options;
  const tracers = tracerProvider ?? api?.trace;
  const loggers = loggerProvider ?? api?.logs;
  const meters =
    meterProvider === undefined
      ? api && (() => api.metrics.getMeterProvider())
      : () => meterProvider;
  const writer = new ProviderWriter({
    tracerProvider: spans === false ? undefined : tracers,
    instruments:
      metrics && meters !== undefined ? new Instruments(meters, attributes.generations) : undefined,
    loggerProvider: logs ? loggers : undefined,
    withAttempts: spans === 'operation+attempts',
    attributes,
  });
  return sink({ logRecords: 0, spans: 0 }, async (records) => writer.write(records));
}

function sink(
  rejected: Rejected,
  write: (records: readonly UsageRecord[]) => Promise<void>,
  close?: () => void,
): OtlpSink {
  let closed = false;
  return {
    name: 'otlp',
    rejected,
    async write(records: readonly UsageRecord[]): Promise<void> {
      if (closed) throw new Error('otlpSink: write after close; make a new sink');
      if (records.length > 0) await write(records);
    },
    async close(): Promise<void> {
      closed = true;
      close?.();
    },
  };
}
