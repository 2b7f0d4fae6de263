import OpenAI, { type APIPromise } from 'openai';
import type { ChatCompletionStreamParams } from 'openai/lib/ChatCompletionStream';
import type { ResponseStreamParams } from 'openai/lib/responses/ResponseStream';
import { Stream } from 'openai/streaming';
import { eventsOf, outcomeOf, responseFacts, type Fetch } from './parity.ts';
import { recordedCalls, sampledByGroup, type RecordedCall } from './recorded-calls.ts';

const PATHS =
  /\/(?:chat\/completions|completions|responses|embeddings|moderations|models|images\/generations|batches\/[^/]+|responses\/[^/]+)$/;

/** Others whose recorded answers the openai package reads. */
const COMPATIBLE = new Set(
  [
    'azure',
    'groq',
    'deepseek',
    'mistral',
    'xai',
    'openrouter',
    'together',
    'perplexity',
    'cerebras',
  ].concat(['huggingface', 'venice', 'zai', 'copilot', 'databricks', 'vercel-gateway', 'writer']),
);

/** All of OpenAI's own recordings, and a few of each kind of the others'. */
export const openaiCalls: readonly RecordedCall[] = [
  ...recordedCalls(({ provider }) => provider === 'openai', PATHS),
  ...sampledByGroup(
    recordedCalls(({ provider }) => COMPATIBLE.has(provider), PATHS),
    6,
  ),
];

/** Data or events as the SDK parses them, with the response beside it. */
export function parsed(call: RecordedCall, fetch: Fetch): Promise<unknown> {
  return outcomeOf(async () => {
    const { data, response, request_id } = await create(call, fetch).withResponse();
    const facts = { ...responseFacts(response), request_id, bodyUsed: response.bodyUsed };
    if (data instanceof Stream) return { ...facts, ...(await eventsOf(data)) };
    const own =
      typeof data === 'object' && data !== null && '_request_id' in data ? data._request_id : null;
    return { ...facts, data, _request_id: own };
  });
}

/** The response as it is. */
export function raw(call: RecordedCall, fetch: Fetch): Promise<unknown> {
  return outcomeOf(async () => {
    const response = await create(call, fetch).asResponse();
    return { ...responseFacts(response), text: await response.text() };
  });
}

/** The helpers that put a stream together, tool calls included. */
export function assembled(call: RecordedCall, fetch: Fetch): Promise<unknown> {
  const client = clientFor(call, fetch);
  const body = call.body as unknown;
  return outcomeOf(async () =>
    call.path === '/responses'
      ? client.responses.stream(body as ResponseStreamParams).finalResponse()
      : client.chat.completions.stream(body as ChatCompletionStreamParams).finalChatCompletion(),
  );
}

function clientFor({ baseURL, query }: RecordedCall, fetch: Fetch): OpenAI {
  return new OpenAI({
    apiKey: 'test',
    baseURL,
    defaultQuery: query,
    maxRetries: 0,
    logLevel: 'off',
    fetch,
  });
}

function create(call: RecordedCall, fetch: Fetch): APIPromise<unknown> {
  const client = clientFor(call, fetch);
  const { path, method } = call;
  const body = call.body as never;
  if (method !== 'POST') return client.request({ method: 'get', path });
  if (path === '/chat/completions') return client.chat.completions.create(body);
  if (path === '/completions') return client.completions.create(body);
  if (path === '/responses') return client.responses.create(body);
  if (path === '/embeddings') return client.embeddings.create(body);
  if (path === '/moderations') return client.moderations.create(body);
  if (path === '/images/generations') return client.images.generate(body);
  return client.request({ method: 'post', path, body });
}
