/** A sink of one's own: a CSV file. The last lines run the contract that every sink keeps; in a project they are a test. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { createRouter, type Sink } from 'tokenrouter';
import { replayFetch, sinkContract } from 'tokenrouter/testing';

/** Appends a line per record. After a crash a line may come twice; readers keep the first line of each id. */
function csvSink(path: string): Sink {
  let closed = false;
  return {
    name: 'csv',
    async write(records) {
      if (closed) throw new Error('csvSink: write after close');
      const lines = records.map(({ id, startedAt, responseModel = '', usage, cost }) =>
        [id, startedAt, responseModel, usage.inputTokens.total, usage.outputTokens.total, cost.usd]
          .map((value) => JSON.stringify(value ?? ''))
          .join(','),
      );
      // It rejects when the disk is full: the router keeps the batch and tries again.
      if (lines.length > 0) await appendFile(path, `${lines.join('\n')}\n`);
    },
    async close() {
      closed = true;
    },
  };
}

const folder = await mkdtemp(join(tmpdir(), 'tokenrouter-own-sink-'));
const path = join(folder, 'usage.csv');
const recorded = new URL('../test/fixtures/interactions/openai.jsonl', import.meta.url);
const router = createRouter({ fetch: replayFetch(recorded), sinks: [csvSink(path)] });
const client = new OpenAI({ apiKey: 'not-needed-here', fetch: router.fetch });
await client.chat.completions.create({
  model: 'gpt-4.1-nano',
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
});
await router.close();
console.log(await readFile(path, 'utf8'));

let made = 0;
const contract = sinkContract({
  async create() {
    const file = join(folder, `contract-${made++}.csv`);
    const readAll = async (): Promise<string[]> => {
      const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
      return [...new Set(lines.map((line) => line.slice(1, line.indexOf('"', 1))))];
    };
    return { sink: csvSink(file), readAll, dispose: () => rm(file, { force: true }) };
  },
});
for (const { run } of contract) await run();
console.log(`keeps all ${contract.length} promises of a sink`);
await rm(folder, { recursive: true });
