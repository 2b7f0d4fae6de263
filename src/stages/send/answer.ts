import { createAnswerTap } from '../../answer/tap.ts';
import { createUsageChunkFilter } from '../../answer/usage-chunk-filter.ts';
import type { Attempt, AttemptEnd, Call } from '../../call.ts';
import { RouterError } from '../../errors.ts';
import { ByteQueue, type FlowControl } from '../../http/byte-queue.ts';
import type { Clock, HeaderLookup } from '../../types.ts';
import { requestIdOf } from '../../util/request-id.ts';

export interface AnswerOptions {
  readonly clock: Clock;
  readonly idleTimeoutMs: number | undefined;
}

type Filter = ReturnType<typeof createUsageChunkFilter>;

/**
 * The body of one attempt between transport and host: every byte passes `push` once, goes to the tap (a reference, no
 * copy) and on to the host's queue. Ends exactly once, in one of the ways of `AttemptEnd`; the attempt is settled
 * before the host can see the end, so its record exists when `text()` resolves.
 *
 * Owns the idle timer. It runs only while bytes are awaited: a host that reads slowly is no stalled provider.
 */
export class Answer implements FlowControl {
  readonly queue: ByteQueue;
  readonly #call: Call;
  readonly #attempt: Attempt;
  readonly #flow: FlowControl;
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number | undefined;
  #filter: Filter | undefined;
  #idleTimer: unknown;
  #lastByteAt = 0;

  /** `flow` is the transport's; its `cancel` is called when the host cancels or the answer stalls. */
  constructor(call: Call, attempt: Attempt, flow: FlowControl, options: AnswerOptions) {
    this.#call = call;
    this.#attempt = attempt;
    this.#flow = flow;
    this.#clock = options.clock;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.queue = new ByteQueue(this);
  }

  pause(): void {
    this.#flow.pause();
  }

  resume(): void {
    this.#lastByteAt = this.#clock.now();
    this.#flow.resume();
  }

  cancel(reason: unknown): void {
    this.#finish('cancelled');
    this.#flow.cancel(reason);
  }

  get ended(): boolean {
    return this.#attempt.end !== undefined;
  }

  /** The headers are here. */
  start(status: number, header: HeaderLookup): void {
    const attempt = this.#attempt;
    attempt.headersAt = this.#clock.now();
    attempt.status = status;
    attempt.header = header;
    const contentType = header('content-type');
    attempt.requestId = requestIdOf(header);
    const { endpoint, hidesUsageChunk } = attempt.asked;
    const { wire } = endpoint;
    if (wire !== undefined) {
      attempt.tap = createAnswerTap({ wire, contentType, headers: header });
      if (hidesUsageChunk && contentType?.includes('text/event-stream') === true) {
        this.#filter = createUsageChunkFilter();
      }
    }
    attempt.watcher?.headers(attempt);
    if (this.#idleTimeoutMs !== undefined) this.#watch(this.#idleTimeoutMs);
  }

  push(chunk: Uint8Array): void {
    if (this.ended) return;
    const attempt = this.#attempt;
    attempt.firstChunkAt ??= this.#clock.now();
    if (this.#idleTimer !== undefined) this.#lastByteAt = this.#clock.now();
    const { tap } = attempt;
    if (tap !== undefined) {
      tap.push(chunk);
      if (tap.bytes >= attempt.nextReport) attempt.watcher?.progress(attempt);
    }
    const passed = this.#filter === undefined ? chunk : this.#filter.push(chunk);
    if (passed !== undefined) this.queue.push(passed);
  }

  /** The body is complete. */
  complete(): void {
    if (this.ended) return;
    const held = this.#filter?.end();
    if (held !== undefined) this.queue.push(held);
    this.#finish('complete');
    this.queue.end();
  }

  /** The body breaks off; the host's next read rejects with `error`. */
  break(end: AttemptEnd, error: unknown, cause: unknown = error): void {
    if (this.ended) return;
    this.#finish(end, cause);
    this.queue.fail(error);
  }

  #finish(end: AttemptEnd, error?: unknown): void {
    this.#clock.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#call.finishAttempt(this.#attempt, end, this.#clock.now(), error);
  }

  #watch(idleTimeoutMs: number): void {
    this.#lastByteAt = this.#clock.now();
    const check = (): void => {
      const idle = this.queue.paused ? 0 : this.#clock.now() - this.#lastByteAt;
      if (idle < idleTimeoutMs) {
        this.#idleTimer = this.#clock.setTimeout(check, idleTimeoutMs - idle);
        return;
      }
      const error = new RouterError(
        'ERR_STREAM_STALLED',
        `The answer stopped arriving: no byte for ${idleTimeoutMs} ms (idleTimeoutMs).`,
      );
      this.break('stalled', new TypeError('terminated', { cause: error }), error);
      this.#flow.cancel(error);
    };
    this.#idleTimer = this.#clock.setTimeout(check, idleTimeoutMs);
  }
}
