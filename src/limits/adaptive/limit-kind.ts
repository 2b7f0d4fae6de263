/** Shorter than this, or than this many requests apart, the end of a sliding minute cannot be told from the refill of a bucket. */
const CLEAR_MS = 700;
const CLEAR_TOKENS = 1.6;
/** Nothing comes back for so long but in a window that begins anew: of the first recovery, and of later ones. */
const FIRST_WINDOW_MS = 3000;
const FIRST_WINDOW_TOKENS = 1.3;
const WINDOW_MS = 4000;
const WINDOW_TOKENS = 8;
/** A recovery within so many requests' time is none of a fixed window. */
const BUCKET_TOKENS = 1.5;
/** Believed from here on. */
const LIKELY = 0.5;

/** What one recovery says about the kind of a limit. */
export interface KindEvidence {
  /** It took longer than this until there was room again, and not longer than that. */
  readonly leastMs: number;
  readonly mostMs: number;
  /** After so long the oldest request of the last minute was a minute old. */
  readonly slideMs: number;
  /** The time between two requests at the limit believed in. */
  readonly tokenMs: number;
  /** No limit was known before. */
  readonly isFirst: boolean;
}

/**
 * Whether a limit refills all the time (smooth: a bucket, or a sliding window in fine steps), gives each request back after a
 * minute (sliding), or begins anew all at once (fixed). Seen in when there is room again after a refusal: after one request's
 * time, when the oldest of the minute has become a minute old, or much later.
 */
export class LimitKind {
  /** How much speaks for each, from 0 to 1. */
  #sliding = 0;
  #fixed = 0;
  #longestMs = 0;

  get kind(): 'smooth' | 'sliding' | 'fixed' {
    if (this.#sliding >= LIKELY && this.#sliding > this.#fixed) return 'sliding';
    return this.#fixed >= LIKELY ? 'fixed' : 'smooth';
  }

  /** Whether it is counted in windows, so that what counts is how many were admitted in the last minute. */
  get isWindowed(): boolean {
    return this.kind !== 'smooth';
  }

  /** The longest that a recovery took, in milliseconds: a window is at least that long. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** It refused though fewer were admitted in the last minute than the time before: no sliding minute does that. */
  fell(): void {
    this.#sliding *= 0.6;
  }

  saw({ leastMs, mostMs, slideMs, tokenMs, isFirst }: KindEvidence): void {
    const isClear = slideMs > Math.max(CLEAR_MS, CLEAR_TOKENS * tokenMs);
    const isAfter = isClear && leastMs < slideMs && mostMs >= slideMs;
    // Later recoveries must be near that time to count, for by then it can be chance.
    const isNear = leastMs > 0.35 * slideMs && mostMs < 2 * slideMs + 200;
    const isLike = isAfter && (isFirst || isNear);
    if (isClear && mostMs < 0.85 * slideMs) this.#sliding *= 0.5;
    if (isLike) this.#sliding += (isFirst ? 1 : 0.3) * (1 - this.#sliding);
    if (isFirst) {
      const windowMs = Math.max(FIRST_WINDOW_MS, FIRST_WINDOW_TOKENS * tokenMs);
      this.#fixed = !isLike && leastMs > windowMs ? 1 : 0;
    } else if (!isLike && leastMs > Math.max(WINDOW_TOKENS * tokenMs, WINDOW_MS)) {
      this.#fixed = Math.max(this.#fixed, 0.9);
    } else if (mostMs < BUCKET_TOKENS * tokenMs) {
      this.#fixed *= 0.8;
    }
    this.#longestMs = Math.max(this.#longestMs, mostMs);
  }
}
