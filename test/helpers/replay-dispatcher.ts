import { Dispatcher } from 'undici';

export interface PlayedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Uint8Array[];
}

/**
 * An undici dispatcher that answers from memory, one chunk per turn of the event loop unless `burst`. It honours pause,
 * resume and abort as a connection does.
 */
export class ReplayDispatcher extends Dispatcher {
  readonly #answer: (options: Dispatcher.DispatchOptions) => PlayedAnswer;
  readonly #burst: boolean;

  constructor(answer: (options: Dispatcher.DispatchOptions) => PlayedAnswer, burst = false) {
    super();
    this.#answer = answer;
    this.#burst = burst;
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const { status, headers, chunks } = this.#answer(options);
    const controller = new Controller((reason) => handler.onResponseError?.(controller, reason));
    let next = 0;
    const play = (): void => {
      while (!controller.aborted && !controller.paused) {
        const chunk = chunks[next++];
        if (chunk === undefined) {
          handler.onResponseEnd?.(controller, {});
          return;
        }
        handler.onResponseData?.(controller, Buffer.from(chunk));
        if (!this.#burst) {
          setImmediate(play);
          return;
        }
      }
    };
    controller.play = play;
    queueMicrotask(() => {
      handler.onRequestStart?.(controller, {});
      if (controller.aborted) return;
      handler.onResponseStart?.(controller, status, { ...headers }, 'OK');
      play();
    });
    return true;
  }
}

class Controller implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  play: () => void = () => {};
  readonly #onAbort: (reason: Error) => void;

  constructor(onAbort: (reason: Error) => void) {
    this.#onAbort = onAbort;
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#onAbort(reason);
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
