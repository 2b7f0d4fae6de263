import type { Clock } from '../types.ts';
import type { Fault } from './fixture.ts';

export interface BodyPlan {
  bytes: Uint8Array<ArrayBuffer>;
  /** Where chunks end, rising; the end of the bytes is one without being listed. */
  ends: readonly number[];
  /** When the chunk that ends here arrives, in clock time; `undefined` is at once. */
  dueAt: (end: number) => number | undefined;
  fault: Fault | undefined;
  clock: Clock;
  signal: AbortSignal | undefined;
}

/** A body that gives one chunk per pull, as the plan says, and fails with the signal's reason when it is aborted. */
export function replayBody(plan: BodyPlan): ReadableStream<Uint8Array> {
  const { bytes, dueAt, fault, clock, signal } = plan;
  const limit = Math.min(fault?.afterBytes ?? Infinity, bytes.length);
  const within = plan.ends.filter((end) => end < limit);
  const ends = [...new Set([...within, limit])].filter((end) => end > 0);
  const ended = new AbortController();
  let position = 0;
  let next = 0;

  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      const onAbort = (): void => {
        ended.abort();
        controller.error(signal?.reason);
      };
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true, signal: ended.signal });
    },
    async pull(controller) {
      const end = ends[next++];
      if (end !== undefined) {
        const at = dueAt(end);
        if (at !== undefined && !(await waitUntil(at, clock, ended.signal))) return;
        controller.enqueue(bytes.slice(position, end));
        position = end;
        return;
      }
      // A stalled body never answers this pull: only an abort or a cancel ends it.
      if (isStall(fault)) return new Promise(() => {});
      ended.abort();
      if (fault?.kind === 'reset') {
        controller.error(new TypeError('terminated', { cause: connectionError(fault) }));
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel() {
      ended.abort();
    },
  });
}

export function isStall(fault: Fault | undefined): boolean {
  return fault?.kind === 'stall' || fault?.kind === 'aborted';
}

/** The cause that Node's `fetch` gives when a connection breaks. */
export function connectionError({ code = 'ECONNRESET' }: Fault): Error {
  return Object.assign(new Error('the fixture breaks the connection here'), { code });
}

/** Waits for a time, or for the signal alone when there is none. `false` when the signal came first. */
export function waitUntil(
  at: number | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (signal?.aborted === true) return Promise.resolve(false);
  if (at !== undefined && at <= clock.now()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const onTime = (): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    };
    const timer = at === undefined ? undefined : clock.setTimeout(onTime, at - clock.now());
    const onAbort = (): void => {
      clock.clearTimeout(timer);
      resolve(false);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
