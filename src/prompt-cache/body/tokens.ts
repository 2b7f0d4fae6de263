/** Estimate for an image, a recording or a document that is sent as data. */
export const MEDIA_TOKENS = 1500;

/** UTF-8 bytes of one token, roughly, in the JSON text of a prompt. */
const BYTES_PER_TOKEN = 4;

/**
 * Estimated tokens of a part of a text, at least 1: a quarter of its UTF-8 bytes. How many bytes a character has is
 * sampled at 16 places, or at all of a short one: counting them took as long as finding the blocks.
 */
export function estimateTokens(text: string, start: number, end: number): number {
  const length = end - start;
  const step = Math.max(1, Math.floor(length / SAMPLES));
  let bytes = 0;
  let samples = 0;
  for (let i = start; i < end; i += step) {
    const c = text.charCodeAt(i);
    // A surrogate is half of a character of four bytes.
    bytes += c < 0x80 ? 1 : c < 0x800 || (c >= 0xd800 && c <= 0xdfff) ? 2 : 3;
    samples++;
  }
  if (samples === 0) return 1;
  return Math.max(1, Math.round((length * bytes) / samples / BYTES_PER_TOKEN));
}

const SAMPLES = 16;
