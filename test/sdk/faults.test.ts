/**
 * What goes wrong on the way: aborts, timeouts, broken connections and refusals. An SDK must raise the same typed error,
 * make as many requests and close as many connections with a router as without, over both transports.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI, type GenerateContentParameters } from '@google/genai';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anthropic } from '../../adapters/anthropic/index.ts';
import { gemini } from '../../adapters/gemini/index.ts';
import { openai } from '../../adapters/openai/index.ts';
import { createRouter, type Outcome, type ProviderAdapter } from '../../src/index.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { answerFacts } from './google-genai-calls.ts';
import { eventsOf, outcomeOf, type Fetch } from './parity.ts';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Counts from 1. */
  readonly number: number;
  /** A stream that has begun, in the format of the SDK at hand. */
  readonly stream: string;
  /** The host's way out. */
  readonly controller: AbortController;
}

interface Scenario {
  readonly name: string;
  readonly serve: (exchange: Exchange) => void;
  /** How the host asks and reads. Default: a plain call. */
  readonly ask?: (ask: Ask, controller: AbortController) => Promise<unknown>;
  readonly maxRetries?: number;
  readonly timeout?: number;
  /** The outcomes of the records, one for every time that the SDK calls `fetch`. */
  readonly outcomes: readonly Outcome[];
}

interface Ask {
  whole(signal?: AbortSignal): Promise<unknown>;
  streamed(signal?: AbortSignal): Promise<AsyncIterable<unknown>>;
}

const LEAVES = 'the host leaves the stream';

const never = (): void => {};

const cutShort = ({ response, stream }: Exchange): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(stream);
};

/** Asks the SDK not to wait between its attempts. */
const answer =
  (status: number, headers: Record<string, string> = {}) =>
  ({ response }: Exchange): void => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'retry-after-ms': '1',
      ...headers,
    });
    const error = { type: 'a_type', code: 'a_code', message: `status ${status}` };
    response.end(JSON.stringify(status < 400 ? { id: 'an-answer' } : { error }));
  };

const scenarios: readonly Scenario[] = [
  {
    name: 'the signal was aborted before the call',
    serve: never,
    ask: (ask, controller) => {
      controller.abort();
      return ask.whole(controller.signal);
    },
    outcomes: ['aborted'],
  },
  {
    name: 'abort before the headers',
    serve: ({ controller }) => controller.abort(),
    ask: (ask, { signal }) => ask.whole(signal),
    outcomes: ['aborted'],
  },
  {
    name: 'abort with a reason of one’s own',
    serve: ({ controller }) => controller.abort(new RangeError('enough')),
    ask: (ask, { signal }) => ask.whole(signal),
    outcomes: ['aborted'],
  },
  {
    name: 'abort in mid-stream',
    serve: cutShort,
    ask: async (ask, controller) => {
      const stream = await ask.streamed(controller.signal);
      return eventsOf(abortedAfterFirst(stream, controller));
    },
    outcomes: ['aborted'],
  },
  {
    name: 'abort in mid-body',
    serve: ({ response, controller }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":', () => controller.abort());
    },
    ask: (ask, { signal }) => ask.whole(signal),
    outcomes: ['aborted'],
  },
  {
    name: LEAVES,
    serve: cutShort,
    ask: async (ask) => {
      for await (const event of await ask.streamed()) return event;
      return 'no event';
    },
    outcomes: ['aborted'],
  },
  { name: 'timeout before the headers', serve: never, timeout: 40, outcomes: ['aborted'] },
  {
    name: 'reset before the headers',
    serve: ({ request }) => request.socket.destroy(),
    outcomes: ['network_error'],
  },
  {
    name: 'reset in mid-body',
    serve: ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"id":', () => response.socket?.destroy());
    },
    outcomes: ['network_error'],
  },
  {
    name: 'reset in mid-stream',
    serve: (exchange) => {
      cutShort(exchange);
      setImmediate(() => exchange.response.socket?.destroy());
    },
    ask: async (ask) => errorOf(await ask.streamed()),
    outcomes: ['network_error'],
  },
  {
    name: 'a stream that ends early',
    serve: (exchange) => {
      cutShort(exchange);
      exchange.response.end();
    },
    ask: async (ask) => eventsOf(await ask.streamed()),
    outcomes: ['truncated'],
  },
  {
    name: 'a body that is no JSON',
    serve: ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"id": oops');
    },
    outcomes: ['truncated'],
  },
  {
    name: 'an error page that is no JSON',
    serve: ({ response }) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<h1>Bad gateway</h1>');
    },
    outcomes: ['server_error'],
  },
  ...([400, 401, 403, 404, 409, 413, 422, 500, 503] as const).map((status): Scenario => ({
    name: `status ${status}`,
    serve: answer(status),
    outcomes: [status < 500 ? 'client_error' : status === 503 ? 'overloaded' : 'server_error'],
  })),
  { name: 'status 429', serve: answer(429), outcomes: ['rate_limited'] },
  { name: 'status 529', serve: answer(529), outcomes: ['overloaded'] },
  {
    name: 'retries until they are used up',
    serve: answer(429),
    maxRetries: 2,
    outcomes: ['rate_limited', 'rate_limited', 'rate_limited'],
  },
  {
    name: 'retries until it works',
    serve: (exchange) => answer(exchange.number === 2 ? 200 : 500)(exchange),
    maxRetries: 3,
    outcomes: ['server_error', 'ok'],
  },
  {
    name: 'a provider that says not to retry',
    serve: answer(500, { 'x-should-retry': 'false' }),
    maxRetries: 2,
    outcomes: ['server_error'],
  },
  {
    name: 'a provider that says to retry',
    serve: (exchange) =>
      answer(exchange.number === 1 ? 400 : 200, { 'x-should-retry': 'true' })(exchange),
    maxRetries: 2,
    outcomes: ['client_error', 'ok'],
  },
];

