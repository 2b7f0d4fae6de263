/**
 * What a project does that has installed the package: it imports every entry and sends three calls to a local server. Type-checked and
 * run against the packed tarball by scripts/smoke-tarball.ts, under every Node that is supported.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createRouter, isRouterError, usageRecordSchema, type UsageRecord } from 'tokenrouter';
import { anthropic } from 'tokenrouter/adapters/anthropic';
import { bedrock } from 'tokenrouter/adapters/bedrock';
import { cohere } from 'tokenrouter/adapters/cohere';
import { deepseek } from 'tokenrouter/adapters/deepseek';
import { gemini } from 'tokenrouter/adapters/gemini';
import { nvidia } from 'tokenrouter/adapters/nvidia';
import { ollama } from 'tokenrouter/adapters/ollama';
import { openai } from 'tokenrouter/adapters/openai';
import { openaiCompatible } from 'tokenrouter/adapters/openai-compatible';
import { fileSink } from 'tokenrouter/sinks/file';
import { memorySink } from 'tokenrouter/sinks/memory';
import { sqliteSink } from 'tokenrouter/sinks/sqlite';
import { createVirtualClock } from 'tokenrouter/testing';

const usage = { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };
const head = { id: 'chatcmpl-1', created: 1, model: 'gpt-4.1-mini' };
const answer = JSON.stringify({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi.' }, finish_reason: 'stop' }],
  usage,
});
const frames = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }] },
  { choices: [{ index: 0, delta: { content: '.' }, finish_reason: 'stop' }] },
].map(
  (frame) => `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...frame })}\n\n`,
);
const usageFrame = `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\n`;
const done = 'data: [DONE]\n\n';

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += String(piece);
  if (!text.includes('"stream":true')) {
    response.setHeader('content-type', 'application/json').end(answer);
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  for (const frame of frames) response.write(frame);
  if (text.includes('"include_usage":true') && !text.includes('no usage'))
    response.write(usageFrame);
  response.end(done);
}
const server = createServer((request, response) => void serve(request, response));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-consumer-'));
const memory = memorySink();
const lines = join(folder, 'usage.jsonl');
const table = join(folder, 'usage.db');
const baseURL = `http://127.0.0.1:${port}/v1`;
const router = createRouter({
  adapters: [openaiCompatible({ provider: 'local', baseURL }), openai()],
  sinks: [memory, fileSink({ path: lines }), sqliteSink({ path: table })],
});

async function complete(body: object): Promise<string> {
  const response = await router.fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer local' },
    body: JSON.stringify({ model: 'gpt-4.1-mini', ...body }),
  });
  assert.equal(response.status, 200);
  return response.text();
}

const messages = [{ role: 'user', content: 'Say hi.' }];
assert.equal(await complete({ messages }), answer);
assert.equal(await complete({ stream: true, messages }), `${frames.join('')}${done}`);
const silent = [{ role: 'user', content: 'Say hi, no usage.' }];
assert.equal(await complete({ stream: true, messages: silent }), `${frames.join('')}${done}`);
await router.flush();

const records: readonly UsageRecord[] = memory.records;
assert.deepEqual(
  records.map(({ final, outcome, provider, stream }) => [final, outcome, provider, stream]),
  [
    [true, 'ok', 'local', false],
    [true, 'ok', 'local', true],
    [true, 'ok', 'local', true],
  ],
);
assert.deepEqual(
  records
    .slice(0, 2)
    .map((record) => [
      record.usage.grade,
      record.usage.inputTokens.total,
      record.usage.outputTokens.total,
    ]),
  [
    ['exact', 11, 3],
    ['exact', 11, 3],
  ],
);
// Counted here, with the tokenizer that is loaded only now.
assert.equal(records[2]?.usage.grade, 'estimated');
assert.equal(records[2].usage.outputTokens.total, 2);
for (const record of records) usageRecordSchema.parse(record);

const ids = records.map(({ id }) => id);
const written = readFileSync(lines, 'utf8').trim().split('\n');
assert.deepEqual(
  written.map((line) => usageRecordSchema.parse(JSON.parse(line)).id),
  ids,
);
await router.close();
const database = new DatabaseSync(table);
assert.deepEqual(
  database
    .prepare('SELECT id FROM usage_records ORDER BY rowid')
    .all()
    .map(({ id }) => id),
  ids,
);
database.close();

const book = memorySink();
const priced = createRouter({
  fetch: async () => new Response(answer, { headers: { 'content-type': 'application/json' } }),
  sinks: [book],
});
const response = await priced.fetch('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'gpt-4.1-mini', messages }),
});
assert.equal(await response.text(), answer);
await priced.close();
assert.equal(book.records[0]?.provider, 'openai');
assert.match(book.records[0].cost.usd ?? 'unpriced', /^0\.0000\d+$/);

const others = [anthropic, bedrock, cohere, deepseek, gemini, nvidia, ollama].map((make) => make());
assert.equal(new Set(others.map(({ name }) => name)).size, others.length);
assert.equal(typeof createVirtualClock().now(), 'number');
assert.throws(
  () => createRouter({ sinks: 'none' } as unknown as Parameters<typeof createRouter>[0]),
  (error) => isRouterError(error) && error.code === 'ERR_OPTIONS',
);

server.close();
rmSync(folder, { recursive: true, force: true });
console.log(`Node ${process.version}: three calls, three sinks, ${others.length + 2} adapters`);
