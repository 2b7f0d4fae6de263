import { createHash } from 'node:crypto';
import { encodeBody, fixtureFormat } from './fixture.ts';
import type { Fault, Fixture, FixtureResponse } from './fixture.ts';
import { exchangeRedaction } from './redact.ts';
import type { ExchangeRedaction } from './redact.ts';
import type { Redactor } from './text-edits.ts';
import type { SeenRequest } from './seen-request.ts';
import type { Arrivals } from './tap-body.ts';

/** What was seen of one call. */
export interface Exchange {
  request: SeenRequest;
  response?: Response;
  headersMs?: number;
  arrivals?: Arrivals;
  fault?: Fault;
}

/** These describe a transfer that is over: what is recorded is the body as the caller read it. */
const TRANSFER_HEADERS = [
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'transfer-encoding',
];

/** The fixture of an exchange, without secrets unless `redact` is `false`. */
export function exchangeFixture(exchange: Exchange, redact: readonly Redactor[] | false): Fixture {
  const redaction = exchangeRedaction(exchange.request, redact);
  const { method, url, headers, body } = exchange.request;
  const request = {
    method,
    url: redaction.url(url),
    headers: redaction.headers(headers),
    ...(body === null ? { body: null } : encodeBody(redaction.body(body, []).bytes)),
  };
  const response = responseOf(exchange, redaction);
  const parts = [method, request.url, request.body, response?.status, response?.body];
  return {
    format: fixtureFormat,
    id: createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16),
    request,
    response,
    ...(exchange.fault && { fault: exchange.fault }),
  };
}

function responseOf(exchange: Exchange, redaction: ExchangeRedaction): FixtureResponse | null {
  const { response, arrivals, headersMs } = exchange;
  if (response === undefined) return null;
  const headers = new Headers(response.headers);
  for (const name of TRANSFER_HEADERS) headers.delete(name);
  const start = { status: response.status, headers: redaction.headers(headers), headersMs };
  if (arrivals === undefined) return { ...start, body: '' };
  const { bytes, chunks } = redaction.body(
    Buffer.concat(arrivals.chunks),
    arrivals.chunks.map(({ length }) => length),
  );
  return { ...start, ...encodeBody(bytes), chunks, timesMs: arrivals.timesMs };
}
