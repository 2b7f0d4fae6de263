/**
 * What was used in a sliding window, by when it leaves it. Exact until there are many entries; then those that leave within the
 * same 64th of the window leave together, with the last of them: the sum is never too low.
 */
export class UseLog {
  readonly #windowMs: number;
  /** Ascending; `#units` goes with it. */
  readonly #leavesAt: number[] = [];
  readonly #units: number[] = [];
  #total = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  total(now: number): number {
    const left = this.#leavesAt.findIndex((at) => at > now);
    const count = left < 0 ? this.#leavesAt.length : left;
    if (count > 0) {
      this.#leavesAt.splice(0, count);
      for (const units of this.#units.splice(0, count)) this.#total -= units;
    }
    return this.#total;
  }

  /** Negative units are taken from what leaves until then, the latest first, as far as there are any. */
  add(units: number, leavesAt: number): void {
    if (units < 0) return this.#takeBack(-units, leavesAt);
    if (units === 0) return;
    let place = this.#leavesAt.length;
    while (place > 0 && this.#leavesAt[place - 1]! > leavesAt) place--;
    this.#total += units;
    if (this.#leavesAt[place - 1] === leavesAt) {
      this.#units[place - 1]! += units;
      return;
    }
    this.#leavesAt.splice(place, 0, leavesAt);
    this.#units.splice(place, 0, units);
    if (this.#leavesAt.length > MAX_ENTRIES) this.#compact();
  }

  /** When at most `most` is left; `undefined` when all that leaves is not enough. */
  leavesUntil(most: number): number | undefined {
    let left = this.#total;
    for (let i = 0; i < this.#units.length; i++) {
      left -= this.#units[i]!;
      if (left <= most) return this.#leavesAt[i];
    }
    return undefined;
  }

  #takeBack(units: number, leavesAt: number): void {
    let rest = units;
    for (let i = this.#units.length - 1; i >= 0 && rest > 0; i--) {
      if (this.#leavesAt[i]! > leavesAt) continue;
      const back = Math.min(rest, this.#units[i]!);
      this.#units[i]! -= back;
      this.#total -= back;
      rest -= back;
    }
  }

  #compact(): void {
    const cellMs = Math.max(1, Math.ceil(this.#windowMs / CELLS));
    let kept = 0;
    for (let i = 1; i < this.#units.length; i++) {
      const leavesAt = this.#leavesAt[i]!;
      const isSameCell =
        Math.floor(leavesAt / cellMs) === Math.floor(this.#leavesAt[kept]! / cellMs);
      if (!isSameCell) kept++;
      this.#units[kept] = isSameCell ? this.#units[kept]! + this.#units[i]! : this.#units[i]!;
      this.#leavesAt[kept] = leavesAt;
    }
    this.#leavesAt.length = kept + 1;
    this.#units.length = kept + 1;
  }
}

/** Two cells more than a window has, at least, so that a compaction always makes room. */
const MAX_ENTRIES = 128;
const CELLS = 64;
