import Anthropic, { type APIPromise } from '@anthropic-ai/sdk';
import { Stream } from '@anthropic-ai/sdk/core/streaming';
import { eventsOf, outcomeOf, responseFacts, type Fetch } from './parity.ts';
import { recordedCalls, type RecordedCall } from './recorded-calls.ts';

export const anthropicCalls: readonly RecordedCall[] = recordedCalls(
  ({ provider }) => provider === 'anthropic',
  /\/v1\/(?:messages|messages\/count_tokens|messages\/batches(?:\/[^/]+)?|models)$/,
);

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

/** The helper that puts a stream together, tool calls included, and what it tells its listeners on the way. */
export function assembled(call: RecordedCall, fetch: Fetch): Promise<unknown> {
  const told: unknown[] = [];
  return outcomeOf(async () => {
    const stream = clientFor(call, fetch).messages.stream(call.body as never);
    stream.on('inputJson', (partial) => told.push(partial));
    stream.on('contentBlock', (block) => told.push(block));
    const message = await stream.finalMessage();
    return { message, told, request_id: stream.request_id };
  });
}

function clientFor({ baseURL, query }: RecordedCall, fetch: Fetch): Anthropic {
  // With a timeout of its own, the package does not refuse long answers that are not streamed.
  return new Anthropic({
    apiKey: 'test',
    baseURL,
    defaultQuery: query,
    maxRetries: 0,
    timeout: 60_000,
    logLevel: 'off',
    fetch,
  });
}

function create(call: RecordedCall, fetch: Fetch): APIPromise<unknown> {
  const client = clientFor(call, fetch);
  const { path, method, body } = call;
  if (method !== 'POST') return client.get(path);
  if (path === '/v1/messages') return client.messages.create(body as never);
  if (path === '/v1/messages/count_tokens') return client.messages.countTokens(body as never);
  return client.post(path, { body });
}
