/**
 * The byte strings of one encoding and their ranks: an open-addressing hash table on typed arrays.
 *
 * A `Map` keyed by strings would need a new string per look-up and rehashes everything at once whenever it grows.
 * Here a look-up allocates nothing.
 */
export class RankTable {
  /** Bytes of the longest token; no longer byte string can be found. */
  longest = 0;
  /** Token number + 1 by hash; 0 is an empty slot. */
  readonly #slots: Int32Array;
  /** Where a token's bytes start in `#bytes`, by token number; one more entry gives the last one's end. */
  readonly #starts: Uint32Array;
  readonly #ranks: Int32Array;
  readonly #bytes: Uint8Array;
  #size = 0;

  /** Both bounds must hold: the table never grows. */
  constructor(maxTokens: number, maxBytes: number) {
    // One slot at least stays empty, where a search ends; rank files fill less than half of the bound on their tokens.
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(maxTokens + 1)));
    this.#starts = new Uint32Array(maxTokens + 1);
    this.#ranks = new Int32Array(maxTokens);
    this.#bytes = new Uint8Array(maxBytes);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the token `bytes[0, length)`, which must not be in the table yet. */
  add(bytes: Uint8Array, length: number, rank: number): void {
    const start = this.#starts[this.#size]!;
    for (let i = 0; i < length; i++) this.#bytes[start + i] = bytes[i]!;
    this.#ranks[this.#size] = rank;
    const mask = this.#slots.length - 1;
    let slot = hash(bytes, 0, length) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#size++;
    this.#slots[slot] = this.#size;
    this.#starts[this.#size] = start + length;
    if (length > this.longest) this.longest = length;
  }

  /** The rank of `bytes[start, end)`; -1 when these bytes are no token. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > this.longest) return -1;
    const mask = this.#slots.length - 1;
    let slot = hash(bytes, start, end) & mask;
    for (;;) {
      const token = this.#slots[slot]! - 1;
      if (token < 0) return -1;
      const from = this.#starts[token]!;
      if (this.#starts[token + 1]! - from === length && this.#matches(from, bytes, start, length)) {
        return this.#ranks[token]!;
      }
      slot = (slot + 1) & mask;
    }
  }

  #matches(from: number, bytes: Uint8Array, start: number, length: number): boolean {
    for (let i = 0; i < length; i++) {
      if (this.#bytes[from + i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

/** FNV-1a, with the high bits mixed down because only the low ones choose the slot. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h ^ (h >>> 15);
}
