import type { Clock } from '../../types.ts';
import { systemClock } from '../../util/clock.ts';
import { replayBody, waitUntil } from '../replay-body.ts';

/** An answer and when its parts come. */
export interface TimedAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body in the pieces in which it arrives. */
  readonly chunks: readonly string[];
  /** When the headers and the first chunk come, in clock time. */
  readonly startsAt: number;
  /** When the last chunk comes; those between are spread evenly. */
  readonly endsAt: number;
  /** Without one nothing is waited for. */
  readonly clock: Clock | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Resolves when the headers come. Rejects, and the body fails, with the signal's reason when it is aborted. */
export async function timedResponse(answer: TimedAnswer): Promise<Response> {
  const { url, status, headers, chunks, startsAt, endsAt, clock, signal } = answer;
  if (clock !== undefined) await waitUntil(startsAt, clock, signal);
  signal?.throwIfAborted();

  const encoded = chunks.map((chunk) => Buffer.from(chunk));
  const ends: number[] = [];
  let length = 0;
  for (const bytes of encoded) ends.push((length += bytes.length));
  const dueAt = new Map(
    ends.map((end, index) => [
      end,
      startsAt + ((endsAt - startsAt) * index) / Math.max(1, ends.length - 1),
    ]),
  );
  const body = replayBody({
    bytes: new Uint8Array(Buffer.concat(encoded)),
    ends,
    dueAt: (end) => (clock === undefined ? undefined : dueAt.get(end)),
    fault: undefined,
    // Nothing is due without a clock, so that this one is never asked.
    clock: clock ?? systemClock,
    signal,
  });
  return respond(url, body, { status, headers });
}

/** A `Response` as `fetch` gives it: it knows where it comes from. */
export function respond(url: string, body: string | ReadableStream, init: ResponseInit): Response {
  const response = new Response(body, init);
  Object.defineProperty(response, 'url', { value: url.replace(/#.*$/, '') });
  return response;
}
