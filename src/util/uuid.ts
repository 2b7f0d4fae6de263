import type { Random } from '../types.ts';

let lastMs = -1;
let lastTime = '';

/**
 * A UUID of version 7 (RFC 9562): 48 bits of time, then 74 random bits. Written here because
 * `crypto.randomUUIDv7` exists from Node 24.21 only and takes neither clock nor random source.
 */
export function uuidv7(epochMs: number, random: Random): string {
  const ms = Math.floor(epochMs);
  if (ms !== lastMs) {
    const hex = ms.toString(16).padStart(12, '0');
    lastTime = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
    lastMs = ms;
  }
  const a = 0x7000 + Math.floor(random() * 0x1000);
  const b = 0x8000 + Math.floor(random() * 0x4000);
  // A leading 1 keeps the zeros; it is cut off again.
  const c = 0x1000000 + Math.floor(random() * 0x1000000);
  const d = 0x1000000 + Math.floor(random() * 0x1000000);
  const head = `${lastTime}${a.toString(16)}-${b.toString(16)}-`;
  return head + c.toString(16).slice(1) + d.toString(16).slice(1);
}
