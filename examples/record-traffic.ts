/** Records traffic into a fixture file without its secrets, and plays it back without the server. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouter } from 'tokenrouter';
import { recordFetch, replayFetch } from 'tokenrouter/testing';

const answer = {
  id: 'chat-1',
  object: 'chat.completion',
  model: 'house-model',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'Noted, Ms Ada.' }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 14, completion_tokens: 5, total_tokens: 19 },
};
const server = createServer((request, response) => {
  request.resume();
  response.setHeader('content-type', 'application/json').setHeader('set-cookie', 'session=41c7');
  response.end(JSON.stringify(answer));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;

const folder = await mkdtemp(join(tmpdir(), 'tokenrouter-record-'));
const path = join(folder, 'traffic.jsonl');
// Keys, cookies and account ids go in any case; what else must not be kept is yours to say.
const redact = [/Ada/g];
const call = {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    authorization: 'Bearer sk-a-secret-key-1234567890',
  },
  body: JSON.stringify({
    model: 'house-model',
    messages: [{ role: 'user', content: 'I am Ms Ada. My key is sk-a-secret-key-1234567890.' }],
  }),
};

const recording = createRouter({ fetch: recordFetch({ path, redact }) });
await (await recording.fetch(url, call)).text();
await recording.close();
server.close();
const [fixture = ''] = (await readFile(path, 'utf8')).split('\n');
const { request, response } = JSON.parse(fixture);
console.log('authorization:', request.headers.authorization);
console.log('set-cookie:', response.headers['set-cookie']);
console.log('asked:', JSON.parse(request.body).messages[0].content);
console.log('answered:', JSON.parse(response.body).choices[0].message.content);

// The server is gone. A request matches its recording also where that was redacted.
const replaying = createRouter({ fetch: replayFetch(path, { redact }) });
replaying.on('usage', ({ outcome, usage }) => {
  console.log('replayed:', outcome, usage.inputTokens.total, usage.outputTokens.total);
});
await (await replaying.fetch(url, call)).text();
await replaying.close();
await rm(folder, { recursive: true });
