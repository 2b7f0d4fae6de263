import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import {
  generateText,
  jsonSchema,
  stepCountIs,
  streamText,
  tool,
  type LanguageModel,
  type ToolSet,
} from 'ai';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSeededRandom } from '../../src/testing/index.ts';
import {
  createStage,
  errorFacts,
  eventsOf,
  expectSame,
  headerFacts,
  outcomeOf,
  type Fetch,
} from './parity.ts';
import { openaiCalls } from './openai-calls.ts';
import { grouped, recordedCalls, sampled, type RecordedCall } from './recorded-calls.ts';

const calls = recordedCalls(
  ({ provider }) => provider === 'openai' || provider === 'anthropic',
  /\/(?:chat\/completions|responses|messages)$/,
);
const stage = createStage();
afterAll(() => stage[Symbol.asyncDispose]());

// The package warns on the console of settings that a model does not take.
beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());
afterEach(() => void vi.restoreAllMocks());

function modelFor(
  { baseURL, path, body }: RecordedCall,
  fetch: Fetch,
): Exclude<LanguageModel, string> {
  const name = String(body['model']);
  if (path === '/messages') return createAnthropic({ apiKey: 'test', baseURL, fetch })(name);
  const provider = createOpenAI({ apiKey: 'test', baseURL, fetch });
  return path === '/responses' ? provider.responses(name) : provider.chat(name);
}

/** One call below the package's own loop, so that every recorded answer will do: any prompt gets it. */
function called(call: RecordedCall, fetch: Fetch): Promise<unknown> {
  // The package makes up ids for what has none.
  vi.spyOn(Math, 'random').mockImplementation(createSeededRandom(1));
  const model = modelFor(call, fetch);
  const options = {
    prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hi' }] }],
  };
  return outcomeOf(async () => {
    if (!call.recording.stream) {
      const { response, ...rest } = await model.doGenerate(options);
      return { ...rest, response: { ...response, headers: headerFacts(response?.headers ?? {}) } };
    }
    const { stream, response } = await model.doStream(options);
    const { events, error } = await eventsOf<{ type: string; error?: unknown }>(stream);
    const comparable = events.map((event) =>
      event.type === 'error' ? { ...event, error: errorFacts(event.error) } : event,
    );
    return { events: comparable, error, headers: headerFacts(response?.headers ?? {}) };
  });
}

describe('the ai packages give the same through a router', { timeout: 30_000 }, () => {
  test.each(grouped(sampled(calls, 250)))('%s', async (_name, group) => {
    for (const call of group) await expectSame(stage, call, called);
  });

  test('nearly all of it was data, not errors', () => {
    expect(stage.readable).toBeGreaterThan(0.8);
  });
});

describe('a loop over tool calls in the ai package', () => {
  const answers = (stream: boolean, finish: string): RecordedCall[] =>
    openaiCalls.filter(
      ({ path, recording: { stream: streamed, response } }) =>
        path === '/chat/completions' &&
        streamed === stream &&
        /"usage": ?\{/.test(response.body ?? '') &&
        new RegExp(`"finish_reason": ?"${finish}"`).test(response.body ?? ''),
    );

  /** Tools that answer nothing of interest, by the names that the recorded request gave them. */
  function toolsOf({ body }: RecordedCall): ToolSet {
    const listed = (body['tools'] ?? []) as ReadonlyArray<{ function?: { name: string } }>;
    return Object.fromEntries(
      listed.map(({ function: { name } = { name: 'unnamed' } }) => [
        name,
        tool({ inputSchema: jsonSchema({ type: 'object' }), execute: () => 'done' }),
      ]),
    );
  }

  test.each([false, true])('gives the same through a router, stream: %s', async (stream) => {
    const [asks] = answers(stream, 'tool_calls');
    const [tells] = answers(stream, 'stop');
    const run = async (fetch: Fetch): Promise<unknown> => {
      vi.spyOn(Math, 'random').mockImplementation(createSeededRandom(1));
      const options = {
        model: modelFor(asks!, fetch),
        prompt: 'Hi',
        tools: toolsOf(asks!),
        stopWhen: stepCountIs(2),
        maxRetries: 0,
      };
      const result = stream ? streamText(options) : await generateText(options);
      const steps = await result.steps;
      return steps.map(({ content, finishReason, usage }) => ({ content, finishReason, usage }));
    };
    const seen = await stage.bothWays([asks!.recording, tells!.recording], run);
    expect(seen.routed).toStrictEqual(seen.direct);
    expect(seen.routed).toMatchObject([{ finishReason: 'tool-calls' }, { finishReason: 'stop' }]);
    expect(seen.records.map(({ outcome, usage }) => [outcome, usage.grade])).toEqual([
      ['ok', 'exact'],
      ['ok', 'exact'],
    ]);
  });
});
