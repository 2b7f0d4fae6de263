/** The Anthropic SDK: a client that one already has, a tool call with its result, and a stream from a gateway with its own price. */
import Anthropic from '@anthropic-ai/sdk';
import { createRouter } from 'tokenrouter';
import { replayFetch } from 'tokenrouter/testing';

// Recorded answers stand in for the network here; leave `fetch` out to go there.
const recorded = new URL('../test/fixtures/interactions/', import.meta.url);
const router = createRouter({
  fetch: replayFetch(['anthropic.jsonl', 'local.jsonl'].map((file) => new URL(file, recorded))),
  prices: [
    { provider: 'localhost', model: 'claude-haiku-4-5', inputUsdPerMTok: 1, outputUsdPerMTok: 5 },
  ],
});
router.on('usage', ({ provider, responseModel, stream, usage, cost }) => {
  const { inputTokens, outputTokens } = usage;
  console.log(
    `  ${provider} ${responseModel} stream=${stream} in=${inputTokens.total} out=${outputTokens.total} $${cost.usd}`,
  );
});
const client = router.wrap(new Anthropic({ apiKey: 'not-needed-here' }));

const system =
  'When the user reports their status, call `notify` with a short summary. Do not answer with any normal assistant ' +
  'text before or after the tool call. Once the tool result is available, the assistant turn is complete and you must ' +
  'end the turn with no content.';
const request: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  system: [{ type: 'text', text: system }],
  tools: [
    {
      name: 'notify',
      description: 'Send a short notification for a user status update.',
      input_schema: {
        type: 'object',
        properties: { msg: { type: 'string', description: 'The short notification to send.' } },
        required: ['msg'],
      },
    },
  ],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'I finished the deploy.' }] }],
};
const first = await client.messages.create(request);
const call = first.content.find((block) => block.type === 'tool_use');
if (call === undefined) throw new Error('expected a tool call');
const { type, id, name, input } = call;
console.log(`${name}(${JSON.stringify(input)})`);

const content = [{ type: 'text' as const, text: 'sent: Deploy finished.' }];
request.messages.push(
  { role: 'assistant', content: [{ type, id, name, input }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content }] },
);
const second = await client.messages.create(request);
console.log(second.stop_reason);

const gateway = client.withOptions({ baseURL: 'http://localhost:3000/router/v2/anthropic' });
const stream = gateway.messages.stream({
  model: 'claude-haiku-4-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'What is 4200 + 42? Answer with just the number.' }],
});
stream.on('text', (text) => process.stdout.write(text));
await stream.finalMessage();
console.log();
await router.close();
