import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../src/testing/index.ts';
import type { SimulateOptions } from '../../../src/testing/index.ts';
import { finish, listed, post, writtenTokens } from './helpers.ts';

const answer = {
  text: 'The weather in Paris is what I shall look up now, and in Rome.',
  toolCalls: [
    { name: 'weather', arguments: { city: 'Paris', unit: 'celsius' } },
    { name: 'weather', arguments: '{"city": "Rome"}' },
  ],
  outputTokens: 77,
};

function clientOf(fetch: typeof globalThis.fetch): OpenAI {
  return new OpenAI({ apiKey: 'test', fetch, maxRetries: 0 });
}

const simulate = (options: Partial<SimulateOptions> = {}) =>
  simulateProvider({ provider: 'openai', ...options } as SimulateOptions);

const chat = {
  model: 'gpt-5.1',
  messages: [{ role: 'user' as const, content: 'How is the weather?' }],
};

describe('chat completions through the OpenAI SDK', () => {
  test('come whole', async () => {
    const provider = simulate({ answer: () => answer, tokensOf: () => 10 });
    const { data, request_id } = await clientOf(provider)
      .chat.completions.create(chat)
      .withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'gpt-5.1',
      choices: [
        {
          message: {
            role: 'assistant',
            content: answer.text,
            tool_calls: [
              { type: 'function', function: { arguments: '{"city":"Paris","unit":"celsius"}' } },
              { type: 'function', function: { arguments: '{"city": "Rome"}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 77,
        total_tokens: 87,
        prompt_tokens_details: { cached_tokens: 0 },
      },
    });
    expect(data.usage?.prompt_tokens_details).not.toHaveProperty('cache_write_tokens');
    expect(request_id).toBe('req_sim00000000');
  });

  test('are put together from a stream', async () => {
    const client = clientOf(simulate({ answer: () => answer }));
    const whole = await client.chat.completions.create(chat);
    const stream = client.chat.completions.stream({
      ...chat,
      stream_options: { include_usage: true },
    });
    const { choices, usage } = await stream.finalChatCompletion();
    const withoutIds = (list: typeof choices): unknown =>
      list.map(({ message, finish_reason }) => ({
        content: message.content,
        calls: message.tool_calls?.map(
          (call) => call.type === 'function' && call.function.arguments,
        ),
        finish_reason,
      }));
    expect(withoutIds(choices)).toEqual(withoutIds(whole.choices as typeof choices));
    expect(usage).toEqual(whole.usage);
  });

  test.each([undefined, {}, { include_usage: false }])(
    'tell their usage in a stream only when asked (%j)',
    async (stream_options) => {
      const asked = { ...chat, stream: true as const, ...(stream_options && { stream_options }) };
      const chunks = await listed(await clientOf(simulate()).chat.completions.create(asked));
      expect(chunks.length).toBeGreaterThan(2);
      for (const chunk of chunks) expect(chunk).not.toHaveProperty('usage');
    },
  );

  test('tell it in a chunk of its own, and null before', async () => {
    const chunks = await listed(
      await clientOf(simulate()).chat.completions.create({
        ...chat,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    expect(chunks.slice(0, -1).map(({ usage }) => usage)).toEqual(chunks.slice(1).map(() => null));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 1 } });
  });
});

describe('responses through the OpenAI SDK', () => {
  const question = { model: 'gpt-5.6-sol', input: 'How is the weather?' };

  test('come whole', async () => {
    const provider = simulate({ answer: () => answer, tokensOf: () => 10 });
    const response = await clientOf(provider).responses.create(question);
    expect(response.output_text).toBe(answer.text);
    expect(response.output.slice(1)).toMatchObject([
      { type: 'function_call', name: 'weather', arguments: '{"city":"Paris","unit":"celsius"}' },
      { type: 'function_call', name: 'weather', arguments: '{"city": "Rome"}' },
    ]);
    expect(response).toMatchObject({
      status: 'completed',
      usage: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 77,
        total_tokens: 87,
      },
    });
  });

  test('are put together from a stream whose events are numbered', async () => {
    const client = clientOf(simulate({ answer: () => answer }));
    const whole = await client.responses.create(question);
    const events = await listed(client.responses.stream(question));
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i));
    const items = events.filter((event) => event.type === 'response.output_item.done');
    expect(items.map(({ item }) => item)).toMatchObject([
      { type: 'message', status: 'completed', content: [{ text: answer.text }] },
      { type: 'function_call', status: 'completed', name: 'weather' },
      { type: 'function_call', arguments: '{"city": "Rome"}' },
    ]);
    const streamed = await client.responses.stream(question).finalResponse();
    expect(streamed.output_text).toBe(whole.output_text);
    expect(streamed.usage).toEqual(whole.usage);
    expect(streamed.output).toHaveLength(3);
  });

  test('do not go on from what is not stored', async () => {
    const asked = { ...question, previous_response_id: 'resp_1' };
    await expect(clientOf(simulate()).responses.create(asked)).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
    });
  });
});

