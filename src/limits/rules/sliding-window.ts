import type { CountingWindow } from './counting-window.ts';
import { waitUntil } from './wait-until.ts';

/**
 * Adds up what was counted in the last `windowMs` milliseconds. What comes within `slotMs` of each other shares a slot and
 * leaves together when the last of it is old enough: so the sum is never too low, and a slot more than the window holds is all
 * that has to be kept. With `slotMs` 0 it is exact.
 */
export class SlidingWindow implements CountingWindow {
  readonly #windowMs: number;
  readonly #slotMs: number;
  /** When each slot leaves and what it holds, oldest first. */
  readonly #leavesAt: number[] = [];
  readonly #amounts: number[] = [];
  /** The oldest slot that has not left. */
  #first = 0;
  /** Slots that are no longer in the lists: what a slot's name is counted from. */
  #dropped = 0;
  /** When the newest slot was opened. */
  #openedAt = -Infinity;
  #total = 0;

  constructor(windowMs: number, slotMs: number = windowMs / SLOTS) {
    this.#windowMs = windowMs;
    this.#slotMs = slotMs;
  }

  total(now: number): number {
    this.#expire(now);
    return this.#total;
  }

  /** Counts at `now`. Returns the name of the slot, for corrections. */
  add(amount: number, now: number): number {
    this.#expire(now);
    this.#total += amount;
    const last = this.#amounts.length - 1;
    const leavesAt = now + this.#windowMs;
    const isFull = last - this.#first + 1 >= MAX_SLOTS;
    if (last >= this.#first && (isFull || now - this.#openedAt <= this.#slotMs)) {
      this.#amounts[last]! += amount;
      this.#leavesAt[last] = leavesAt;
      return this.#dropped + last;
    }
    this.#openedAt = now;
    this.#amounts.push(amount);
    this.#leavesAt.push(leavesAt);
    return this.#dropped + last + 1;
  }

  /** Adds to what a slot holds; nothing when it has left. */
  correct(slot: number, by: number): void {
    const index = slot - this.#dropped;
    if (index < this.#first) return;
    this.#amounts[index]! += by;
    this.#total += by;
  }

  /** Milliseconds until at most `most` is left, if nothing is added; 0 when that is so now. `most` is at least 0. */
  waitMs(most: number, now: number): number {
    this.#expire(now);
    let left = this.#total;
    if (left <= most) return 0;
    const amounts = this.#amounts;
    let index = this.#first;
    for (; index < amounts.length - 1; index++) {
      left -= amounts[index]!;
      if (left <= most) break;
    }
    return waitUntil(this.#leavesAt[index]!, now);
  }

  settle(): void {}

  #expire(now: number): void {
    const leavesAt = this.#leavesAt;
    let first = this.#first;
    if (first === leavesAt.length || leavesAt[first]! > now) return;
    while (first < leavesAt.length && leavesAt[first]! <= now)
      this.#total -= this.#amounts[first++]!;
    this.#first = first;
    if (first * 2 < leavesAt.length || first < FEW) return;
    leavesAt.splice(0, first);
    this.#amounts.splice(0, first);
    this.#dropped += first;
    this.#first = 0;
  }
}

const SLOTS = 60;
/** What comes beyond is counted with the newest. */
export const MAX_SLOTS = 4096;
/** Dead slots that are not worth moving the others for. */
const FEW = 32;
