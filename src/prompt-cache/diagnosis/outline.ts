import type { Fingerprint, Prompt } from '../types.ts';
import { hashBlock } from './block-text.ts';
import type { Identity, PrefixEnd } from './prompt-change.ts';

/** One line of requests, each the continuation of the one before. Grows with it. */
export interface Outline {
  readonly family: string;
  /** Under which its head is kept, together with the other lines that have the same. */
  readonly headKey: string;
  readonly identity: Identity;
  /** `hashBlock` of the first message of the user; 0 without messages. */
  readonly firstMessage: number;
  /** Under which it can be found. */
  readonly keys: readonly string[];
  /** Blocks of tools and system prompt. */
  readonly start: number;
  /** Of the message blocks; has room for more than `count`. */
  hashes: Uint32Array;
  count: number;
  ends: PrefixEnd[];
  endKey: string;
  seenAt: number;
  /** Memory it was last counted with. */
  bytes: number;
}

/** Takes in the blocks that are new since the last request, and where this one ends. */
export function extend(outline: Outline, prompt: Prompt, fingerprint: Fingerprint): void {
  const { blocks } = prompt;
  const count = blocks.length - outline.start;
  if (count > outline.hashes.length) {
    const larger = new Uint32Array(Math.max(16, 2 ** Math.ceil(Math.log2(count))));
    larger.set(outline.hashes.subarray(0, outline.count));
    outline.hashes = larger;
  }
  for (let i = outline.count; i < count; i++) {
    const block = blocks[outline.start + i];
    if (block !== undefined) outline.hashes[i] = hashBlock(prompt, block);
  }
  outline.count = count;
  const position = blocks.length - 1;
  const hash = fingerprint.at(position);
  if (hash !== undefined && outline.ends.at(-1)?.position !== position) {
    outline.ends.push({ position, hash });
    // Every other one, the last included: a difference is found as reliably, between ends that lie further apart.
    if (outline.ends.length > MAX_ENDS) outline.ends = outline.ends.filter((_, i) => i % 2 === 0);
  }
}

export function outlineBytes({ hashes, ends, keys }: Outline): number {
  return FIXED_BYTES + keys.length * KEY_BYTES + hashes.byteLength + ends.length * END_BYTES;
}

const MAX_ENDS = 64;

/** Measured with 10,000 lines of 40 blocks, rounded up: objects with the digests of the identity, a key, an end. */
const FIXED_BYTES = 1000;
const KEY_BYTES = 200;
const END_BYTES = 100;