async function* abortedAfterFirst(stream: AsyncIterable<unknown>, controller: AbortController) {
  for await (const event of stream) {
    yield event;
    controller.abort();
  }
}

async function* each<A, B>(stream: AsyncIterable<A>, change: (item: A) => B): AsyncIterable<B> {
  for await (const item of stream) yield change(item);
}

/** Only how it ends: how many events come before a reset is the network's choice. */
async function errorOf(stream: AsyncIterable<unknown>): Promise<unknown> {
  const { error } = await eventsOf(stream);
  return error;
}

interface Sdk {
  readonly name: string;
  readonly adapter: (options: { baseURL: string }) => ProviderAdapter;
  readonly begun: string;
  readonly ask: (connection: Connection) => Ask;
  /** Scenarios that the SDK has no option for, or treats in a way of its own. */
  readonly without: readonly string[];
}

/** Streams that have begun: whole events and the start of one. */
const CHAT = events(['one', 'two', 'three'], (content) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-5',
  choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }],
}));
const GEMINI = events(['one', 'two', 'three'], (text) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }],
  modelVersion: 'gemini-3-pro',
}));
const MESSAGES = events(
  ['message_start', 'content_block_start', 'content_block_delta'],
  (type) => ({
    type,
    index: 0,
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-5',
      content: [],
      usage: { input_tokens: 3, output_tokens: 1 },
    },
    content_block: { type: 'text', text: '' },
    delta: { type: 'text_delta', text: 'one' },
  }),
);

function events(each: readonly string[], body: (of: string) => object): string {
  const all = each.map((of) => {
    const data = body(of);
    return `${'type' in data ? `event: ${of}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
  });
  return `${all.join('')}${all.at(-1)?.slice(0, -20)}`;
}

const sdks: readonly Sdk[] = [
  { name: 'openai', adapter: openai, begun: CHAT, ask: askOpenai, without: [] },
  {
    name: 'anthropic',
    adapter: anthropic,
    begun: MESSAGES,
    ask: askAnthropic,
    without: [],
  },
  {
    name: 'ai',
    adapter: openai,
    begun: CHAT,
    ask: askAi,
    // It decides by itself what to ask again.
    without: ['a provider that says to retry', 'a provider that says not to retry'],
  },
  {
    name: 'google-genai',
    adapter: gemini,
    begun: GEMINI,
    ask: askGoogle,
    // Its pauses between attempts take seconds and heed no header. A stream that is left stays open.
    without: scenarios
      .filter(({ name, maxRetries }) => maxRetries !== undefined || name === LEAVES)
      .map(({ name }) => name),
  },
];

type Connection = Pick<Scenario, 'maxRetries' | 'timeout'> & { baseURL: string; fetch: Fetch };

function askOpenai(connection: Connection): Ask {
  const client = new OpenAI({ apiKey: 'k', logLevel: 'off', ...connection });
  const body = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'Hi' }] };
  return {
    whole: (signal) => client.chat.completions.create(body, { signal }),
    // Asks for usage itself, so that both sides get the same chunks.
    streamed: (signal) =>
      client.chat.completions.create(
        { ...body, stream: true, stream_options: { include_usage: true } },
        { signal },
      ),
  };
}

