import { Dispatcher } from 'undici';
import { chatAnswer, chatStream } from './inputs/answers.ts';

/**
 * An undici dispatcher without sockets: a client's CPU time over it is the client's own JavaScript and garbage. Paths
 * mean what they mean to the server (`/json/…` whole, `/turns/…` as a stream); a stream gives one frame in each turn of
 * the event loop, so that nobody can take several frames at once.
 */
export class NullDispatcher extends Dispatcher {
  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const { body } = options;
    // `fetch` gives its body in pieces, and its request ends when they are taken.
    if (isIterable(body)) void drain(body).then(() => answer(options, handler));
    else queueMicrotask(() => answer(options, handler));
    return true;
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

function answer(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
  if (options.path.startsWith('/json/')) {
    answerWhole(handler);
    return;
  }
  const asked = typeof options.body === 'string' && options.body.includes('"include_usage":true');
  answerStream(asked ? STREAM_WITH_USAGE : STREAM, handler);
}

function answerWhole(handler: Dispatcher.DispatchHandler): void {
  const controller = new Controller(WHOLE.rawHeaders);
  handler.onRequestStart?.(controller, {});
  // A parser makes a new object for every answer.
  handler.onResponseStart?.(controller, 200, { ...WHOLE.headers }, 'OK');
  for (const chunk of WHOLE.chunks) handler.onResponseData?.(controller, chunk);
  handler.onResponseEnd?.(controller, {});
}

function answerStream(
  { headers, rawHeaders, chunks }: Played,
  handler: Dispatcher.DispatchHandler,
): void {
  const controller = new Controller(rawHeaders);
  let next = 0;
  const play = (): void => {
    if (controller.aborted || controller.paused) return;
    const chunk = chunks[next++];
    if (chunk === undefined) {
      handler.onResponseEnd?.(controller, {});
      return;
    }
    handler.onResponseData?.(controller, chunk);
    setImmediate(play);
  };
  controller.play = play;
  handler.onRequestStart?.(controller, {});
  handler.onResponseStart?.(controller, 200, { ...headers }, 'OK');
  setImmediate(play);
}

class Controller implements Dispatcher.DispatchController {
  readonly rawHeaders: Buffer[];
  aborted = false;
  paused = false;
  reason: Error | null = null;
  play: () => void = () => {};

  constructor(rawHeaders: Buffer[]) {
    this.rawHeaders = rawHeaders;
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    setImmediate(this.play);
  }
}

interface Played {
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: Buffer[];
  readonly chunks: readonly Buffer[];
}

function played(headers: Readonly<Record<string, string>>, chunks: readonly Uint8Array[]): Played {
  return {
    headers,
    rawHeaders: Object.entries(headers)
      .flat()
      .map((text) => Buffer.from(text)),
    chunks: chunks.map((chunk) => Buffer.from(chunk)),
  };
}

function isIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function drain(body: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of body);
}

const { headers, body } = chatAnswer();
const WHOLE = played({ ...headers, 'content-length': String(body.length) }, [body]);
const STREAM = played(chatStream(false).headers, chatStream(false).frames);
const STREAM_WITH_USAGE = played(chatStream(true).headers, chatStream(true).frames);
