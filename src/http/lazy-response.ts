import type { ReadableByteStreamController, UnderlyingByteSource } from 'node:stream/web';
import { inspect, type InspectOptions } from 'node:util';
import { RouterError } from '../errors.ts';
import type { ByteQueue } from './byte-queue.ts';
import { QueueReader } from './queue-reader.ts';

/** What a response is made of, body apart. */
export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
  readonly redirected: boolean;
  readonly type: Response['type'];
}

/** As in the platform's `fetch`: a response that nobody read and nobody holds gives its connection back. */
const unread = new FinalizationRegistry<ByteQueue>((queue) => {
  queue.cancel();
});

/** The platform's class, seen without the members that `LazyResponse` writes anew. */
const PlatformResponse: new (body: null) => object = Response;

/**
 * A real `Response` (`instanceof` holds, every member works) whose parts are built when they are asked for.
 *
 * `new Response(stream, headers)` and its `json()` cost 15 to 25 us a call; SDKs read status, one or two headers and
 * then `json()`, `text()` or the body's async iterator, and those go straight to the byte queue here. Rare members
 * (`clone`, `blob`, `formData`, a reader of one's own) go through a real stream.
 */
export class LazyResponse extends PlatformResponse implements Response {
  readonly #head: ResponseHead;
  readonly #queue: ByteQueue | null;
  /** Takes over body and readers once the body has to be split. */
  #inner: Response | undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #used = false;

  /** `source`: a queue that this response alone reads, a response to borrow the body of, or `null` for none. */
  constructor(head: ResponseHead, source: ByteQueue | Response | null) {
    super(null);
    this.#head = head;
    this.#inner = source instanceof Response ? source : undefined;
    this.#queue = source instanceof Response ? null : source;
    if (this.#queue !== null) unread.register(this, this.#queue, this);
  }

  get status(): number {
    return this.#head.status;
  }

  get statusText(): string {
    return this.#head.statusText;
  }

  get ok(): boolean {
    return this.#head.status >= 200 && this.#head.status < 300;
  }

  get headers(): Headers {
    return this.#head.headers;
  }

  get url(): string {
    return this.#head.url;
  }

  get redirected(): boolean {
    return this.#head.redirected;
  }

  get type(): Response['type'] {
    return this.#head.type;
  }

  get bodyUsed(): boolean {
    return this.#inner?.bodyUsed ?? this.#used;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.#inner !== undefined) return this.#inner.body;
    if (this.#queue === null) return null;
    if (this.#stream !== undefined) return this.#stream;
    this.#stream = this.#streamOf(this.#queue);
    // The body went elsewhere: a second reader would take its bytes.
    if (this.#used) this.#stream.getReader();
    return this.#stream;
  }

  async text(): Promise<string> {
    return decode(await this.#consume());
  }

  async json(): Promise<unknown> {
    return JSON.parse(decode(await this.#consume())) as unknown;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.#consume()).buffer;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#consume());
  }

  async blob(): Promise<Blob> {
    const bytes = new Uint8Array(await this.#consume());
    return new Blob([bytes], { type: this.headers.get('content-type') ?? '' });
  }

  async formData(): Promise<FormData> {
    const bytes = new Uint8Array(await this.#consume());
    return new Response(bytes, { headers: this.headers }).formData();
  }

  clone(): LazyResponse {
    if (this.bodyUsed || this.body?.locked === true) {
      throw new TypeError('Response.clone: Body has already been consumed.');
    }
    if (this.#queue === null && this.#inner === undefined)
      return new LazyResponse(this.#head, null);
    this.#inner ??= new Response(this.body);
    return new LazyResponse(this.#head, this.#inner.clone());
  }

  /** All bytes, once. */
  async #consume(): Promise<Buffer> {
    if (this.#inner !== undefined) return Buffer.from(await this.#inner.arrayBuffer());
    if (this.#queue === null) return Buffer.alloc(0);
    if (this.#used || this.#stream?.locked === true) throw unusable();
    this.#markUsed();
    // Whoever holds the stream sees it locked for good, as after the platform's own text().
    this.#stream?.getReader();
    return this.#queue.rest();
  }

  #markUsed(): void {
    if (this.#used) return;
    this.#used = true;
    unread.unregister(this);
  }

  #streamOf(queue: ByteQueue): ReadableStream<Uint8Array<ArrayBuffer>> {
    const markUsed = (): void => {
      this.#markUsed();
    };
    const source: UnderlyingByteSource = {
      type: 'bytes',
      async pull(controller: ReadableByteStreamController) {
        markUsed();
        const { value, done } = await queue.next();
        if (done) {
          controller.close();
          controller.byobRequest?.respond(0);
        } else {
          controller.enqueue(value);
        }
      },
      cancel(reason: unknown) {
        markUsed();
        queue.cancel(reason);
      },
    };
    // A stream of bytes yields Uint8Arrays over memory of their own; its type does not say so.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const stream = new ReadableStream(source, { highWaterMark: 0 }) as ReadableStream<
      Uint8Array<ArrayBuffer>
    >;
    // `for await (const chunk of response.body)` and `getReader()`, the ways of the SDKs, without the hops of web
    // streams: 0.4 us a chunk instead of 0.9. Either locks the stream as the platform's own would.
    const lock = stream.getReader.bind(stream);
    const iterate = (): AsyncIterableIterator<Uint8Array> => {
      const reader = new QueueReader(queue, lock(), markUsed);
      return {
        async next() {
          const result = await reader.read();
          if (result.done) reader.releaseLock();
          return result;
        },
        async return(value?: unknown) {
          await reader.cancel(value);
          reader.releaseLock();
          return { value: undefined, done: true };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    };
    const getReader = (options?: { mode?: 'byob' }): unknown =>
      options?.mode === undefined ? new QueueReader(queue, lock(), markUsed) : lock(options);
    Object.defineProperties(stream, {
      [Symbol.asyncIterator]: { value: iterate, configurable: true },
      getReader: { value: getReader, configurable: true },
    });
    return stream;
  }
}

Object.defineProperty(LazyResponse.prototype, inspect.custom, {
  value(this: LazyResponse, _depth: number, options: InspectOptions): string {
    const { status, statusText, headers, ok, url, redirected, type, bodyUsed } = this;
    const shown = { status, statusText, headers, ok, url, redirected, type, bodyUsed };
    return `Response ${inspect(shown, options)}`;
  },
});

/** UTF-8 as `text()` reads it: a leading byte order mark is taken off, which `toString` does not do. */
function decode(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function unusable(): TypeError {
  return new TypeError('Body is unusable: Body has already been read', {
    cause: new RouterError(
      'ERR_BODY',
      'The body of a response can be read once; call clone() before the first read to read it twice.',
    ),
  });
}
