/** LangChain: the fetch goes into `configuration`, which is handed on to the OpenAI SDK underneath. */
import { ChatOpenAI } from '@langchain/openai';
import { createRouter } from 'tokenrouter';
import { replayFetch } from 'tokenrouter/testing';

// Recorded answers stand in for the network here; leave `fetch` out to go there.
const recorded = new URL('../test/fixtures/interactions/', import.meta.url);
const router = createRouter({
  fetch: replayFetch(['openai.jsonl', 'local.jsonl'].map((file) => new URL(file, recorded))),
});
router.on('usage', ({ provider, responseModel, stream, usage, cost, context }) => {
  const { inputTokens, outputTokens } = usage;
  const price = cost.usd === null ? 'no price known' : `$${cost.usd}`;
  console.log(
    `  ${context.tags?.['chain']}: ${provider} ${responseModel} stream=${stream} ` +
      `in=${inputTokens.total} out=${outputTokens.total} ${price}`,
  );
});

const model = new ChatOpenAI({
  apiKey: 'not-needed-here',
  model: 'gpt-4o-mini',
  configuration: { fetch: router.fetch },
});
// Every call that the chain makes, however deep, carries the tag.
const greeting = await router.run({ tags: { chain: 'greet' } }, () =>
  model.invoke('Hello, world!'),
);
console.log(greeting.text);

const gateway = new ChatOpenAI({
  apiKey: 'not-needed-here',
  model: 'gpt-5-mini',
  configuration: {
    baseURL: 'http://localhost:3000/router/v2/openai/v1',
    fetch: router.with({ tags: { chain: 'add' } }).fetch,
  },
});
for await (const chunk of await gateway.stream('What is 4200 + 42?')) {
  process.stdout.write(chunk.text);
}
console.log();
await router.close();