function askAnthropic(connection: Connection): Ask {
  const client = new Anthropic({ apiKey: 'k', logLevel: 'off', ...connection });
  const body = {
    model: 'claude-opus-5',
    max_tokens: 10,
    messages: [{ role: 'user' as const, content: 'Hi' }],
  };
  return {
    whole: (signal) => client.messages.create(body, { signal }),
    streamed: (signal) => client.messages.create({ ...body, stream: true }, { signal }),
  };
}

function askAi({ baseURL, fetch, maxRetries = 0, timeout = 60_000 }: Connection): Ask {
  const model = createOpenAI({ apiKey: 'k', baseURL, fetch }).chat('gpt-5');
  const within = (signal?: AbortSignal): AbortSignal =>
    AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]);
  return {
    whole: async (signal) => {
      const options = { model, prompt: 'Hi', maxRetries, abortSignal: within(signal) };
      const { text, finishReason } = await generateText(options);
      return { text, finishReason };
    },
    streamed: async (signal) => {
      const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hi' }] }];
      return (await model.doStream({ prompt, abortSignal: within(signal) })).stream;
    },
  };
}

function askGoogle({ baseURL, fetch, timeout = 60_000 }: Connection): Ask {
  const client = new GoogleGenAI({
    apiKey: 'k',
    httpOptions: { baseUrl: baseURL, fetch, timeout },
  });
  const request = (abortSignal?: AbortSignal): GenerateContentParameters => ({
    model: 'gemini-3-pro',
    contents: 'Hi',
    ...(abortSignal === undefined ? {} : { config: { abortSignal } }),
  });
  return {
    whole: async (signal) => (await client.models.generateContent(request(signal))).text,
    streamed: async (signal) =>
      each(await client.models.generateContentStream(request(signal)), answerFacts),
  };
}

let server: TestServer;
let serve: (request: IncomingMessage, response: ServerResponse) => void = never;

beforeAll(async () => {
  server = await startServer((request, response) => serve(request, response));
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each(sdks)('$name', (sdk) => {
  describe.each(['dispatcher', 'fetch'] as const)('over the router’s %s', (transport) => {
    const known = scenarios.filter(({ name }) => !sdk.without.includes(name));
    test.each(known)('$name', async (scenario) => {
      const direct = await play(sdk, scenario, globalThis.fetch);

      await using router = createRouter({
        adapters: [sdk.adapter({ baseURL: server.origin })],
        // What is looked at are the SDK's own attempts.
        retry: { maxAttempts: 1 },
        ...(transport === 'fetch' ? { fetch: globalThis.fetch } : {}),
      });
      const outcomes: Outcome[] = [];
      router.on('usage', (record) => outcomes.push(record.outcome));
      const routed = await play(sdk, scenario, router.fetch);
      await router.flush();

      expect(routed).toStrictEqual(direct);
      expect(outcomes).toEqual(scenario.outcomes.slice(0, routed.calls));
      expect(router.snapshot().calls.active).toBe(0);
    });
  });
});

/** What the host sees, and what the server saw. */
async function play(
  { ask, begun }: Sdk,
  { serve: answerWith, ask: use, maxRetries = 0, timeout = 60_000 }: Scenario,
  fetch: Fetch,
): Promise<{ outcome: unknown; calls: number; retryCounts: unknown }> {
  const controller = new AbortController();
  let calls = 0;
  const counted: Fetch = (input, init) => {
    calls++;
    return fetch(input, init);
  };
  const left: Array<Promise<void>> = [];
  const retryCounts: unknown[] = [];
  serve = (request, response) => {
    response.sendDate = false;
    retryCounts.push(request.headers['x-stainless-retry-count']);
    // Whatever happens, the exchange comes to its end on the server too.
    left.push(new Promise((resolve) => response.on('close', resolve)));
    request.resume().on('end', () => {
      answerWith({ request, response, number: retryCounts.length, stream: begun, controller });
    });
  };
  const client = ask({ baseURL: server.origin, fetch: counted, maxRetries, timeout });
  const outcome = await outcomeOf(async () =>
    use === undefined ? client.whole() : use(client, controller),
  );
  await Promise.all(left);
  // Without retries this is one request, and none where the host gave up before it was on its way.
  return { outcome, calls, retryCounts: maxRetries > 0 ? retryCounts : undefined };
}
