/** What of a request is added up: itself, its input, and the output that it may have. */
export type Amount = 'requests' | 'input' | 'most';

/**
 * The requests of the last minutes, numbered in the order of sending, and how much any run of them took. Amounts may be corrected
 * afterwards. Everything takes O(log n) time; a lane that sends little keeps little. Moments of sending must rise.
 */
export class SentLog {
  #capacity = LEAST;
  /** Number of the next request, counted from 0. */
  #next = 0;
  /** Number of the oldest request that is still known. */
  #first = 0;
  #times = new Float64Array(LEAST);
  #sums: Record<Amount, Sums> = emptySums(LEAST);

  /** Takes note of a request, and returns its number. */
  add(sentAt: number): number {
    if (this.#next - this.#first === this.#capacity) this.#makeRoom(sentAt);
    this.#times[this.#slot(this.#next)] = sentAt;
    return this.#next++;
  }

  /** How much it took, as known by now. Forgotten requests stay forgotten. */
  set(number: number, amount: Amount, value: number): void {
    if (number >= this.#first) this.#sums[amount].set(this.#slot(number), value);
  }

  /** How much the requests took from one number up to, but without, another. */
  sum(amount: Amount, from: number, to: number): number {
    const first = Math.max(from, this.#first);
    const last = Math.min(to, this.#next);
    if (last <= first) return 0;
    const sums = this.#sums[amount];
    const begin = this.#slot(first);
    if (last === first + 1) return sums.values[begin]!;
    const end = begin + (last - first);
    if (end <= this.#capacity) return sums.before(end) - sums.before(begin);
    return sums.total - sums.before(begin) + sums.before(end - this.#capacity);
  }

  /** When the requests were sent that took something, after `time`. */
  moments(amount: Amount, after: number): number[] {
    const moments: number[] = [];
    for (let number = this.firstAfter(after); number < this.#next; number++) {
      const slot = this.#slot(number);
      if (this.#sums[amount].values[slot] !== 0) moments.push(this.#times[slot]!);
    }
    return moments;
  }

  /** Whether this request and all after it are still known. */
  reaches(number: number): boolean {
    return number >= this.#first;
  }

  /** Number of the first known request that was sent after `time`; the next one to be sent when there is none. */
  firstAfter(time: number): number {
    let low = this.#first;
    let high = this.#next;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times[this.#slot(middle)]! <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #slot(number: number): number {
    return number & (this.#capacity - 1);
  }

  #makeRoom(now: number): void {
    const oldest = this.#times[this.#slot(this.#first)]!;
    if (this.#capacity < MOST && now - oldest < KEEP_MS) this.#grow();
    else {
      for (const amount of AMOUNTS) this.#sums[amount].set(this.#slot(this.#first), 0);
      this.#first++;
    }
  }

  #grow(): void {
    const [slotBefore, times, sums] = [this.#capacity - 1, this.#times, this.#sums];
    this.#capacity *= 2;
    this.#times = new Float64Array(this.#capacity);
    this.#sums = emptySums(this.#capacity);
    for (let number = this.#first; number < this.#next; number++) {
      const from = number & slotBefore;
      this.#times[this.#slot(number)] = times[from]!;
      for (const amount of AMOUNTS) {
        this.#sums[amount].set(this.#slot(number), sums[amount].values[from]!);
      }
    }
  }
}

/** Prefix sums that take a change in O(log n): a Fenwick tree. */
class Sums {
  readonly values: Float64Array;
  total = 0;
  readonly #tree: Float64Array;

  constructor(size: number) {
    this.values = new Float64Array(size);
    this.#tree = new Float64Array(size + 1);
  }

  set(at: number, value: number): void {
    const change = value - this.values[at]!;
    if (change === 0) return;
    this.values[at] = value;
    this.total += change;
    for (let node = at + 1; node < this.#tree.length; node += node & -node) {
      this.#tree[node]! += change;
    }
  }

  /** The sum of the first `count` values. */
  before(count: number): number {
    let sum = 0;
    for (let node = count; node > 0; node -= node & -node) sum += this.#tree[node]!;
    return sum;
  }
}

function emptySums(size: number): Record<Amount, Sums> {
  return {
    requests: new Sums(size),
    input: new Sums(size),
    most: new Sums(size),
  };
}

const AMOUNTS: readonly Amount[] = ['requests', 'input', 'most'];
/** Powers of two. A full log takes 230 KB and holds 27 s of 9,000 requests a minute. */
const LEAST = 64;
const MOST = 4096;
/** Younger requests are worth more room: answers may begin so late. */
const KEEP_MS = 120_000;
