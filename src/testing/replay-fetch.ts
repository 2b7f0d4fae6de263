import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import type { Clock, Random } from '../types.ts';
import { systemClock } from '../util/clock.ts';
import { chunkEnds } from './chunk-ends.ts';
import type { Chunks } from './chunk-ends.ts';
import { decodeBytes, fixtureBytes, readFixtures } from './fixture.ts';
import type { Fault, Fixture, FixtureResponse, FixtureSource } from './fixture.ts';
import { createMatcher } from './match-fixture.ts';
import type { Redactor } from './text-edits.ts';
import { connectionError, isStall, replayBody, waitUntil } from './replay-body.ts';
import { createSeededRandom } from './seeded-random.ts';
import { isHttp, readRequest, signalOf } from './seen-request.ts';
import type { FetchInput, SeenRequest } from './seen-request.ts';

/** How answers come back. */
export interface PlayOptions {
  /** How bodies are cut. Default: `recorded`. */
  chunks?: Chunks;
  /** `recorded` waits as long as the provider did, where that was recorded. Default: `instant`. */
  timing?: 'instant' | 'recorded';
  /** With `timing: 'recorded'`: 2 plays twice as fast. Default: 1. */
  speed?: number;
  /** Default: real time. */
  clock?: Clock;
  /** Handed to a `chunks` function. Default: the same numbers in every run. */
  random?: Random;
  /** A fault for every answer, or one chosen per answer. Comes before the fixture's own `fault`. */
  fault?: Fault | ((fixture: Fixture) => Fault | undefined);
}

export interface ReplayOptions extends PlayOptions {
  /**
   * Members of the request body that may differ, as paths: `user`, `messages.*.name`. Replaces the default:
   * `stream_options.include_usage`, which a router adds to learn the usage of a stream. An equal recording is
   * preferred all the same.
   */
  ignore?: readonly string[];
  /** Match requests to any host. Default: false. */
  ignoreHost?: boolean;
  /** After the last recording of a request: play it again, or fail. Default: `last`. */
  repeat?: 'last' | 'error';
  /** The same as when recording: requests are compared as the recorder stored them. Default: `[]`. */
  redact?: readonly Redactor[] | false;
}

/** A request that `replayFetch` saw. */
export interface ReplayCall {
  method: string;
  url: string;
  headers: Headers;
  /** Its text; one character per byte when it is not UTF-8; `null` when there was none. */
  body: string | null;
  /** What answered; missing when nothing matched. */
  fixture?: Fixture;
}

/** A `fetch` that answers from fixtures. */
export interface ReplayFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Every request so far, the latest 10 000. */
  readonly calls: readonly ReplayCall[];
  /** Fixtures that have not answered anything; those without a recorded request are not counted. */
  readonly unused: readonly Fixture[];
}

const MAX_CALLS = 10_000;

/**
 * A `fetch` that answers from recorded exchanges instead of the network. A request matches by method, host, path, query
 * without keys, and the meaning of its body. Recordings of the same request are played in order.
 *
 * Rejects with `FixtureMissError` when nothing matches, and with the signal's reason when it is aborted. As with a real
 * `fetch`, bodies arrive decompressed. `data:` URLs go to the real `fetch`.
 */
export function replayFetch(fixtures: FixtureSource, options: ReplayOptions = {}): ReplayFetch {
  const matcher = createMatcher(readFixtures(fixtures), {
    ignore: options.ignore ?? ['stream_options.include_usage'],
    ignoreHost: options.ignoreHost ?? false,
    repeat: options.repeat ?? 'last',
    redact: options.redact ?? [],
  });
  const play: PlayOptions = { random: createSeededRandom(), ...options };
  const calls: ReplayCall[] = [];

  async function replay(input: FetchInput, init?: RequestInit): Promise<Response> {
    if (!isHttp(input)) return fetch(input, init);
    const signal = signalOf(input, init);
    signal?.throwIfAborted();
    const request = await readRequest(input, init);
    signal?.throwIfAborted();
    const call = seenCall(request);
    calls.push(call);
    if (calls.length > MAX_CALLS) calls.shift();
    call.fixture = matcher.take(request);
    return fixtureResponse(call.fixture, { ...play, signal, request });
  }

  return Object.assign(replay, { calls, unused: matcher.unused });
}

function seenCall({ method, url, headers, body }: SeenRequest): ReplayCall {
  return { method, url, headers, body: body === null ? null : decodeBytes(body).text };
}

