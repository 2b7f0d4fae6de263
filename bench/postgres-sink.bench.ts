/**
 * How many records a second `postgresSink` stores in the PostgreSQL of the tests, one batch after the other over one connection, with
 * its sums and without. Medians over rounds that take turns, and the best round. Other work on the machine disturbs least the
 * processor time, in microseconds a record, of the client and (on Linux, same machine) of the server: `alone` is the rate
 * that both make together, with nobody else.
 *
 *     node --conditions=@tokenrouter/source bench/postgres-sink.bench.ts [rounds] [records a round]
 *
 * Goals: 30,000 records a second with the sums in batches of 1,000, and 50,000 without.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';

import { postgresSink } from '../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../src/testing/sample-record.ts';
import type { UsageRecord } from '../src/types.ts';
import { postgresUrl } from '../test/helpers/services.ts';
import { spread } from './statistics.ts';

const rounds = Number(process.argv[2] ?? 5);
const total = Number(process.argv[3] ?? 20_000);

const variants = [true, false].flatMap((aggregates) =>
  [1_000, 200].map((batchSize) => ({
    aggregates,
    batchSize,
    perSecond: [] as number[],
    clientUs: [] as number[],
    serverUs: [] as number[],
  })),
);

const schema = `tokenrouter_bench_${randomUUID().replaceAll('-', '')}`;
const client = new Client({ connectionString: postgresUrl });
await client.connect();
const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
const pid = rows[0]!.pid;
try {
  for (let round = 0; round <= rounds; round++) {
    for (const variant of variants) {
      const { aggregates, batchSize } = variant;
      const sink = postgresSink({ pool: client, schema, aggregates });
      await sink.write(records(1));
      const batches = Array.from({ length: total / batchSize }, () => records(batchSize));
      const [start, cpu, server] = [performance.now(), process.cpuUsage(), serverMs()];
      for (const batch of batches) await sink.write(batch);
      const ms = performance.now() - start;
      const { user, system } = process.cpuUsage(cpu);
      await client.query(
        `TRUNCATE "${schema}".requests, "${schema}".daily_usage, "${schema}".cache_stats`,
      );
      // The first round warms up.
      if (round === 0) continue;
      variant.perSecond.push((total / ms) * 1_000);
      variant.clientUs.push((user + system) / total);
      variant.serverUs.push(((serverMs() - server) / total) * 1_000);
    }
  }
} finally {
  await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  await client.end();
}

console.log('| sums | batch | records/s | best | client us | server us | alone |');
console.log('|---|--:|--:|--:|--:|--:|--:|');
for (const { aggregates, batchSize, perSecond, clientUs, serverUs } of variants) {
  const [clientMedian, serverMedian] = [spread(clientUs).median, spread(serverUs).median];
  const cells = [
    aggregates ? 'with' : 'without',
    batchSize,
    Math.round(spread(perSecond).median),
    Math.round(Math.max(...perSecond)),
    clientMedian.toFixed(1),
    serverMedian.toFixed(1),
    Math.round(1e6 / (clientMedian + serverMedian)),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

/** 100 users of 20 tenants, each with two models, within a day: 200 rows of `daily_usage`. */
function records(count: number): UsageRecord[] {
  return Array.from({ length: count }, (_, n) => {
    const user = n % 100;
    return sampleRecord({
      startedAt: `2026-01-31T12:00:${String(n % 60).padStart(2, '0')}.000Z`,
      provider: n % 200 < 100 ? 'openai' : 'anthropic',
      responseModel: `model-${n % 200 < 100 ? 'a' : 'b'}`,
      context: {
        priority: 'normal',
        tenant: `tenant-${user % 20}`,
        user: `user-${user}`,
        tags: { feature: 'search' },
      },
    });
  });
}

/** Processor time of the server's process, in milliseconds; not a number where nobody tells. */
function serverMs(): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return NaN;
  }
}
