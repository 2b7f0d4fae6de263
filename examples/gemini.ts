/** The Google GenAI SDK: a JSON answer from a thinking model, then the next turn of a streamed conversation. */
import { GoogleGenAI, Type } from '@google/genai';
import { createRouter } from 'tokenrouter';
import { replayFetch } from 'tokenrouter/testing';

// Recorded answers stand in for the network here; leave `fetch` out to go there.
const recorded = new URL('../test/fixtures/interactions/google.jsonl', import.meta.url);
const router = createRouter({ fetch: replayFetch(recorded) });
router.on('usage', ({ responseModel, stream, usage: { inputTokens, outputTokens }, cost }) => {
  console.log(
    `  ${responseModel} stream=${stream} in=${inputTokens.total} out=${outputTokens.total} ` +
      `of it reasoning=${outputTokens.reasoning} $${cost.usd}`,
  );
});
const client = new GoogleGenAI({
  apiKey: 'not-needed-here',
  httpOptions: { apiVersion: 'v1beta', fetch: router.fetch },
});

const root = await client.models.generateContent({
  model: 'gemini-2.5-flash',
  contents: 'What is the square root of 64? Answer with a JSON object with the key `result`.',
  config: {
    responseMimeType: 'application/json',
    responseSchema: { type: Type.OBJECT, properties: { result: { type: Type.NUMBER } } },
  },
});
console.log(root.text);

const stream = await client.models.generateContentStream({
  model: 'gemini-2.5-flash',
  contents: [
    { role: 'user', parts: [{ text: 'Say exactly: "Hello"' }] },
    { role: 'model', parts: [{ text: 'Hello' }] },
    { role: 'user', parts: [{ text: 'Now say exactly: "Goodbye"' }] },
  ],
  config: { maxOutputTokens: 500 },
});
for await (const chunk of stream) console.log(chunk.text);
await router.close();