/** One chat call at its time in seconds: tools, developer and user messages by their tokens. */
interface Step {
  at: number;
  model: string;
  messages: OpenAI.ChatCompletionMessageParam[];
  more?: object;
}

async function played(
  steps: readonly Step[],
  options: Partial<SimulateOptions> = {},
): Promise<unknown[]> {
  const clock = createVirtualClock();
  const client = clientOf(simulate({ clock, tokensOf: writtenTokens, ...options }));
  const results: unknown[] = [];
  for (const { at, model, messages, more } of steps) {
    await clock.advance(at * 1000 - clock.now());
    const call = client.chat.completions.create({ model, messages, ...more });
    results.push((await finish(clock, call)).usage?.prompt_tokens_details);
  }
  return results;
}

describe('the prompt cache of OpenAI', () => {
  const long: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'developer', content: 'instructions #8000' },
    { role: 'user', content: 'first #2000' },
  ];

  test('from GPT-5.6 on is written at a charge, to the token', async () => {
    const longer: OpenAI.ChatCompletionMessageParam[] = [
      ...long,
      { role: 'user', content: 'more #3000' },
    ];
    const model = 'gpt-5.6-sol';
    const results = await played([
      { at: 0, model, messages: long },
      { at: 60, model, messages: longer },
      { at: 120, model, messages: longer, more: { prompt_cache_key: 'another' } },
    ]);
    expect(results).toMatchObject([
      { cached_tokens: 0, cache_write_tokens: 10_000 },
      { cached_tokens: 10_000, cache_write_tokens: 3000 },
      { cached_tokens: 0, cache_write_tokens: 13_000 },
    ]);
  });

  test('before GPT-5.6 is free, in steps of 128 tokens', async () => {
    const words = Array.from({ length: 3000 }, (_, i) => `word${i}`).join(' ');
    const messages = [{ role: 'user' as const, content: words }];
    const results = await played(
      [0, 60].map((at) => ({ at, model: 'gpt-4.1', messages })),
      { tokensOf: (text) => Math.ceil(text.length / 4) },
    );
    const [first, second] = results as Array<{ cached_tokens: number }>;
    expect(first).toEqual({ cached_tokens: 0, audio_tokens: 0 });
    expect(second?.cached_tokens).toBeGreaterThan(1024);
    expect((second?.cached_tokens ?? 1) % 128).toBe(0);
  });

  test.each([
    { prompt_cache_options: { mode: 'explicit' } },
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'text', text: 'Hi', prompt_cache_breakpoint: { mode: 'explicit' } }],
        },
      ],
    },
  ])('takes marks and options from GPT-5.6 on, and refuses %j before', async (more) => {
    const ask = (model: string): Promise<Response> =>
      post(simulate(), 'https://api.openai.com/v1/chat/completions', { ...chat, ...more, model });
    expect((await ask('gpt-5.6')).status).toBe(200);
    const refused = await ask('gpt-5.5');
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('is not supported with this model');
  });

  test.each([
    ['gpt-5.6', true],
    ['gpt-5.6-sol', true],
    ['gpt-5.10', true],
    ['gpt-6', true],
    ['gpt-6.1-sol', true],
    ['openai/gpt-5.6', true],
    ['ft:gpt-5.6-sol:acme', true],
    ['gpt-5.5', false],
    ['gpt-5', false],
    ['gpt-5-mini-2025-08-07', false],
    ['gpt-4.1', false],
    ['gpt-4o', false],
    ['gpt-35-turbo', false],
    ['o3', false],
  ])('%s reports written tokens: %s', async (model, reports) => {
    const { usage } = await clientOf(simulate()).chat.completions.create({ ...chat, model });
    expect('cache_write_tokens' in (usage?.prompt_tokens_details ?? {})).toBe(reports);
  });
});

describe('errors', () => {
  test.each([
    ['/v1/chat/completions', '{', { message: expect.stringContaining('JSON') }],
    ['/v1/chat/completions', '[]', { message: expect.stringContaining('JSON') }],
    [
      '/v1/chat/completions',
      { model: 'm' },
      { param: 'messages', code: 'missing_required_parameter' },
    ],
    ['/v1/chat/completions', { model: 'm', messages: [] }, { code: 'empty_array' }],
    ['/v1/chat/completions', { messages: chat.messages }, { param: 'model' }],
    ['/v1/responses', { model: 'm' }, { param: 'input' }],
  ])('%s %j', async (path, body, error) => {
    const response = await post(simulate(), `https://api.openai.com${path}`, body);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', ...error },
    });
  });
});
