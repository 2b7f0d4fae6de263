import type { Entry } from './ledger.ts';

/** What two heads of the same limit are compared by. Amounts are in the limit's unit, times in milliseconds. */
export interface Evidence {
  /** The request whose head it is. */
  readonly entry: Entry;
  readonly remaining: number;
  /** What this request took itself. */
  readonly cost: number;
  /** How far off our own count may be at that moment. */
  readonly doubt: number;
}

/** What is known of the limit itself. */
export interface Refill {
  /** Per millisecond. */
  readonly rate: number;
  /** The most that there can be. */
  readonly cap: number;
  /** When there last was as much. What would have flowed in is lost, and not taken by others. */
  readonly fullAt: number;
  /** `remaining` is rounded to this. */
  readonly quantum: number;
  /** Whether our own use is known exactly, as that of requests is and that of tokens is not. */
  readonly isExact: boolean;
  /** How far off our own use may be, as a share of it. */
  readonly error: number;
}

/**
 * What others take of a limit that is shared with us: other processes, other users of the same key. It is what is missing
 * from one head to the next beside our own use, as far as it cannot be a rounding or a wrong estimate of ours.
 */
export class ForeignUse {
  /** What others take per millisecond, as of the last evidence. */
  #rate = 0;
  /** How much what they take differs from that. */
  #scatter = 0;
  #last: Evidence | undefined;

  /** The request since which our own use is to be told with the next evidence. */
  get since(): Entry | undefined {
    return this.#last?.entry;
  }

  /** Whether evidence of this moment says anything. `isExact`: as in `Refill`. */
  isDue(sentAt: number, isExact: boolean): boolean {
    const leastMs = isExact ? LEAST_MS.exact : LEAST_MS.rough;
    return this.#last === undefined || sentAt - this.#last.entry.sentAt >= leastMs;
  }

  /** `refillRate`: of the whole limit, per millisecond. */
  isShared(refillRate: number): boolean {
    return this.#rate > SHARED * refillRate;
  }

  /** What others take per millisecond. Old evidence is forgotten: else a wrong belief would stop what could correct it. */
  rateAt(age: number): number {
    if (this.#rate === 0) return 0;
    return this.#rate * Math.exp(-Math.max(0, age - FRESH_MS) / FORGET_MS);
  }

  /** What others may have taken before we see it: what they take on average and twice its scatter. */
  margin(unseenMs: number, meanCost: number): number {
    const taken = this.#rate * unseenMs;
    return 0.5 * taken + 1.5 * Math.sqrt(taken * meanCost) + 0.5 * this.#scatter;
  }

  forget(): void {
    this.#rate = 0;
    this.#scatter = 0;
    this.#last = undefined;
  }

  /** To be called when it is due. `own`: what we used since the last evidence; `undefined` when that is not known. */
  observe(evidence: Evidence, own: number | undefined, refill: Refill): void {
    const last = this.#last;
    if (last === undefined || own === undefined) {
      this.#last = evidence;
      return;
    }
    const { isExact, rate } = refill;
    const elapsed = evidence.entry.sentAt - last.entry.sentAt;
    const grown = last.remaining + elapsed * rate - own;
    // A bucket that was full lost what would have flowed into it. Then only so much is certain to be left of it.
    const wasFull = grown > refill.cap || refill.fullAt > last.entry.sentAt;
    const expected = wasFull ? Math.min(grown, refill.cap - own) : grown;
    const missing = expected - evidence.remaining;
    const noise =
      (isExact ? 1.02 : 1.5 * refill.quantum + SIGMAS * refill.error * own) +
      evidence.doubt +
      last.doubt;
    const isFull =
      evidence.remaining + evidence.cost + evidence.doubt >= refill.cap - refill.quantum;
    const isLong = elapsed >= (isExact ? SPAN_MS.exact : SPAN_MS.rough);
    if (missing <= noise && !isLong && !isFull) return;
    this.#last = evidence;
    // Where more may be missing than is certain, only more than is known of says anything.
    const isUnsure = wasFull && !isFull && missing <= Math.max(noise, this.#rate * elapsed);
    if (isUnsure) this.#rate *= Math.exp(-elapsed / UNSURE_MS);
    else this.#learn(isFull ? 0 : missing, noise, elapsed, refill);
  }

  #learn(missing: number, noise: number, elapsed: number, refill: Refill): void {
    const isClear = Math.abs(missing) > noise;
    const taken = isClear || this.isShared(refill.rate) ? missing : 0;
    const expected = this.#rate * elapsed;
    const weight = clamp(elapsed / (taken > expected ? RISE_MS : FALL_MS), 0.05, 0.7);
    const off = taken === 0 ? 0 : Math.abs(taken - expected) * Math.min(1, 2000 / elapsed);
    this.#scatter += weight * (off - this.#scatter);
    this.#rate += weight * (taken / elapsed - this.#rate);
    // Never believe that nothing is left for us.
    this.#rate = clamp(this.#rate, 0, MOST * refill.rate);
    if (!isClear && !this.isShared(refill.rate)) this.#rate = 0;
  }
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Others count from this share of the rate on. */
const SHARED = 0.03;
const MOST = 0.9;
const FRESH_MS = 4000;
const FORGET_MS = 15_000;
/** What cannot be told any more is forgotten slowly. */
const UNSURE_MS = 60_000;
const RISE_MS = 5000;
const FALL_MS = 12_000;
/** Heads that are closer together say nothing, since what they say is rounded. */
const LEAST_MS = { exact: 400, rough: 4000 };
/** After so long, that nothing is missing is evidence too. */
const SPAN_MS = { exact: 5000, rough: 15_000 };
/** Estimates of tokens are off by their mean error: a tenant must show against so much of it. */
const SIGMAS = 3.7;
