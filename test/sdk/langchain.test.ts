import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { afterAll, describe, expect, test } from 'vitest';
import { createStage, eventsOf, expectSame, outcomeOf, type Fetch } from './parity.ts';
import { grouped, recordedCalls, sampled, type RecordedCall } from './recorded-calls.ts';

const calls = recordedCalls(
  ({ provider }) => ['openai', 'deepseek', 'groq'].includes(provider),
  /\/(?:chat\/completions|responses|embeddings)$/,
);
const stage = createStage();
afterAll(() => stage[Symbol.asyncDispose]());

function called({ baseURL, path, body, recording }: RecordedCall, fetch: Fetch): Promise<unknown> {
  const options = {
    apiKey: 'test',
    model: String(body['model']),
    maxRetries: 0,
    configuration: { baseURL, fetch, logLevel: 'off' as const },
  };
  return outcomeOf(async () => {
    if (path === '/embeddings') return new OpenAIEmbeddings(options).embedQuery('Hi');
    const model = new ChatOpenAI({ ...options, useResponsesApi: path === '/responses' });
    if (!recording.stream) return (await model.invoke('Hi', { runId: RUN })).toDict();
    const { events, error } = await eventsOf(await model.stream('Hi', { runId: RUN }));
    return { chunks: events.map((chunk) => chunk.toDict()), error };
  });
}

/** Messages without an id of their own are named after the run. */
const RUN = '00000000-0000-4000-8000-000000000000';

describe(
  'the @langchain/openai package gives the same through a router',
  { timeout: 30_000 },
  () => {
    test.each(grouped(sampled(calls, 150)))('%s', async (_name, group) => {
      for (const call of group) await expectSame(stage, call, called);
    });

    test('nearly all of it was data, not errors', () => {
      expect(stage.readable).toBeGreaterThan(0.8);
    });
  },
);
