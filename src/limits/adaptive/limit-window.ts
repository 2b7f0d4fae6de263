import type { NamedReading } from '../read-limits.ts';
import { clamp } from './foreign-use.ts';
import { WindowKind } from './window-kind.ts';

/** One limit as heads describe it: how much it is, over which period, and when what was taken of it is there again. */
export class LimitWindow {
  readonly #shape = new WindowKind();
  #limit: number;
  #cap: number;
  /** The cap as the last resets tell it, which are rounded. */
  #seenCap: number | undefined;
  /** Since when the limit is what it is. */
  #changedAt = -Infinity;
  #debt = 0;
  #hasReset = false;
  #wholeAt = Infinity;
  #endsAt = -Infinity;
  #turnedAt = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
    this.#cap = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  /** The most that is ever left: buckets may be smaller than what they refill in their period. */
  get cap(): number {
    return this.#cap;
  }

  get kind(): WindowKind['kind'] {
    return this.#shape.kind;
  }

  get windowMs(): number {
    return this.#shape.windowMs;
  }

  /** What flows in per millisecond, on average. */
  get rate(): number {
    return this.#limit / this.windowMs;
  }

  /** How much more than all of it was taken, by the last head. */
  get debt(): number {
    return this.#debt;
  }

  /** Whether heads say when all of it is there again. */
  get hasReset(): boolean {
    return this.#hasReset;
  }

  /** When all of it is there again, as the provider says: nobody has to wait longer. */
  get wholeAt(): number {
    return this.#wholeAt;
  }

  /** When a fixed window ends. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** When a fixed window last started anew, by our count. */
  get turnedAt(): number {
    return this.#turnedAt;
  }

  /** Takes over what a head says. `sentAt`: when its request was sent. Returns whether the limit is another one now. */
  observe(reading: NamedReading, sentAt: number, now: number): boolean {
    const { limit, remaining, resetMs, coarseMs } = reading;
    const isChanged = limit !== this.#limit;
    if (isChanged) {
      this.#limit = limit;
      this.#cap = limit;
      this.#seenCap = undefined;
      this.#changedAt = sentAt;
      this.#shape.forget();
    }
    this.#shape.observe(reading, sentAt);
    this.#hasReset = resetMs !== undefined;
    if (resetMs === undefined) return isChanged;
    if (this.kind === 'bucket') {
      this.#learnCap(remaining, Math.max(0, resetMs - coarseMs) * this.rate);
    } else {
      this.#cap = limit;
      this.#learnEnd(sentAt + resetMs + TURN_MS, coarseMs, now);
    }
    return isChanged;
  }

  /**
   * Learns from what was sent. Within one period no more than the limit goes through, and at most as much again that was left
   * from before: otherwise the period is shorter. `sent` tells how much went through since a moment.
   */
  check(remaining: number, sentAt: number, sent: (since: number) => number): void {
    const since = Math.max(sentAt - this.windowMs, this.#changedAt);
    if (sent(since) + remaining > 2.2 * this.#limit + 2) this.#shape.refute();
  }

  /** All of it is there again at that time, as far as is known now. */
  expectWhole(at: number): void {
    this.#wholeAt = at;
  }

  /** Whether a fixed window has started anew by now. */
  turn(now: number): boolean {
    if (this.kind !== 'fixed' || now < this.#endsAt) return false;
    const passed = Math.floor((now - this.#endsAt) / this.windowMs);
    this.#turnedAt = this.#endsAt + passed * this.windowMs;
    this.#endsAt = this.#turnedAt + this.windowMs;
    return true;
  }

  /** `missing`: what flows in until the reset. */
  #learnCap(remaining: number, missing: number): void {
    const whole = remaining + missing;
    const before = this.#seenCap ?? whole;
    // More than all of it is missing: others took what was not there any more.
    this.#debt = remaining === 0 ? Math.max(0, whole - before) : 0;
    if (this.#debt > 0) return;
    this.#seenCap = before + CAP_WEIGHT * (whole - before);
    this.#cap = clamp(this.#seenCap, 1, this.#limit);
  }

  /** Times in whole seconds are too late, others too early by the way there. */
  #learnEnd(endsAt: number, coarseMs: number, now: number): void {
    const isSame = Math.abs(endsAt - this.#endsAt) < this.windowMs / 2;
    const best = coarseMs >= 1000 ? Math.min : Math.max;
    this.#endsAt = isSame ? best(this.#endsAt, endsAt) : endsAt;
    this.turn(now);
  }
}

/** Of the newest head's word on the cap. */
const CAP_WEIGHT = 0.2;
/** A window is taken to start anew so much later than heads say. */
export const TURN_MS = 50;
