import type { ByteQueue, ReadResult } from './byte-queue.ts';

/**
 * A default reader that takes chunks straight from the queue below a stream: SDKs read bodies with `getReader()`, and the
 * platform's own reader costs 1 to 2 us a chunk more. `lock` is the stream's real reader; it only keeps the stream locked.
 */
export class QueueReader implements ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> {
  readonly #queue: ByteQueue;
  readonly #lock: ReadableStreamDefaultReader;
  readonly #onUse: () => void;
  #isReleased = false;
  #ended: { error?: unknown } | undefined;
  #closed: Promise<undefined> | undefined;
  #resolveClosed: ((value: undefined) => void) | undefined;
  #rejectClosed: ((error: unknown) => void) | undefined;

  constructor(queue: ByteQueue, lock: ReadableStreamDefaultReader, onUse: () => void) {
    this.#queue = queue;
    this.#lock = lock;
    this.#onUse = onUse;
  }

  get closed(): Promise<undefined> {
    if (this.#closed === undefined) {
      this.#closed = new Promise((resolve, reject) => {
        this.#resolveClosed = resolve;
        this.#rejectClosed = reject;
      });
      // Nobody has to look at it.
      this.#closed.catch(() => {});
      this.#settle();
    }
    return this.#closed;
  }

  async read(): Promise<ReadResult> {
    if (this.#isReleased) throw released();
    this.#onUse();
    try {
      const result = await this.#queue.next();
      if (result.done) this.#finish({});
      return result;
    } catch (error) {
      this.#finish({ error });
      throw error;
    }
  }

  cancel(reason?: unknown): Promise<void> {
    if (this.#isReleased) return Promise.reject(released());
    this.#onUse();
    this.#queue.cancel(reason);
    this.#finish({});
    return Promise.resolve();
  }

  releaseLock(): void {
    if (this.#isReleased) return;
    this.#queue.stopWaiting(released());
    this.#isReleased = true;
    this.#finish({ error: released() });
    this.#lock.releaseLock();
  }

  #finish(end: { error?: unknown }): void {
    this.#ended ??= end;
    this.#settle();
  }

  #settle(): void {
    if (this.#ended === undefined) return;
    if ('error' in this.#ended) this.#rejectClosed?.(this.#ended.error);
    else this.#resolveClosed?.(undefined);
  }
}

function released(): TypeError {
  return new TypeError('Invalid state: The reader is not attached to a stream');
}
