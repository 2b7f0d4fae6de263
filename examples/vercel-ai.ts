/** The Vercel AI SDK: its providers take a fetch, so one router serves OpenAI, Anthropic and a gateway of your own. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, streamText } from 'ai';
import { createRouter } from 'tokenrouter';
import { replayFetch } from 'tokenrouter/testing';

// Recorded answers stand in for the network here; leave `fetch` out to go there.
const recorded = new URL('../test/fixtures/interactions/', import.meta.url);
const router = createRouter({
  fetch: replayFetch(
    ['openai.jsonl', 'anthropic.jsonl', 'local.jsonl'].map((file) => new URL(file, recorded)),
  ),
});
router.on('usage', ({ provider, responseModel, usage: { inputTokens, outputTokens }, cost }) => {
  const price = cost.usd === null ? 'no price known' : `$${cost.usd}`;
  console.log(
    `  ${provider} ${responseModel} in=${inputTokens.total} out=${outputTokens.total} ${price}`,
  );
});
const openai = createOpenAI({ apiKey: 'not-needed-here', fetch: router.fetch });
const anthropic = createAnthropic({ apiKey: 'not-needed-here', fetch: router.fetch });
const gateway = createOpenAI({
  apiKey: 'not-needed-here',
  baseURL: 'http://localhost:3000/router/v2/openai/v1',
  fetch: router.fetch,
});

const capital = await generateText({
  model: openai.chat('gpt-4.1-nano'),
  prompt: 'What is the capital of France?',
});
console.log(capital.text);

const words = await generateText({
  model: anthropic('claude-haiku-4-5'),
  system: 'You are a concise assistant. Answer directly in plain text.',
  prompt:
    'Repeat exactly these four words, one per line, and nothing else: alpha bravo charlie delta',
  maxOutputTokens: 3,
  temperature: 0,
});
console.log(words.text);

const sum = streamText({ model: gateway.chat('gpt-5-mini'), prompt: 'What is 4200 + 42?' });
for await (const text of sum.textStream) process.stdout.write(text);
console.log();
await router.close();
