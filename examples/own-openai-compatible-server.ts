/** A server of one's own that speaks the chat completions format: its name and its price stand in the records. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { createRouter } from 'tokenrouter';
import { openaiCompatible } from 'tokenrouter/adapters/openai-compatible';

const head = { id: 'chat-1', created: 0, model: 'house-model' };
const usage = {
  prompt_tokens: 1200,
  completion_tokens: 3,
  total_tokens: 1203,
  prompt_tokens_details: { cached_tokens: 1000 },
};
const server = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += String(piece);
  if (!body.includes('"stream":true')) {
    const message = { role: 'assistant', content: 'Good day.' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  const send = (event: object): boolean =>
    response.write(
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...event })}\n\n`,
    );
  for (const content of ['Good', ' day', '.'])
    send({ choices: [{ index: 0, delta: { content } }] });
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  // As OpenAI does: only for those who ask. The caller below does not, the router does.
  if (body.includes('"include_usage":true')) send({ choices: [], usage });
  response.end('data: [DONE]\n\n');
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const baseURL = `http://127.0.0.1:${port}/v1`;

const router = createRouter({
  adapters: [openaiCompatible({ baseURL, provider: 'house', streamUsage: 'ask' })],
  prices: [
    {
      provider: 'house',
      model: 'house-model',
      inputUsdPerMTok: '0.5',
      cacheReadUsdPerMTok: '0.05',
      outputUsdPerMTok: '1.5',
    },
  ],
});
router.on('usage', ({ provider, stream, usage: { inputTokens }, cost, saved }) => {
  console.log(
    `  ${provider} stream=${stream} uncached=${inputTokens.uncached} cacheRead=${inputTokens.cacheRead} ` +
      `$${cost.usd}, the cache saved $${saved.cacheUsd}`,
  );
});
const client = new OpenAI({ apiKey: 'not-needed-here', baseURL: baseURL, fetch: router.fetch });
const request = { model: 'house-model', messages: [{ role: 'user' as const, content: 'Hello' }] };

const answer = await client.chat.completions.create(request);
console.log(answer.choices[0]?.message.content);
const stream = await client.chat.completions.create({ ...request, stream: true });
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
console.log();
await router.close();
server.close();
