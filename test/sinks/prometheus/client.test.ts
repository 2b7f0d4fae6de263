import * as client from '@prometheus-io/client';
import { expect, test } from 'vitest';
import { prometheusSink } from '../../../adapters/sinks/prometheus/index.ts';
import { createRouter } from '../../../src/index.ts';
import { sampleRecord } from '../../../src/testing/index.ts';
import type { RouterView, UsageRecord } from '../../../src/types.ts';
import { readPage } from './page.ts';

const records: readonly UsageRecord[] = [
  sampleRecord(),
  sampleRecord({ provider: 'a"b\\c\nd', stream: true, outcome: 'timeout', attempt: 3 }),
  sampleRecord({ dedupe: { role: 'follower' }, cost: { usd: null, price: 'unpriced' } }),
  sampleRecord({ saved: { cacheUsd: '-0.5', dedupeUsd: '0.25' } }),
];

/** With their labels in one order: clients write `le` first. */
function seriesOf(page: string): Array<[string, number]> {
  return Array.from(readPage(page), ([series, value]): [string, number] => [
    series.replace(/\{(.*)\}$/s, (_all, labels: string) => {
      const pairs = labels.match(/\w+="(?:[^"\\]|\\.)*"/gs) ?? [];
      return `{${pairs.toSorted().join(',')}}`;
    }),
    value,
  ])
    .filter(([series]) => !series.includes('process_'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function view(): RouterView {
  const snapshot = createRouter({ sinks: [] }).snapshot();
  return { snapshot: () => ({ ...snapshot, uptimeMs: 1500 }) };
}

test('the host’s registry shows what the sink’s own page shows, however often it is asked', async () => {
  const register = new client.Registry();
  const own = new client.Counter({ name: 'host_own_total', help: 'x', registers: [register] });
  own.inc();
  const sink = prometheusSink({ client: { ...client, register }, models: ['gpt-4o-mini'] });
  sink.attach(view());
  await sink.write(records);
  await register.metrics();
  await sink.write(records);
  const page = await register.metrics();
  expect(page).toContain('host_own_total 1');
  expect(seriesOf(page.replace('host_own_total 1\n', ''))).toEqual(seriesOf(sink.metrics()));
  expect(await register.metrics()).toContain('tokenrouter_uptime_seconds 1.5');
});

test('routers are asked once a page', async () => {
  const register = new client.Registry();
  const sink = prometheusSink({ client: { ...client, register } });
  const { snapshot } = view();
  let asked = 0;
  sink.attach({ snapshot: () => (asked++, snapshot()) });
  asked = 0;
  await register.metrics();
  expect(asked).toBe(1);
  await register.metrics();
  expect(asked).toBe(2);
});

test('what is not known is not 0', async () => {
  const register = new client.Registry();
  prometheusSink({ client: { ...client, register } });
  const page = readPage(await register.metrics());
  expect([...page.keys()].filter((series) => !series.includes('process_'))).toEqual([]);
});

test('values beyond what a double holds do not break the host’s page', async () => {
  const register = new client.Registry();
  const sink = prometheusSink({ client: { ...client, register } });
  await sink.write([
    sampleRecord({ cost: { usd: '9'.repeat(400), price: 'exact' } }),
    sampleRecord({ timing: { queuedMs: NaN, heldMs: 0, durationMs: Infinity } }),
  ]);
  await expect(register.metrics()).resolves.toContain('tokenrouter_requests_total{');
});

test('a name that is taken is an error, and nothing is registered', () => {
  const register = new client.Registry();
  register.registerMetric(
    new client.Gauge({ name: 'tokenrouter_uptime_seconds', help: 'x', registers: [] }),
  );
  expect(() => prometheusSink({ client: { ...client, register } })).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTIONS',
      message: expect.stringContaining('tokenrouter_uptime_seconds'),
    }),
  );
  expect(register.getMetricsAsArray()).toHaveLength(1);
  prometheusSink({ client: { ...client, register }, prefix: 'other' });
});

test('a sink takes the names of one that is closed, and not before', async () => {
  const register = new client.Registry();
  const hosts = { ...client, register };
  const first = prometheusSink({ client: hosts });
  await first.write(records);
  expect(() => prometheusSink({ client: hosts })).toThrow(/a metric tokenrouter_/);
  await first.close?.();
  // The last numbers stay until then, for whoever still asks.
  expect(await register.metrics()).toContain('tokenrouter_requests_total{');
  const second = prometheusSink({ client: hosts });
  await second.write([sampleRecord({ provider: 'anthropic' })]);
  const page = await register.metrics();
  expect(page).toContain('provider="anthropic"');
  expect(page).not.toContain('provider="openai"');
});

test('another content type of the registry is the client’s affair', async () => {
  const register = new client.Registry<client.OpenMetricsContentType>(
    client.openMetricsContentType,
  );
  const sink = prometheusSink({ client: { ...client, register } });
  await sink.write([sampleRecord()]);
  const page = await register.metrics();
  expect(page).toMatch(/^tokenrouter_requests_total\{.*\} 1$/m);
  expect(page).not.toContain('_total_total');
});