/** A replayed answer waits as a socket does: unlike the router's own timers it keeps the process alive. */
const socketClock: Clock = { ...systemClock, setTimeout: (fn, ms) => setTimeout(fn, ms) };

/** The answer of one fixture, whatever was asked. Rejects when the exchange failed before its headers. */
export async function fixtureResponse(
  fixture: Fixture,
  options: PlayOptions & {
    signal?: AbortSignal | undefined;
    request?: Pick<SeenRequest, 'method' | 'url'>;
  } = {},
): Promise<Response> {
  const {
    chunks = 'recorded',
    timing = 'instant',
    speed = 1,
    clock = socketClock,
    signal,
  } = options;
  if (!(speed > 0)) throw new RangeError(`speed: expected a number above 0, got ${speed}`);
  const { response } = fixture;
  const chosen = typeof options.fault === 'function' ? options.fault(fixture) : options.fault;
  const fault = chosen ?? fixture.fault;
  const startedAt = clock.now();
  const dueAt = (afterMs: number | undefined): number | undefined =>
    timing === 'instant' || afterMs === undefined ? undefined : startedAt + afterMs / speed;

  const beforeHeaders =
    response === null || (fault !== undefined && fault.afterBytes === undefined);
  if (beforeHeaders && isStall(fault)) await untilOrAborted(undefined, clock, signal);
  await untilOrAborted(dueAt(response?.headersMs) ?? startedAt, clock, signal);
  if (beforeHeaders) {
    throw new TypeError('fetch failed', { cause: connectionError(fault ?? { kind: 'reset' }) });
  }

  const bytes = bodyOf(fixture.id, response);
  const recorded = response.encoded === true ? undefined : response.chunks;
  const answer = new Response(
    isNullBody(response.status, options.request?.method)
      ? null
      : replayBody({
          bytes,
          ends: chunkEnds(bytes, chunks, recorded, options.random ?? createSeededRandom()),
          dueAt: (end) => dueAt(arrivalMs(response, end)),
          fault,
          clock,
          signal,
        }),
    { status: response.status, headers: response.headers },
  );
  const url = options.request?.url ?? fixture.request?.url;
  if (url !== undefined) Object.defineProperty(answer, 'url', { value: url.replace(/#.*$/, '') });
  return answer;
}

async function untilOrAborted(
  at: number | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!(await waitUntil(at, clock, signal))) signal?.throwIfAborted();
}

function isNullBody(status: number, method: string | undefined): boolean {
  return status === 204 || status === 205 || status === 304 || method === 'HEAD';
}

/** When the byte before this offset arrived. */
function arrivalMs(
  { chunks = [], timesMs = [], encoded }: FixtureResponse,
  end: number,
): number | undefined {
  if (encoded === true) return undefined;
  let arrived = 0;
  const chunk = chunks.findIndex((length) => (arrived += length) >= end);
  return timesMs.at(chunk);
}

/** The body as a caller of `fetch` reads it. */
function bodyOf(id: string, response: FixtureResponse): Uint8Array<ArrayBuffer> {
  const bytes = fixtureBytes(response);
  if (response.encoded !== true) return bytes;
  const encodings = (new Headers(response.headers).get('content-encoding') ?? '')
    .toLowerCase()
    .split(',');
  return encodings.reduceRight((encoded, encoding) => {
    const decode = DECODERS.get(encoding.trim());
    if (decode === undefined) {
      throw new TypeError(
        `fixture ${id}: expected an encoding of ${[...DECODERS.keys()].join(', ')}`,
      );
    }
    return new Uint8Array(decode(encoded));
  }, bytes);
}

// A body that was cut while it was compressed gives what can be read of it, as in Node's fetch.
const cutShort = { finishFlush: constants.Z_SYNC_FLUSH };
const DECODERS: ReadonlyMap<string, (bytes: Uint8Array) => Uint8Array> = new Map([
  ['gzip', (bytes: Uint8Array) => gunzipSync(bytes, cutShort)],
  ['x-gzip', (bytes: Uint8Array) => gunzipSync(bytes, cutShort)],
  ['deflate', (bytes: Uint8Array) => inflateSync(bytes, cutShort)],
  ['br', (bytes: Uint8Array) => brotliDecompressSync(bytes)],
  ['zstd', (bytes: Uint8Array) => zstdDecompressSync(bytes)],
]);
