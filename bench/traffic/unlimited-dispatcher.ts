import type { Dispatcher } from 'undici';
import { NullDispatcher } from '../null-dispatcher.ts';

/** A provider without sockets that tells its limits with every answer; no loop reaches them. */
export class UnlimitedDispatcher extends NullDispatcher {
  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    return super.dispatch(options, new Unlimited(handler));
  }
}

const LIMITS = {
  'x-ratelimit-limit-requests': '1000000000',
  'x-ratelimit-limit-tokens': '1000000000',
  'x-ratelimit-remaining-requests': '1000000000',
  'x-ratelimit-remaining-tokens': '1000000000',
  'x-ratelimit-reset-requests': '0ms',
  'x-ratelimit-reset-tokens': '0ms',
};

class Unlimited implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;

  constructor(handler: Dispatcher.DispatchHandler) {
    this.#handler = handler;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[]>,
    message?: string,
  ): void {
    this.#handler.onResponseStart?.(controller, status, Object.assign(headers, LIMITS), message);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(
    controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[]>,
  ): void {
    this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#handler.onResponseError?.(controller, error);
  }
}
