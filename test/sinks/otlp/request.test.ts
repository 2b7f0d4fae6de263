import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { otlpSink, type OtlpSinkOptions } from '../../../adapters/sinks/otlp/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { startReceiver, TIMEOUT_MS, uid, type Receiver } from './receiver.ts';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver[Symbol.asyncDispose]();
});

const samples = (count: number) => Array.from({ length: count }, () => sampleRecord());
const sinkTo = (options: OtlpSinkOptions = {}) =>
  otlpSink({ url: receiver.url, timeoutMs: TIMEOUT_MS, ...options });

describe('a request', () => {
  test('goes to the endpoints below the URL, with the headers and the resource', async () => {
    const sink = otlpSink({
      url: `${receiver.url}/base/`,
      headers: { 'x-key': 'k' },
      resource: { 'service.name': 'shop', 'deployment.zone': 3 },
      spans: 'operation',
    });
    await sink.write(samples(2));
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/base/v1/logs', '/base/v1/traces']);
    for (const { headers, resource } of receiver.requests) {
      expect(headers['x-key']).toBe('k');
      expect(resource).toEqual({ 'service.name': 'shop', 'deployment.zone': '3' });
    }
  });

  test('goes where the environment says when there is no URL', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-key=from%20env');
    vi.stubEnv('OTEL_SERVICE_NAME', 'shop');
    await otlpSink().write(samples(1));
    expect(receiver.requests).toMatchObject([
      { path: '/v1/logs', resource: { 'service.name': 'shop' } },
    ]);
    expect(receiver.requests[0]!.headers['x-key']).toBe('from env');
  });

  test('is packed when it is large', async () => {
    const sink = sinkTo();
    await sink.write(samples(1));
    await sink.write(samples(200));
    const [small, large] = receiver.requests;
    expect(small!.headers['content-encoding']).toBeUndefined();
    expect(large!.headers['content-encoding']).toBe('gzip');
    expect(large!.bytes).toBeLessThan(large!.items.length * 200);
  });

  test('is one of several when a batch is too large for one', async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [String(i), 'é'.repeat(4_096)]),
    );
    const records = samples(40).map((record) => ({
      ...record,
      context: { priority: 'normal' as const, tags: texts },
    }));
    // The second fails once: only it and what comes after are sent again.
    receiver.answer = (_, number) => (number === 2 ? { status: 503 } : undefined);
    const sink = sinkTo();
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'HTTP_503' });
    const [first] = receiver.requests;
    await sink.write(records);
    expect(receiver.logs.map(uid)).toEqual(records.map(({ id }) => id));
    expect(receiver.requests.length).toBeGreaterThan(3);
    expect(first!.items.length).toBeGreaterThan(5);
  });

  test('goes through the fetch that was given', async () => {
    const urls: unknown[] = [];
    const sink = sinkTo({
      fetch: async (url, init) => {
        urls.push(url);
        return fetch(url, init);
      },
    });
    await sink.write(samples(1));
    expect(urls).toEqual([`${receiver.url}/v1/logs`]);
  });

  test('follows no redirect: its headers are for one receiver', async () => {
    receiver.answer = () => ({ status: 307, headers: { location: `${receiver.url}/v1/logs` } });
    await expect(sinkTo().write(samples(1))).rejects.toMatchObject({ code: 'HTTP_307' });
    expect(receiver.requests).toHaveLength(1);
  });
});
