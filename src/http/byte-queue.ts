/** How the queue slows down and stops what fills it. */
export interface FlowControl {
  pause(): void;
  resume(): void;
  /** The consumer wants no more. */
  cancel(reason: unknown): void;
}

/** What a read gives, in the terms of iterators and of stream readers alike. */
export type ReadResult =
  | { readonly value: Uint8Array<ArrayBuffer>; readonly done: false }
  | { readonly value: undefined; readonly done: true };

interface Waiting {
  resolve(result: ReadResult): void;
  reject(error: unknown): void;
}

const DONE: ReadResult = { value: undefined, done: true };

/**
 * Bytes on their way from one producer to one consumer: pushed as they arrive, pulled as they are read.
 *
 * - Past `highWaterMark` waiting bytes the producer is paused; it resumes when the consumer waits for more. That is the whole
 *   memory an answer can hold here.
 * - What waits is handed on as one chunk: a reader that comes late costs one hop, not one for each frame.
 * - `fail` drops what waits, as an aborted or broken `fetch` body does.
 */
export class ByteQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #flow: FlowControl;
  readonly #highWaterMark: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #paused = false;
  #ended = false;
  #failed = false;
  #error: unknown;
  /** Reads that wait, in order: a reader may be asked again before it has answered. */
  #waiting: Waiting[] = [];

  constructor(flow: FlowControl, highWaterMark: number = 128 * 1024) {
    this.#flow = flow;
    this.#highWaterMark = highWaterMark;
  }

  /** Whether the producer is held back. */
  get paused(): boolean {
    return this.#paused;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended || chunk.byteLength === 0) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ value: plain(chunk), done: false });
      return;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    if (this.#size > this.#highWaterMark && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(DONE);
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failed = true;
    this.#error = error;
    this.#chunks = [];
    this.#size = 0;
    this.stopWaiting(error);
  }

  next(): Promise<ReadResult> {
    if (this.#size > 0) return Promise.resolve({ value: plain(this.#take()), done: false });
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason may be any value
    if (this.#failed) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (!this.#paused) return;
      this.#paused = false;
      this.#flow.resume();
    });
  }

  /** Rejects the reads under way; the chunks they would have got stay for the next ones. */
  stopWaiting(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  /** The consumer stops: what waits is dropped and the producer is told. */
  cancel(reason?: unknown): void {
    const open = !this.#ended;
    this.#chunks = [];
    this.#size = 0;
    this.end();
    if (open) this.#flow.cancel(reason);
  }

  return(): Promise<ReadResult> {
    this.cancel();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Everything that is left, in one piece. */
  async rest(): Promise<Buffer> {
    if (this.#ended && !this.#failed) return this.#take();
    const parts: Uint8Array[] = [];
    for (;;) {
      const { value, done } = await this.next();
      if (done) break;
      parts.push(value);
    }
    return parts.length === 1 ? buffer(parts[0]!) : Buffer.concat(parts);
  }

  #take(): Buffer {
    const taken =
      this.#chunks.length === 1
        ? buffer(this.#chunks[0]!)
        : Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [];
    this.#size = 0;
    return taken;
  }
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Readers of a `fetch` body get plain `Uint8Array`s over memory of their own: they may transfer it, and what lies beside
 * a chunk in the socket's buffer (the header block, the next chunk, other answers in Node's pool) is not theirs.
 */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
