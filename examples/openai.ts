/** The OpenAI SDK: an answer as a whole, then a streamed one after a tool call. Each leaves a record of its tokens and cost. */
import OpenAI from 'openai';
import { createRouter } from 'tokenrouter';
import { replayFetch } from 'tokenrouter/testing';

// Recorded answers stand in for the network here; leave `fetch` out to go there.
const recorded = new URL('../test/fixtures/interactions/openai.jsonl', import.meta.url);
const router = createRouter({ fetch: replayFetch(recorded) });
router.on('usage', ({ responseModel, stream, usage: { inputTokens, outputTokens }, cost }) => {
  console.log(
    `  ${responseModel} stream=${stream} in=${inputTokens.total} out=${outputTokens.total} $${cost.usd}`,
  );
});
const client = new OpenAI({ apiKey: 'not-needed-here', fetch: router.fetch });

const answer = await client.chat.completions.create({
  model: 'gpt-4.1-nano',
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
});
console.log(answer.choices[0]?.message.content);

const number = (description: string): object => ({ type: 'number', description });
const add = { name: 'add', arguments: '{"x":3,"y":4}' };
const stream = await client.chat.completions.create({
  model: 'gpt-5-nano',
  max_completion_tokens: 4096,
  messages: [
    {
      role: 'system',
      content: [{ type: 'text', text: 'Use the add tool to answer arithmetic questions.' }],
    },
    { role: 'user', content: 'What is 3 + 4?' },
    {
      role: 'assistant',
      tool_calls: [{ id: 'call_REDACTED_1', type: 'function', function: add }],
    },
    { role: 'tool', tool_call_id: 'call_REDACTED_1', content: '7' },
  ],
  tools: [
    {
      type: 'function',
      function: {
        name: 'add',
        description: 'Add x and y together',
        parameters: {
          type: 'object',
          properties: {
            x: number('The first number to add'),
            y: number('The second number to add'),
          },
          required: ['x', 'y'],
        },
      },
    },
  ],
  stream: true,
});
// The host did not ask for the usage of the stream. The router does, and takes that extra chunk out again.
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
console.log();
await router.close();
