/** How many values are kept as they are. */
const EXACT = 1_000;
/** How far an answer may be off beyond that, as a share of the value. */
const ACCURACY = 0.01;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);
/** What is smaller counts as 0; what is larger, as this. In milliseconds: a nanosecond, and 30,000 years. */
const MIN = 1e-6;
const MAX = 1e15;

/**
 * Quantiles of any number of values from 0 up in bounded memory: exact for the first 1000, then within 1 % of the value, from
 * counts in buckets of geometric width (DDSketch; Masson, Rim, Lee: VLDB 2019). At most 2,440 buckets.
 */
export class Quantiles {
  #count = 0;
  #max = 0;
  /** `undefined` when there were too many. */
  #values: number[] | undefined = [];
  readonly #buckets = new Map<number, number>();

  get count(): number {
    return this.#count;
  }

  /** How many are in use. */
  get buckets(): number {
    return this.#buckets.size;
  }

  /** Takes numbers from 0 up. */
  add(value: number): void {
    this.#count++;
    if (value > this.#max) this.#max = value;
    if (this.#values === undefined) this.#addToBucket(value);
    else if (this.#values.length < EXACT) this.#values.push(value);
    else {
      this.#toBuckets();
      this.#addToBucket(value);
    }
  }

  merge(other: Quantiles): void {
    if (other.#values !== undefined) {
      for (const value of other.#values) this.add(value);
      return;
    }
    this.#toBuckets();
    this.#count += other.#count;
    this.#max = Math.max(this.#max, other.#max);
    for (const [bucket, count] of other.#buckets) {
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    }
  }

  /** The smallest value that at least this share of all does not exceed; `null` without values. */
  at(share: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    if (this.#values !== undefined) {
      return this.#values.toSorted((a, b) => a - b)[rank - 1] ?? null;
    }
    let seen = 0;
    for (const bucket of [...this.#buckets.keys()].toSorted((a, b) => a - b)) {
      seen += this.#buckets.get(bucket) ?? 0;
      if (seen >= rank) return Math.min(valueOf(bucket), this.#max);
    }
    return this.#max;
  }

  /** Exact; `null` without values. */
  get max(): number | null {
    return this.#count === 0 ? null : this.#max;
  }

  #toBuckets(): void {
    const values = this.#values ?? [];
    this.#values = undefined;
    for (const value of values) this.#addToBucket(value);
  }

  #addToBucket(value: number): void {
    const bucket = value < MIN ? ZERO : Math.ceil(Math.log(Math.min(value, MAX)) / LOG_GAMMA);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }
}

/** Before every other bucket. */
const ZERO = -Infinity;

/** No value of the bucket is further from this than `ACCURACY` of itself. */
function valueOf(bucket: number): number {
  return bucket === ZERO ? 0 : (2 * GAMMA ** bucket) / (GAMMA + 1);
}
