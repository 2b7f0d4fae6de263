import type { Clock } from '../../src/types.ts';
import { CALL_HEADER } from './requests.ts';
import type { Draw } from './draw.ts';
import type { ProcessClock } from './process-clock.ts';
import type { SendRecorder } from './send-log.ts';
import type { WorkCall } from './workload.ts';

export interface LinkOptions {
  readonly provider: typeof globalThis.fetch;
  readonly calls: readonly WorkCall[];
  readonly recorder: SendRecorder;
  readonly clock: Clock;
  readonly process: ProcessClock;
  readonly draw: Draw;
  /** How long the client waits for the head of an answer. */
  readonly timeoutMs: number;
  /** Whether the process may stand still, so that what arrives has to wait for it. */
  readonly mayPause: boolean;
}

/** One way through the network takes so long, in milliseconds: requests sent at once arrive in any order. */
const WAY_MS = [8, 25] as const;

/** A `fetch` between a process and the provider: delays, timeouts, and a record of each request. */
export function createLink(options: LinkOptions): typeof globalThis.fetch {
  const { provider, calls, recorder, clock, process, draw, timeoutMs, mayPause } = options;
  const way = (): Promise<void> =>
    new Promise((resolve) => void clock.setTimeout(resolve, draw.uniform(...WAY_MS)));
  const running = (): Promise<void> =>
    new Promise((resolve) => {
      process.whenRunning(resolve);
    });

  async function exchange(input: FetchInput, init: RequestInit): Promise<Response> {
    await way();
    const response = await provider(input, init);
    await way();
    if (!mayPause || response.body === null) return response;
    const { status, headers } = response;
    const body = response.body.pipeThrough(passingWhen(running));
    return new Response(body, { status, headers });
  }

  return async (input, init = {}) => {
    const number = new Headers(init.headers).get(CALL_HEADER);
    const call = calls[Number(number ?? Number.NaN)];
    if (call === undefined) throw new Error(`A request belongs to no call: ${number}.`);
    const send = recorder.sent(call, clock.now());
    const cut = new AbortController();
    const onAbort = (): void => {
      cut.abort(init.signal?.reason);
    };
    init.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = clock.setTimeout(() => {
      cut.abort(timeoutError());
    }, timeoutMs);
    try {
      const response = await exchange(input, { ...init, signal: cut.signal });
      await running();
      send.status = response.status;
      return response;
    } catch (error) {
      await running();
      send.status = 0;
      throw error;
    } finally {
      clock.clearTimeout(timer);
    }
  };
}

type FetchInput = Parameters<typeof globalThis.fetch>[0];

/** Chunks and the end of a body wait until the process runs. */
function passingWhen(running: () => Promise<void>): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    async transform(chunk, controller) {
      await running();
      controller.enqueue(chunk);
    },
    flush: running,
  });
}

/** As undici reports it through `fetch`. */
function timeoutError(): TypeError {
  const cause = Object.assign(new Error('Headers Timeout Error'), {
    code: 'UND_ERR_HEADERS_TIMEOUT',
  });
  return new TypeError('fetch failed', { cause });
}
