import type { Random } from '../types.ts';

/**
 * How a replayed body is cut.
 *
 * - `recorded`: as it arrived when it was recorded; whole when that is not known.
 * - `whole`: in one piece.
 * - `event`: after every blank line, so that each chunk is one server-sent event.
 * - a number: in pieces of so many bytes.
 * - a function: it gives the lengths; what is left over is the last piece.
 */
export type Chunks =
  | 'recorded'
  | 'whole'
  | 'event'
  | number
  | ((bytes: Uint8Array, random: Random) => readonly number[]);

/** Where the chunks of a body end, rising; the end of the body itself may be missing. */
export function chunkEnds(
  bytes: Uint8Array,
  chunks: Chunks,
  recorded: readonly number[] | undefined,
  random: Random,
): number[] {
  switch (chunks) {
    case 'recorded':
      return endsOf(recorded ?? []);
    case 'whole':
      return [];
    case 'event':
      return eventEnds(bytes);
    default:
      break;
  }
  if (typeof chunks === 'function') return endsOf(chunks(bytes, random));
  if (!Number.isInteger(chunks) || chunks < 1) {
    throw new RangeError(`chunks: expected a whole number of at least 1 byte, got ${chunks}`);
  }
  return Array.from({ length: Math.floor(bytes.length / chunks) }, (_, i) => (i + 1) * chunks);
}

function endsOf(lengths: readonly number[]): number[] {
  let end = 0;
  return lengths.map((length) => {
    if (Number.isInteger(length) && length >= 0) return (end += length);
    throw new RangeError(`chunks: expected lengths of 0 or more whole bytes, got ${length}`);
  });
}

function eventEnds(bytes: Uint8Array): number[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return [...text.matchAll(/(?:\r\n|\n|\r(?!\n)){2,}/g)].map(
    ({ 0: gap, index }) => index + gap.length,
  );
}
