/**
 * The part of `@opentelemetry/api` (1.9 or later) that is used, as types of our own: the host hands in its copy. A copy of ours would
 * not see the host's providers when its version is newer.
 */
export interface OpenTelemetryApi {
  readonly trace: TracerProvider;
  readonly metrics: { getMeterProvider(): MeterProvider };
  /** From 1.10 on. */
  readonly logs?: LoggerProvider | undefined;
}

export interface TracerProvider {
  getTracer(name: string): Tracer;
}

export interface MeterProvider {
  getMeter(name: string): Meter;
}

export interface LoggerProvider {
  getLogger(name: string): Logger;
}

export type Attributes = Record<string, string | number | boolean>;

/** Seconds since the epoch, and nanoseconds. Never a plain number: the SDK takes a small one for `performance.now()`. */
export type Time = [seconds: number, nanoseconds: number];

export interface Tracer {
  startSpan(
    name: string,
    options: { kind: number; startTime: Time; attributes: Attributes },
    context: Context,
  ): Span;
}

export interface Span {
  spanContext(): SpanContext;
  setStatus(status: { code: number }): unknown;
  end(time: Time): void;
}

export interface SpanContext {
  traceId: string;
  spanId: string;
  traceFlags: number;
  isRemote?: boolean | undefined;
}

export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
  deleteValue(key: symbol): Context;
}

export interface Meter {
  createCounter(name: string, options: InstrumentOptions): Counter;
  createHistogram(name: string, options: InstrumentOptions): Histogram;
}

export interface InstrumentOptions {
  unit: string;
  description: string;
  valueType: number;
  advice?: { explicitBucketBoundaries?: number[] };
}

export interface Counter {
  add(value: number, attributes: Attributes): void;
}

export interface Histogram {
  record(value: number, attributes: Attributes): void;
}

export interface Logger {
  emit(record: {
    eventName: string;
    timestamp: Time;
    severityNumber: number;
    severityText: string;
    attributes: Attributes;
    context: Context;
  }): void;
}

/** Enumerations of the API, whose numbers never change. */
export const SPAN_KIND_CLIENT = 2;
export const STATUS_ERROR = 2;
export const VALUE_INT = 0;
export const VALUE_DOUBLE = 1;

/** `createContextKey` of the API gives a symbol of the global registry, so that several copies of it understand each other. */
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');

/**
 * A context with nothing in it but this span. Made here because handed-in providers may come without an API; never the active context,
 * which is that of whoever happened to start the delivery.
 */
export function contextOf(parent: SpanContext | undefined): Context {
  const values = new Map<symbol, unknown>();
  if (parent !== undefined) values.set(SPAN_KEY, nonRecordingSpan(parent));
  return context(values);
}

function context(values: ReadonlyMap<symbol, unknown>): Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => context(new Map(values).set(key, value)),
    deleteValue(key): Context {
      const rest = new Map(values);
      rest.delete(key);
      return context(rest);
    },
  };
}

/** What samplers and processors may ask of a parent that is not here. */
function nonRecordingSpan(parent: SpanContext): Readonly<Record<string, () => unknown>> {
  return { spanContext: () => parent, isRecording: () => false };
}
