/**
 * The process that is killed: `child.ts <job as JSON>`. Makes calls through a router as fast as it can and writes down, one line
 * each and before anything else, which ones its host saw finish.
 */
import { openSync, writeSync } from 'node:fs';
import pg from 'pg';

import { openai } from '../../../adapters/openai/index.ts';
import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { createRouter } from '../../../src/router.ts';
import type { CrashJob } from './rounds.ts';

const CALLS_AT_ONCE = 8;

const job = JSON.parse(process.argv[2] ?? '') as CrashJob;
const finished = openSync(job.finishedFile, 'a');
const pool = new pg.Pool({ connectionString: job.postgresUrl, application_name: job.schema });
pool.on('error', () => undefined);
const baseURL = `${job.origin}/v1`;
const router = createRouter({
  adapters: [openai({ baseURL })],
  dedupe: { mode: 'off' },
  limits: [{ adaptive: false }],
  sinks: [postgresSink({ pool, schema: job.schema })],
  delivery: {
    batchSize: 50,
    flushIntervalMs: 20,
    durability: job.durability,
    spoolDir: job.spoolDir,
  },
});

async function callOn(): Promise<never> {
  for (;;) {
    const response = await router.fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}',
    });
    await response.text();
    writeSync(finished, `${response.headers.get('x-request-id')} ${performance.now()}\n`);
  }
}

for (let i = 0; i < CALLS_AT_ONCE; i++) void callOn();
