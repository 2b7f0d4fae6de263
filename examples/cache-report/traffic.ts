/** When was each recorded call made, and which of them can be played again? */
import { readFixtures, type Fixture, type FixtureSource } from 'tokenrouter/testing';

/** A recorded exchange whose request was kept. */
export interface Exchange {
  readonly fixture: Fixture;
  readonly url: string;
  readonly init: RequestInit;
  /** When it was sent, in milliseconds since the epoch. */
  readonly sentAt: number;
}

export interface Traffic {
  /** In the order in which they were sent. */
  readonly exchanges: readonly Exchange[];
  /** Recorded without their request. */
  readonly withoutRequest: number;
  /** Whether the recording says when its calls were made. Without it each is taken to follow the end of the one before. */
  readonly isTimed: boolean;
}

/** Reads a file of `recordFetch`, a folder of them, or what was read of one. */
export function readTraffic(source: FixtureSource): Traffic {
  const fixtures = readFixtures(source);
  const exchanges: Exchange[] = [];
  const firstKnown = fixtures.map(sentAt).find((at) => at !== undefined);
  let endOfLast = firstKnown ?? 0;
  for (const fixture of fixtures) {
    const { request } = fixture;
    if (request === null) continue;
    const at = sentAt(fixture) ?? endOfLast;
    endOfLast = at + durationMs(fixture);
    exchanges.push({ fixture, url: request.url, init: initOf(request), sentAt: at });
  }
  exchanges.sort((a, b) => a.sentAt - b.sentAt);
  return {
    exchanges,
    withoutRequest: fixtures.length - exchanges.length,
    isTimed: firstKnown !== undefined,
  };
}

/** Headers came that much after the request, and providers date them to the second. */
function sentAt({ response }: Fixture): number | undefined {
  const date = Date.parse(response?.headers['date'] ?? '');
  return Number.isNaN(date) ? undefined : date - (response?.headersMs ?? 0);
}

function durationMs({ response }: Fixture): number {
  return response?.timesMs?.at(-1) ?? response?.headersMs ?? 0;
}

function initOf({
  method,
  headers,
  body,
  body_encoding: encoding,
}: NonNullable<Fixture['request']>): RequestInit {
  // Some recorders note an empty body where there was none, and a GET must not have one.
  if (body === null || body === '') return { method, headers };
  return { method, headers, body: encoding === undefined ? body : Buffer.from(body, encoding) };
}
