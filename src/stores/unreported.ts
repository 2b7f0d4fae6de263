import type { PoolName, Used } from './types.ts';

/** What was used and not yet reported, by when it was taken. Times are `Clock.now()`. */
export class Unreported {
  readonly #windowMs: number;
  readonly #units: number[] = [];
  /** The latest of each entry: so nothing leaves too early. */
  readonly #takenAt: number[] = [];
  /** The first of the newest entry. */
  #openedAt = 0;
  #spent = 0;

  constructor(window: PoolName['window']) {
    this.#windowMs = window.kind === 'sliding' ? window.windowMs : Infinity;
  }

  get isEmpty(): boolean {
    return this.#units.length === 0;
  }

  /** So much of what is held is gone. What was given back is not the holder's. */
  get spent(): number {
    return this.#spent;
  }

  /** What is close together in time is one entry. */
  add(units: number, takenAt: number): void {
    this.#spent += Math.max(0, units);
    const last = this.#units.length - 1;
    const isClose =
      takenAt >= this.#openedAt && takenAt - this.#openedAt <= this.#windowMs / ENTRIES;
    if (last >= 0 && isClose && units >= 0 === this.#units[last]! >= 0) {
      this.#units[last]! += units;
      this.#takenAt[last] = Math.max(takenAt, this.#takenAt[last]!);
      return;
    }
    this.#openedAt = takenAt;
    this.#units.push(units);
    this.#takenAt.push(takenAt);
    if (this.#units.length > MAX_ENTRIES) this.#joinOldest();
  }

  /** As a store is told. What has left the window meanwhile counts nowhere any more. */
  report(now: number): readonly Used[] {
    const used: Used[] = [];
    for (let i = 0; i < this.#units.length; i++) {
      const agoMs = Math.max(0, Math.floor(now - this.#takenAt[i]!));
      const units = this.#units[i]!;
      if (agoMs < this.#windowMs) used.push({ units, agoMs });
    }
    return used;
  }

  #joinOldest(): void {
    this.#units[1]! += this.#units[0]!;
    this.#takenAt[1] = Math.max(this.#takenAt[0]!, this.#takenAt[1]!);
    this.#units.shift();
    this.#takenAt.shift();
  }
}

const ENTRIES = 240;
/** More than a window has of them: only calls that end in another order than they came need so many. */
const MAX_ENTRIES = 1_000;
