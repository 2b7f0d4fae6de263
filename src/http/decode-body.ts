import { pipeline, type Duplex } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import type { FlowControl } from './byte-queue.ts';

/** Takes encoded bytes in, gives decoded bytes to its receiver. */
export interface BodyDecoder {
  write(chunk: Uint8Array): void;
  end(): void;
  destroy(): void;
  /** The receiver is full, or has room again. */
  pause(): void;
  resume(): void;
}

interface Receiver {
  push(chunk: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
}

/**
 * A decoder for a `content-encoding` field, as `fetch` applies one; `undefined` when there is nothing to decode or a
 * coding is unknown (the bytes then pass as they are, also as in `fetch`).
 *
 * `source` is slowed down while the decoder's own buffer is full.
 */
export function createBodyDecoder(
  contentEncoding: string,
  receiver: Receiver,
  source: Pick<FlowControl, 'pause' | 'resume'>,
): BodyDecoder | undefined {
  const codings = contentEncoding.toLowerCase().split(',');
  if (codings.length > MAX_CODINGS) {
    throw new Error(
      `too many content-encodings in response: ${codings.length}, maximum allowed is ${MAX_CODINGS}`,
    );
  }
  const steps: Duplex[] = [];
  // The codings are listed in the order they were applied (RFC 9110, section 8.4), so they come off from the last.
  for (const coding of codings.toReversed()) {
    const step = decoderFor(coding.trim());
    if (step === undefined) return undefined;
    if (step !== 'identity') steps.push(step);
  }
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined) return undefined;

  last.on('data', (chunk: Buffer) => {
    receiver.push(chunk);
  });
  let settled = false;
  const settle = (error?: Error | null): void => {
    if (settled) return;
    settled = true;
    if (error) receiver.fail(error);
    else receiver.end();
  };
  last.on('end', settle);
  if (steps.length > 1) pipeline(steps, (error) => error && settle(error));
  else first.on('error', settle);

  first.on('drain', () => {
    source.resume();
  });
  return {
    write(chunk) {
      if (!first.write(chunk)) source.pause();
    },
    end: () => first.end(),
    destroy() {
      settled = true;
      for (const step of steps) step.destroy();
    },
    pause: () => last.pause(),
    resume: () => last.resume(),
  };
}

/** As undici's `fetch` has it: each one is a decompressor with memory of its own. */
const MAX_CODINGS = 5;

/** Lenient flushing: what a cut-off body holds is still delivered, as browsers and `fetch` do. */
const zlibOptions = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const brotliOptions = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};

function decoderFor(coding: string): Duplex | 'identity' | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(zlibOptions);
    case 'deflate':
      return createInflate(zlibOptions);
    case 'br':
      return createBrotliDecompress(brotliOptions);
    case 'zstd':
      return createZstdDecompress();
    case 'identity':
    case '':
      return 'identity';
    default:
      return undefined;
  }
}
