import { describe, expect, test } from 'vitest';
import { memorySink } from '../../../adapters/sinks/memory.ts';
import { prometheusSink } from '../../../adapters/sinks/prometheus/index.ts';
import { createRouter } from '../../../src/index.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { picoDollars } from '../../../src/util/usd.ts';
import { recordingFolders, recordingsIn, urlOf } from '../../adapters/recordings.ts';
import { sumOf } from './page.ts';

/** The recorded traffic of a folder through a router, into both sinks. */
async function played(folder: URL) {
  const memory = memorySink();
  const prometheus = prometheusSink();
  const recordings = new Map(recordingsIn(folder).map((one) => [one.id, one]));
  const router = createRouter({
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
    sinks: [memory, prometheus],
    fetch: async (_input, init) => {
      const { response, stream } = recordings.get(new Headers(init?.headers).get('x-recording')!)!;
      const type = stream ? 'text/event-stream' : 'application/json';
      const body = Buffer.from(response.body ?? '', response.body_encoding ?? 'utf8');
      return new Response([204, 304].includes(response.status) ? null : body, {
        status: response.status,
        headers: { 'content-type': type, ...response.headers },
      });
    },
  });
  for (const recording of recordings.values()) {
    const { id, request } = recording;
    const method = request?.method ?? 'POST';
    const response = await router.fetch(urlOf(recording), {
      method,
      headers: { 'content-type': 'application/json', ...request?.headers, 'x-recording': id },
      body: method === 'GET' ? null : (request?.body ?? null),
    });
    await response.arrayBuffer();
  }
  await router.close();
  return { records: memory.records, page: prometheus.metrics(), calls: recordings.size };
}

describe.each(recordingFolders)('$name', ({ folder }) => {
  test.skipIf(folder === undefined)(
    'add up on the page to what the records say, to the last pico-dollar',
    async () => {
      const { records, page, calls } = await played(folder!);
      const sum = (read: (record: UsageRecord) => number | undefined): bigint =>
        records.reduce((total, record) => total + BigInt(read(record) ?? 0), 0n);
      const dollars = (read: (record: UsageRecord) => string | null | undefined): bigint =>
        records.reduce((total, record) => total + (picoDollars(read(record)) ?? 0n), 0n);

      expect(sumOf(page, 'requests_total')).toBe(BigInt(calls));
      const input = (type: string): bigint => sumOf(page, 'tokens_total', `type="${type}"`);
      expect(input('cache_read')).toBe(sum(({ usage }) => usage.inputTokens.cacheRead));
      expect(input('cache_write')).toBe(sum(({ usage }) => usage.inputTokens.cacheWrite));
      expect(input('cache_write_1h')).toBe(sum(({ usage }) => usage.inputTokens.cacheWrite1h));
      expect(input('output')).toBe(sum(({ usage }) => usage.outputTokens.total));
      expect(sumOf(page, 'tokens_total') - input('output')).toBe(
        sum(({ usage }) => usage.inputTokens.total),
      );
      expect(sumOf(page, 'reasoning_tokens_total')).toBe(
        sum(({ usage }) => usage.outputTokens.reasoning),
      );
      expect(input('output')).toBeGreaterThan(0n);
      expect(sumOf(page, 'cost_dollars_total', '', 12)).toBe(dollars(({ cost }) => cost.usd));
      expect(
        sumOf(page, 'saved_dollars_total', '', 12) -
          sumOf(page, 'cache_loss_dollars_total', '', 12),
      ).toBe(dollars(({ saved }) => saved.cacheUsd));
    },
    60_000,
  );
});
