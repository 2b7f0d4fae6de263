import { expect } from 'vitest';
/**
 * Runs an SDK twice over the same recorded answer, plainly and through a router, and makes what it gave comparable: objects,
 * stream events, typed errors, status and headers. Only the router's own `x-tokenrouter-…` headers are left out.
 */
import { createRouter, type Router, type UsageRecord } from '../../src/index.ts';
import { createSeededRandom, fixtureResponse } from '../../src/testing/index.ts';
import type { Recording } from '../adapters/recordings.ts';
import type { RecordedCall } from './recorded-calls.ts';

export type Fetch = typeof globalThis.fetch;

/** A stage that answers requests with given recordings, one after another, and the router over it. */
export interface Stage extends AsyncDisposable {
  readonly router: Router;
  /** Which part of the successes the SDK could read, without the router: nothing is compared where it fails. */
  readonly readable: number;
  /**
   * What `run` gives over the plain transport and through the router, and the records of the second. `calls` counts the
   * HTTP requests that the SDK made of the router; the look at `data:,` that SDKs take once is not among them.
   */
  bothWays<T>(
    recordings: Recording | readonly Recording[],
    run: (fetch: Fetch) => Promise<T>,
  ): Promise<BothWays<T>>;
}

export interface BothWays<T> {
  readonly direct: T;
  readonly routed: T;
  readonly calls: number;
  readonly records: readonly UsageRecord[];
}

export function createStage(): Stage {
  let left: readonly Recording[] = [];
  const transport: Fetch = async (input, init) => {
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
    if (url.startsWith('data:')) return fetch(input, init);
    const [recording, ...rest] = left;
    if (recording === undefined) throw new Error('expected no request: all recordings were played');
    left = rest;
    const { id, response } = recording;
    return fixtureResponse(
      { id, request: null, response: { ...response, body: response.body ?? '' } },
      {
        chunks: cutAnywhere,
        random: createSeededRandom(Number.parseInt(id.slice(0, 8), 16)),
        request: { method: init?.method ?? 'GET', url },
        signal: init?.signal ?? undefined,
      },
    );
  };
  // Recordings of many accounts: neither limits nor second attempts of one of them.
  const router = createRouter({
    fetch: transport,
    random: createSeededRandom(1),
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
  });
  const records: UsageRecord[] = [];
  router.on('usage', (record) => records.push(record));
  let calls = 0;
  let successes = 0;
  let read = 0;
  const counted: Fetch = (input, init) => {
    if (String(input).startsWith('http')) calls++;
    return router.fetch(input, init);
  };
  return {
    router,
    get readable() {
      return read / successes;
    },
    async bothWays(of, run) {
      left = [of].flat();
      const direct = await run(transport);
      if ([of].flat().every(({ response }) => response.status < 400)) {
        successes++;
        if (isRead(direct)) read++;
      }
      left = [of].flat();
      records.length = 0;
      calls = 0;
      const routed = await run(counted);
      await router.flush();
      return { direct, routed, calls, records: [...records] };
    },
    [Symbol.asyncDispose]: () => router.close(),
  };
}

function isRead(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || 'error' in result) return false;
  const value: unknown = Reflect.get(result, 'value');
  return (
    typeof value !== 'object' ||
    value === null ||
    (Reflect.get(value, 'error') ?? undefined) === undefined
  );
}

/** Pieces from one byte to a quarter of the body, small ones more often; some hundreds at most. */
export function cutAnywhere(bytes: Uint8Array, random: () => number): number[] {
  const longest = Math.max(8, Math.ceil((bytes.length / 4) * Math.max(0.04, random())));
  const lengths: number[] = [];
  for (let sum = 0; sum < bytes.length;) {
    const length = Math.min(bytes.length - sum, 1 + Math.floor(longest * random() ** 2));
    lengths.push(length);
    sum += length;
  }
  return lengths;
}

/** What a call gave, or the error it raised, as plain data. */
export async function outcomeOf<T>(
  call: () => Promise<T>,
): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: errorFacts(error) };
  }
}

/** All events of a stream, and the error that it ended with. */
export async function eventsOf<T>(
  stream: AsyncIterable<T>,
): Promise<{ events: T[]; error?: unknown }> {
  const events: T[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events };
  } catch (error) {
    return { events, error: errorFacts(error) };
  }
}

/** Everything about a response but its body. */
export function responseFacts(response: Response): Record<string, unknown> {
  const { status, statusText, ok, url, redirected, type } = response;
  return { status, statusText, ok, url, redirected, type, headers: headerFacts(response.headers) };
}

export function headerFacts(headers: Headers | Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    [...new Headers(headers)].filter(([name]) => !name.startsWith('x-tokenrouter-')),
  );
}

/** The class itself (not its name), the message and every other member of an error, and its causes in short. */
export function errorFacts(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const facts: Record<string, unknown> = { class: error.constructor };
  for (const name of Object.getOwnPropertyNames(error)) {
    const value: unknown = Reflect.get(error, name);
    if (name === 'stack') continue;
    if (name === 'cause') facts[name] = causeFacts(value);
    else if (name === 'responseHeaders') facts[name] = headerFacts(value as Record<string, string>);
    else if (Array.isArray(value)) facts[name] = value.map(errorFacts);
    else facts[name] = value instanceof Headers ? headerFacts(value) : errorFacts(value);
  }
  return facts;
}

/** What the network said. The classes differ: Node has a copy of undici of its own. */
function causeFacts(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { name, message } = cause;
  return { name, message, code: Reflect.get(cause, 'code'), cause: causeFacts(cause.cause) };
}

/** Runs a recorded call both ways and expects the same, and one final record for every HTTP request. */
export async function expectSame(
  stage: Stage,
  call: RecordedCall,
  run: (call: RecordedCall, fetch: Fetch) => Promise<unknown>,
): Promise<void> {
  const { id, response } = call.recording;
  const seen = await stage.bothWays(call.recording, (fetch) => run(call, fetch));
  expect(seen.routed, id).toStrictEqual(seen.direct);
  expect(seen.calls, id).toBe(1);
  expect(seen.records, id).toHaveLength(1);
  const [record] = seen.records;
  expect(record, id).toMatchObject({ final: true, attempt: 1, status: response.status });
  if (response.status >= 400) expect(record?.outcome, id).not.toBe('ok');
}
