import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { startServer } from '../../helpers/server.ts';
import { checkRequest } from './schema.ts';

/** A log record or a span as it came, its attributes as one object. */
export interface Received extends Record<string, unknown> {
  readonly attributes: Record<string, unknown>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly signal: 'logs' | 'traces';
  readonly resource: Record<string, unknown>;
  readonly items: readonly Received[];
  /** Of the body as it came, before it was unpacked. */
  readonly bytes: number;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Of the requests that were answered with a 2xx. */
  readonly logs: Received[];
  readonly spans: Received[];
  /** Why requests did not fit the definitions; they were answered with 400. */
  readonly complaints: string[];
  /** How to answer a request; by default each is taken. `'hang'`: not at all. */
  answer: (request: SeenRequest, number: number) => Answer | 'hang' | undefined;
}

/** A real HTTP server that takes OTLP/JSON which fits the official definitions. To dispose of it rejects when anything else came. */
export async function startReceiver(): Promise<Receiver> {
  const server = await startServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      let seen: SeenRequest;
      try {
        seen = read(request, Buffer.concat(chunks));
      } catch (error) {
        receiver.complaints.push(String(error));
        response.writeHead(400).end();
        return;
      }
      receiver.requests.push(seen);
      const answer = receiver.answer(seen, receiver.requests.length) ?? { status: 200 };
      if (answer === 'hang') return;
      if (answer.status < 300) {
        (seen.signal === 'logs' ? receiver.logs : receiver.spans).push(...seen.items);
      }
      const headers = { 'content-type': 'application/json', ...answer.headers };
      response.writeHead(answer.status, headers).end(answer.body ?? '{}');
    });
  });
  const receiver: Receiver = {
    url: server.origin,
    requests: [],
    logs: [],
    spans: [],
    complaints: [],
    answer: () => undefined,
    async [Symbol.asyncDispose](): Promise<void> {
      await server[Symbol.asyncDispose]();
      if (receiver.complaints.length > 0) throw new Error(receiver.complaints.join('\n'));
    },
  };
  return receiver;
}

function read(request: IncomingMessage, body: Buffer): SeenRequest {
  const { url: path = '', headers, method } = request;
  const signal = path.endsWith('/v1/logs') ? 'logs' : 'traces';
  if (method !== 'POST' || !path.endsWith(`/v1/${signal}`)) throw new Error(`${method} ${path}`);
  if (headers['content-type'] !== 'application/json') throw new Error('no JSON');
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  checkRequest(signal, json);
  const [{ resource, scopeLogs, scopeSpans }] = json.resourceLogs ?? json.resourceSpans;
  const [{ scope, logRecords, spans }] = scopeLogs ?? scopeSpans;
  if (scope.name !== 'tokenrouter') throw new Error('another scope');
  return {
    path,
    headers,
    signal,
    resource: attributesOf(resource),
    items: (logRecords ?? spans).map((item: { attributes: KeyValue[] }) => ({
      ...item,
      attributes: attributesOf(item),
    })),
    bytes: body.length,
  };
}

/** The id of a log's record. */
export const uid = ({ attributes }: Received): string => String(attributes['log.record.uid']);

/** The receiver checks much, in the same process as the sink that waits for it. */
export const TIMEOUT_MS = 60_000;

type KeyValue = { key: string; value: Record<string, unknown> };

/** Integers stay strings, to tell them from doubles. */
function attributesOf({ attributes }: { attributes: KeyValue[] }): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
