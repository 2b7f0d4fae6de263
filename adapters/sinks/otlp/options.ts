import { isHeader } from '../../shared/http-post.ts';
import { RouterError } from '../../../src/errors.ts';
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

/** Throws `ERR_OPTIONS` for what is unknown, of another kind, or does not go together. */
export function checkOptions(options: OtlpSinkOptions): void {
  for (const [option, value] of Object.entries(options)) {
    const check = CHECKS.get(option);
    if (check === undefined) refuse(`unknown option ${option}`);
    if (value !== undefined && !check.isRight(value)) {
      refuse(
        `${option} must be ${check.expected}, got ${check.isWord === true ? shown(value) : typeof value}`,
      );
    }
  }
  const providers = PROVIDERS.filter((option) => options[option] !== undefined);
  const [provider] = providers;
  if (provider !== undefined) {
    for (const option of DIRECT_ONLY) {
      if (options[option] !== undefined) {
        refuse(`${option} is not used with ${provider}; list one sink for each`);
      }
    }
    needs(options, 'spans', options.api ?? options.tracerProvider, 'api or tracerProvider');
    needs(options, 'metrics', options.api ?? options.meterProvider, 'api or meterProvider');
    needs(
      options,
      'logs',
      options.api?.logs ?? options.loggerProvider,
      'loggerProvider, or an api of @opentelemetry/api 1.10 or later',
    );
  } else {
    needs(
      options,
      'metrics',
      undefined,
      'api or meterProvider: delivery may bring a batch twice, and sums would count it twice',
    );
    if (options.logs === false && (options.spans ?? false) === false) {
      refuse('logs: false and no spans leave nothing to send');
    }
  }
}

const PROVIDERS = ['api', 'tracerProvider', 'meterProvider', 'loggerProvider'] as const;
const DIRECT_ONLY = ['url', 'headers', 'fetch', 'resource', 'timeoutMs', 'clock'] as const;

interface Check {
  readonly expected: string;
  /** What came may be shown. URLs, headers and the like may hold keys. */
  readonly isWord?: true;
  isRight(value: unknown): boolean;
}

const isBoolean: Check = {
  expected: 'a boolean',
  isRight: (value) => typeof value === 'boolean',
};

/** One for each option. */
export const CHECKS: ReadonlyMap<string, Check> = new Map([
  ['url', { expected: 'a string', isRight: (value) => typeof value === 'string' }],
  ['headers', { expected: 'an object of header values', isRight: areHeaders }],
  ['fetch', { expected: 'a function', isRight: (value) => typeof value === 'function' }],
  ['clock', has('now', 'wallNow', 'setTimeout', 'clearTimeout')],
  ['timeoutMs', { expected: 'a number of milliseconds above 0', isRight: isTimeout }],
  ['resource', { expected: 'an object of strings, numbers and booleans', isRight: areAttributes }],
  ['api', { expected: 'the module @opentelemetry/api', isRight: isApi }],
  ['tracerProvider', has('getTracer')],
  ['meterProvider', has('getMeter')],
  ['loggerProvider', has('getLogger')],
  ['semconv', oneOf('latest', 'v1.41', 'both')],
  ['spans', oneOf('operation+attempts', 'operation', false)],
  ['metrics', isBoolean],
  ['logs', isBoolean],
  ['captureContent', isBoolean],
]);

function oneOf(...values: ReadonlyArray<string | false>): Check {
  const expected = values.map((value) => (value === false ? 'false' : `"${value}"`)).join(' or ');
  return {
    expected,
    isWord: true,
    isRight: (value) => values.some((each) => each === value),
  };
}

function has(...methods: readonly string[]): Check {
  return {
    expected: `an object with ${methods.join(', ')}`,
    isRight: (value) =>
      isObject(value) && methods.every((name) => typeof value[name] === 'function'),
  };
}

function isApi(value: unknown): boolean {
  return (
    isObject(value) &&
    has('getTracer').isRight(value['trace']) &&
    has('getMeterProvider').isRight(value['metrics']) &&
    (value['logs'] === undefined || has('getLogger').isRight(value['logs']))
  );
}

function isTimeout(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 2 ** 31;
}

function areAttributes(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.values(value).every((each) => ['string', 'number', 'boolean'].includes(typeof each))
  );
}

function areHeaders(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(([name, text]) => isHeader(name, text));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function needs(
  options: OtlpSinkOptions,
  option: 'spans' | 'metrics' | 'logs',
  target: unknown,
  what: string,
): void {
  const wanted = options[option];
  if (wanted !== undefined && wanted !== false && target === undefined) {
    refuse(`${option} needs ${what}`);
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w.+-]{0,32}$/.test(value) ? `"${value}"` : typeof value;
}

function refuse(message: string): never {
  throw new RouterError('ERR_OPTIONS', `otlpSink: ${message}`);
}
