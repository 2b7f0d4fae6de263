import type { Clock } from '../../../src/types.ts';
import type {
  LoggerProvider,
  MeterProvider,
  OpenTelemetryApi,
  TracerProvider,
} from './open-telemetry.ts';

/**
 * Three ways: `api` is the host's own OpenTelemetry; providers are handed in one by one, and go before those of `api`; without either
 * the sink posts OTLP/HTTP JSON to `url` itself.
 */
export interface OtlpSinkOptions {
  /** The module: `import * as api from '@opentelemetry/api'`, 1.9 or later. Its global providers are asked for at each batch. */
  api?: OpenTelemetryApi | undefined;
  tracerProvider?: TracerProvider | undefined;
  meterProvider?: MeterProvider | undefined;
  loggerProvider?: LoggerProvider | undefined;
  /**
   * The receiver, without `/v1/logs`. Default: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` and `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (whole URLs),
   * else `OTEL_EXPORTER_OTLP_ENDPOINT`, else `http://localhost:4318`. Only without `api` and providers, like all down to `timeoutMs`.
   */
  url?: string | undefined;
  /** Sent with each request. Default, where `url` is not given: `OTEL_EXPORTER_OTLP_HEADERS`, `…_LOGS_HEADERS`, `…_TRACES_HEADERS`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Not the router's own: its requests would become records. Default: the platform's. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Describes this process. Default: `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`; what is given here goes before. */
  resource?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** For one request with its answer, in milliseconds. Default 10,000. */
  timeoutMs?: number | undefined;
  /** For tests. Default: real time. */
  clock?: Clock | undefined;
  /** Which generation of the GenAI names. Default `latest`. */
  semconv?: 'latest' | 'v1.41' | 'both' | undefined;
  /**
   * `operation`: one span per call. `operation+attempts`: below it one for each attempt that has a record. Default `operation` with
   * `api` or `tracerProvider`, else `false`.
   */
  spans?: 'operation+attempts' | 'operation' | false | undefined;
  /** Default `true` with `api` or `meterProvider`. Not available without them. */
  metrics?: boolean | undefined;
  /** One log record (an event) per usage record. Default `true` with `loggerProvider` and with `url`, `false` with `api` alone. */
  logs?: boolean | undefined;
  /** Whether spans and logs have the text that the option `capture` of the router keeps. Default `false`. */
  captureContent?: boolean | undefined;
}
