/**
 * Kills a process that makes calls, again and again, and compares what its host saw finish with what is in PostgreSQL in the
 * end. A kill comes at a random request, so at any moment of other calls' lives.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { createDelivery } from '../../../src/delivery/delivery.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { systemRandom } from '../../../src/util/random.ts';

export interface CrashOptions {
  readonly durability: 'batched' | 'process' | 'disk';
  readonly rounds: number;
  readonly postgresUrl: string;
  /** Of the tables; made and removed. */
  readonly schema: string;
  /** Harms the database, in the middle of a round. Resolves when it is up again. Default: ends the sink's connections. */
  readonly harm?: (() => Promise<void>) | undefined;
  readonly onRound?: ((round: number, calls: number) => void) | undefined;
}

/** What the child gets. */
export interface CrashJob {
  readonly durability: CrashOptions['durability'];
  readonly postgresUrl: string;
  readonly schema: string;
  readonly spoolDir: string;
  readonly origin: string;
  readonly finishedFile: string;
}

export interface CrashResult {
  /** Calls that the hosts saw finish. */
  readonly finished: number;
  /** How many of them are not in the database, for each round. */
  readonly missing: readonly number[];
  /** The longest time between the end of a missing call and that of the last call of its round. */
  readonly windowMs: number;
  /** Rows of the database. */
  readonly stored: number;
  /** Rows beyond the first of a call, and calls beyond those rows in the daily sums. */
  readonly twice: number;
}

/** The answer to call number `id`, whose header is kept in the record. */
const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-mini-2024-07-18',
  choices: [
    { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello there.' } },
  ],
  usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
});

export async function crashRounds(options: CrashOptions): Promise<CrashResult> {
  const { rounds, schema, postgresUrl, onRound } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-crash-'));
  let requests = 0;
  let onRequest = (): void => undefined;
  const provider = createServer((request, response) => {
    request.resume().on('end', () => {
      const id = String(++requests);
      onRequest();
      response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': id });
      response.end(ANSWER);
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const admin = new pg.Pool({ connectionString: postgresUrl, max: 1 });
  admin.on('error', () => undefined);
  const harm = options.harm ?? (() => endConnections(admin, schema));
  const files: string[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const finishedFile = join(folder, `finished-${round}`);
      appendFileSync(finishedFile, '');
      files.push(finishedFile);
      const job: CrashJob = {
        durability: options.durability,
        postgresUrl,
        schema,
        spoolDir: join(folder, 'spool'),
        origin,
        finishedFile,
      };
      const from = requests;
      const harmAt = from + 50 + Math.floor(Math.random() * 200);
      const killAt = from + 50 + Math.floor(Math.random() * 400);
      let harming: Promise<void> = Promise.resolve();
      const child = spawn(
        process.execPath,
        [
          '--conditions=@tokenrouter/source',
          join(import.meta.dirname, 'child.ts'),
          JSON.stringify(job),
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
      const gone = once(child, 'exit');
      onRequest = () => {
        if (requests === harmAt) harming = harm();
        if (requests === killAt) child.kill('SIGKILL');
      };
      const [, signal] = await gone;
      onRequest = () => undefined;
      if (signal !== 'SIGKILL') throw new Error('The child ended by itself.');
      await harming;
      onRound?.(round, requests - from);
    }
    await deliverTheRest(postgresUrl, schema, join(folder, 'spool'));
    const { stored, twice, ids } = await whatIsStored(admin, schema);
    const finished = files.map(callsIn);
    const missing = finished.map((calls) => calls.filter(({ id }) => !ids.has(id)));
    const windows = missing.flatMap((calls, round) =>
      calls.map(({ endedAt }) => (finished[round]?.at(-1)?.endedAt ?? 0) - endedAt),
    );
    return {
      finished: finished.flat().length,
      missing: missing.map((calls) => calls.length),
      windowMs: Math.max(0, ...windows),
      stored,
      twice,
    };
  } finally {
    await admin.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    await admin.end();
    provider.closeAllConnections();
    await new Promise((resolve) => provider.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}

function callsIn(file: string): Array<{ readonly id: string; readonly endedAt: number }> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [id = '', endedAt] = line.split(' ');
    return { id, endedAt: Number(endedAt) };
  });
}

async function endConnections(admin: pg.Pool, schema: string): Promise<void> {
  await admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
    [schema],
  );
}

/** The next process: takes over what the last ones left. */
async function deliverTheRest(url: string, schema: string, spoolDir: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => undefined);
  const delivery = createDelivery({
    sinks: [postgresSink({ pool, schema })],
    clock: systemClock,
    random: systemRandom,
    durability: 'process',
    spoolDir,
  });
  await delivery.close({ timeoutMs: 60_000 });
  await pool.end();
  const { sinks } = delivery.snapshot();
  const pending = sinks[0]?.pending;
  if (pending !== 0) throw new Error(`${pending} records could not be delivered in a minute.`);
}

async function whatIsStored(
  admin: pg.Pool,
  schema: string,
): Promise<{ stored: number; twice: number; ids: Set<string> }> {
  const { rows } = await admin.query<{ id: string }>(
    `SELECT provider_request_id AS id FROM "${schema}".requests WHERE provider_request_id IS NOT NULL`,
  );
  const all = await admin.query<{ rows: string; calls: string }>(
    `SELECT (SELECT count(*) FROM "${schema}".requests) AS rows, (SELECT sum(calls) FROM "${schema}".daily_usage) AS calls`,
  );
  const ids = new Set(rows.map(({ id }) => id));
  const counts = all.rows[0];
  const stored = Number(counts?.rows);
  return { stored, twice: rows.length - ids.size + Math.abs(Number(counts?.calls) - stored), ids };
}
