/** Beyond this many in a minute a count says nothing that the pace does not. */
const MAX_ENTRIES = 16_384;

/**
 * When the requests went out that were admitted, or may yet be: what every estimate counts in. In the order of their times,
 * which are distinct. Asking is O(log n); what is refused or fails is taken out again, near the end.
 */
export class AdmissionLog {
  readonly #maxEntries: number;
  #times: Float64Array;
  #start = 0;
  #end = 0;

  constructor(maxEntries: number = MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
    this.#times = new Float64Array(Math.min(64, 2 * maxEntries));
  }

  get size(): number {
    return this.#end - this.#start;
  }

  /** The oldest has been forgotten for want of room, so counts that reach back to it are too low. */
  get isFull(): boolean {
    return this.size === this.#maxEntries;
  }

  add(at: number): void {
    if (this.size === this.#maxEntries) this.#start += 1;
    if (this.#end === this.#times.length) this.#makeRoom();
    this.#times[this.#end] = at;
    this.#end += 1;
  }

  /** Takes one out that was not admitted. `false` when it is not there (any more). */
  remove(at: number): boolean {
    const place = this.#firstFrom(at);
    if (place === this.#end || this.#times[place] !== at) return false;
    this.#times.copyWithin(place, place + 1, this.#end);
    this.#end -= 1;
    return true;
  }

  /** How many went out after `after`, up to and with `until`. */
  count(after: number, until: number): number {
    return Math.max(0, this.#firstAfter(until) - this.#firstAfter(after));
  }

  /** When the n-th after `after` went out; `undefined` when there are not so many. 1 is the first. */
  nthAfter(after: number, n: number): number | undefined {
    const place = this.#firstAfter(after) + n - 1;
    return place < this.#end ? this.#times[place] : undefined;
  }

  #firstAfter(at: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #firstFrom(at: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Moves what is left to the front of an array that is at most half full, so that this is rare. */
  #makeRoom(): void {
    const { size } = this;
    const grown = Math.min(2 * this.#maxEntries, Math.max(64, 4 * size));
    const times = grown > this.#times.length ? new Float64Array(grown) : this.#times;
    times.set(this.#times.subarray(this.#start, this.#end));
    this.#times = times;
    this.#start = 0;
    this.#end = size;
  }
}
