import type { StreamEvent } from '../types.ts';

/**
 * A piece of an answer's bytes, read as latin1: every byte is one character, so a cut inside a UTF-8 sequence
 * harms nothing and offsets are byte offsets.
 */
export interface Batch {
  /** Starts where a frame starts. */
  readonly text: string;
  /** So many characters at the start were already seen and complete no frame. */
  readonly known: number;
  /** Where the middle of the first frame was left out because it is longer than the bound; 0 when it was not. */
  readonly gap: number;
  /** Nothing follows: what is left is the last frame, complete or not. */
  readonly last: boolean;
}

/** Cuts an answer into frames and tells their events. */
export interface Framing {
  /** Reads the batch's complete frames and returns how many characters they take; the rest comes again. */
  read(batch: Batch): number;
}

export interface FramingOptions {
  /** Beside the first event only frames that hold one of these are read; an empty list reads all. No line ends. */
  readonly marks: readonly string[];
  readonly limits: FrameLimits;
  readonly onEvent: (event: StreamEvent) => void;
}

export interface FrameLimits {
  /** A longer frame or document is not kept whole. */
  readonly maxFrameBytes: number;
  /** What is kept of it: so many bytes of its start and so many of its end. */
  readonly keepBytes: number;
}

/** A frame that is longer than the bound, as its two ends; `undefined` when it is short enough to read as it is. */
export function endsOfLongFrame(
  frame: string,
  gap: number,
  limits: FrameLimits,
): readonly [head: string, tail: string] | undefined {
  if (gap === 0 && frame.length <= limits.maxFrameBytes) return undefined;
  return [frame.slice(0, limits.keepBytes), frame.slice(-limits.keepBytes)];
}
