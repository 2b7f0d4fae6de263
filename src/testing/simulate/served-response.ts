import { respond } from './timed-response.ts';
import type { Serve } from './traffic/traffic.ts';

/** An answer whose parts come when the server that writes it gets that far. */
export interface ServedAnswer {
  readonly url: string;
  readonly status: number;
  /** Asked for when the head comes. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** The body in pieces; at least one. */
  readonly chunks: readonly string[];
  readonly isStream: boolean;
  readonly signal: AbortSignal | undefined;
  readonly serve: Serve;
}

/**
 * Begins an answer. Resolves when its head comes: of a whole answer with its end. Rejects, and the body fails, with the signal's
 * reason when it is aborted; then, and when the body is cancelled, the rest is not written.
 */
export function servedResponse(answer: ServedAnswer): Promise<Response> {
  const { url, status, headers, chunks, isStream, signal, serve } = answer;
  return new Promise((resolve, reject) => {
    let hasEnded = false;
    let body: StreamedBody | undefined;
    const answered = (content: string | ReadableStream): void => {
      resolve(respond(url, content, { status, headers: headers() }));
    };

    const job = serve(
      (share) => {
        if (isStream) {
          body ??= streamedBody(chunks, () => job.cancel());
          body.deliver(share);
          if (share === 0) answered(body.stream);
        } else if (share === 1) answered(chunks.join(''));
      },
      () => {
        hasEnded = true;
        signal?.removeEventListener('abort', onAbort);
      },
    );
    function onAbort(): void {
      job.cancel();
      body?.fail(signal?.reason);
      reject(signal?.reason);
    }
    if (!hasEnded) signal?.addEventListener('abort', onAbort, { once: true });
  });
}

interface StreamedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Hands over what has come when this share of the answer is there, and closes with all of it. */
  deliver(share: number): void;
  fail(reason: unknown): void;
}

const encoder = new TextEncoder();

function streamedBody(chunks: readonly string[], onCancel: () => void): StreamedBody {
  let delivered = 0;
  let controller: ReadableByteStreamController | undefined;
  const stream = new ReadableStream({
    type: 'bytes',
    start(given) {
      controller = given;
    },
    cancel: onCancel,
  });
  return {
    stream,
    deliver(share) {
      // The first chunk comes with the head, the last at the end, the others evenly between.
      const last = Math.floor(share * (chunks.length - 1) + 1e-9);
      for (; delivered <= last; delivered++) controller?.enqueue(encoder.encode(chunks[delivered]));
      if (share < 1) return;
      controller?.close();
      controller?.byobRequest?.respond(0);
    },
    fail: (reason) => controller?.error(reason),
  };
}
