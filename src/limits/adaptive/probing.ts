import type { Random } from '../../types.ts';

/** After a recovery the limit is believed for so long. Short, because the first estimate is rough. */
const FIRST_HOLD_MS = 20_000;
/** Each probe that changes nothing doubles the time to the next. */
const GROWTH = 2;
/** The longest between two probes: a limit that was raised is found within ten minutes. */
const MAX_HOLD_MS = 600_000;
/** While it is well below the best of late it has probably been lowered for a time, and comes back. */
const MAX_HOLD_BELOW_BEST_MS = 120_000;
/** A probe ends in a refusal; so many of all requests may be lost to them. */
const REFUSED_SHARE = 0.005;
/** The best limit seen is forgotten when nothing came near it for so long. */
const BEST_MS = 900_000;
/** After a refusal that too many at once explain, the rate has not been tested: soon. */
const EXCUSED_MS = 5000;
/** How much more the first probe asks for. Halved down to the least while probes find nothing, then from the start. */
const FIRST_GAIN = 1.2;
const LEAST_GAIN = 1.06;
/** Times are spread by this share around their mean, so that many processes with one key do not probe together. */
const SPREAD = 0.3;

/** When to try for more than the limit believed in, and how much more. Limits are in requests a minute. */
export class Probing {
  readonly #random: Random;
  #holdMs = FIRST_HOLD_MS;
  #nextAt = Infinity;
  #best = 0;
  #bestAt = 0;
  /** The limit that the last probes were about. */
  #settled: number | undefined;
  #gain = FIRST_GAIN;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The highest limit of late; 0 before the first. */
  get best(): number {
    return this.#best;
  }

  isDue(now: number): boolean {
    return now >= this.#nextAt;
  }

  /** What to multiply the limit by. */
  gain(limit: number): number {
    return this.#isBelowBest(limit) ? FIRST_GAIN : this.#gain;
  }

  /** This limit is held, and all of it is wanted. */
  held(limit: number, now: number): void {
    if (limit >= this.#best || now - this.#bestAt > BEST_MS) {
      this.#best = limit;
      this.#bestAt = now;
    } else if (limit > 0.9 * this.#best) {
      this.#bestAt = now;
    }
  }

  begins(limit: number): void {
    if (this.#isSettled(limit)) this.#holdMs *= GROWTH;
    else this.#changed(limit);
  }

  /** It found nothing: the next asks for less, which shows a limit more exactly, and every now and then for much. */
  closer(): void {
    this.#gain = this.#gain < LEAST_GAIN ? FIRST_GAIN : 1 + (this.#gain - 1) / 2;
  }

  /** From now on this limit is believed. */
  schedule(limit: number, now: number): void {
    if (this.#settled === undefined || limit < 0.75 * this.#settled) this.#changed(limit);
    const longest = this.#isBelowBest(limit) ? MAX_HOLD_BELOW_BEST_MS : MAX_HOLD_MS;
    const most = Math.min(longest, 60_000 / (limit * REFUSED_SHARE));
    this.#holdMs = Math.min(this.#holdMs, Math.max(FIRST_HOLD_MS, most));
    this.#nextAt = now + this.#holdMs * (1 - SPREAD / 2 + SPREAD * this.#random());
  }

  /** A refusal was not about the rate. */
  excused(limit: number, now: number): void {
    this.#changed(limit);
    this.#nextAt = now + EXCUSED_MS;
  }

  #isBelowBest(limit: number): boolean {
    return limit < 0.7 * this.#best;
  }

  #isSettled(limit: number): boolean {
    const settled = this.#settled;
    return settled !== undefined && limit > 0.75 * settled && limit < 1.25 * settled;
  }

  #changed(limit: number): void {
    this.#settled = limit;
    this.#holdMs = FIRST_HOLD_MS;
    this.#gain = FIRST_GAIN;
  }
}
