/** The largest of the last 32 to 64 numbers. */
export class Largest {
  #before = -Infinity;
  #latest = -Infinity;
  #count = 0;

  /** `undefined` before the first. */
  get value(): number | undefined {
    const value = Math.max(this.#before, this.#latest);
    return value === -Infinity ? undefined : value;
  }

  add(value: number): void {
    this.raise(value);
    if (++this.#count < BATCH) return;
    this.#before = this.#latest;
    this.#latest = -Infinity;
    this.#count = 0;
  }

  /** It is going to be at least that, but is not known yet. */
  raise(value: number): void {
    if (value > this.#latest) this.#latest = value;
  }
}

const BATCH = 32;
