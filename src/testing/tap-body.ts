/** What came through a body, chunk by chunk. */
export interface Arrivals {
  chunks: Uint8Array[];
  timesMs: number[];
  /** Also counts what came after `maxBytes` and was not kept. */
  totalBytes: number;
}

export type BodyEnd =
  | { kind: 'whole' }
  | { kind: 'cancelled' }
  | { kind: 'broken'; error: unknown };

export interface TapOptions {
  now: () => number;
  /** Once more has come, nothing of it is kept. */
  maxBytes: number;
  onEnd: (arrivals: Arrivals, end: BodyEnd) => void;
}

/** The same body, seen while it passes: a chunk is asked for only when the reader asks for one. */
export function tapBody(
  body: ReadableStream<Uint8Array>,
  { now, maxBytes, onEnd }: TapOptions,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const arrivals: Arrivals = { chunks: [], timesMs: [], totalBytes: 0 };
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          controller.byobRequest?.respond(0);
          onEnd(arrivals, { kind: 'whole' });
          return;
        }
        arrivals.totalBytes += value.length;
        if (arrivals.totalBytes > maxBytes) arrivals.chunks.length = 0;
        else {
          arrivals.chunks.push(value);
          arrivals.timesMs.push(now());
        }
        // The stream takes the memory of what it is given, so it gets a copy.
        if (value.length > 0) controller.enqueue(new Uint8Array(value));
      } catch (error) {
        controller.error(error);
        onEnd(arrivals, { kind: 'broken', error });
      }
    },
    async cancel(reason) {
      onEnd(arrivals, { kind: 'cancelled' });
      await reader.cancel(reason);
    },
  });
}
