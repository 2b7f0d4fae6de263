import * as api from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';

import { otlpSink, type OtlpSinkOptions } from '../../../adapters/sinks/otlp/index.ts';

const tracerProvider = api.trace;
const meterProvider = api.metrics;
const loggerProvider = api.logs;

describe('otlpSink refuses', () => {
  test.each([
    [{ urls: 'http://a' }, /unknown option urls/],
    [{ url: 1 }, /url must be a string, got number/],
    [{ url: 'otel' }, /url must be an http or https URL/],
    [{ headers: 'KEY' }, /headers must be an object of header values, got string/],
    [{ resource: 'KEY' }, /resource must be an object of strings.*, got string/],
    [{ headers: { a: 1 } }, /headers must be an object of header values/],
    [{ headers: { a: 'KEY\nx' } }, /headers must be/],
    [{ headers: { 'a b': 'KEY' } }, /headers must be/],
    [{ fetch: 'x' }, /fetch must be a function/],
    [{ clock: {} }, /clock must be an object with now/],
    [{ timeoutMs: 0 }, /timeoutMs must be/],
    [{ timeoutMs: 2 ** 31 }, /timeoutMs must be/],
    [{ resource: { a: {} } }, /resource must be/],
    [{ api: {} }, /api must be the module @opentelemetry\/api/],
    [{ tracerProvider: {} }, /tracerProvider must be an object with getTracer/],
    [{ meterProvider: 'x' }, /meterProvider must be/],
    [{ loggerProvider: null }, /loggerProvider must be/],
    [{ semconv: 'v1.40' }, /semconv must be "latest" or "v1.41" or "both", got "v1.40"/],
    [{ spans: true }, /spans must be "operation\+attempts" or "operation" or false, got boolean/],
    [{ metrics: 'yes' }, /metrics must be a boolean/],
    [{ captureContent: 1 }, /captureContent must be a boolean/],
    [{ metrics: true }, /metrics needs api or meterProvider/],
    [{ logs: false }, /nothing to send/],
    [{ api, url: 'http://a' }, /url is not used with api/],
    [{ loggerProvider, resource: {} }, /resource is not used with loggerProvider/],
    [{ meterProvider, spans: 'operation' }, /spans needs api or tracerProvider/],
    [{ tracerProvider, metrics: true }, /metrics needs api or meterProvider/],
    [{ tracerProvider, logs: true }, /logs needs loggerProvider/],
  ])('%o', (options, message) => {
    const make = () => otlpSink(options as OtlpSinkOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
    expect(make).toThrow(message);
    expect(make).not.toThrow(/KEY/);
  });

  test.each([
    {},
    { url: 'http://a', headers: {}, fetch, resource: {}, timeoutMs: 1 },
    { url: undefined, spans: undefined },
    { logs: false, spans: 'operation' },
    { api },
    { api, spans: false, metrics: false, logs: true },
    { tracerProvider, meterProvider, loggerProvider, semconv: 'both' },
    { tracerProvider },
    { tracerProvider, metrics: false, logs: false },
  ] as const satisfies readonly OtlpSinkOptions[])('but not %o', (options) => {
    expect(otlpSink(options).name).toBe('otlp');
  });
});
