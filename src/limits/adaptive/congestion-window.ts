/** Requests that may be under way at once before anything is known. */
const FIRST_WINDOW = 8;
const MAX_WINDOW = 2000;
/** Streams at this share of the best speed seen are well; below the other, they crawl. */
const WELL = 0.6;
const CRAWLING = 0.42;

/**
 * Keeps a server that queues instead of refusing from being buried: a window that doubles with each round trip while answers come
 * at full speed, and shrinks when they crawl or do not come (the slow start and back-off of TCP, with the speed of streams as
 * the sign of congestion).
 */
export class CongestionWindow {
  #size = FIRST_WINDOW;
  #shrunkAt = -Infinity;
  #hasShrunk = false;

  get size(): number {
    return this.#size;
  }

  /** An answer is complete. `share`: its speed, of the best seen; `undefined` where that is not known. `inFlight` with it. */
  ended(share: number | undefined, inFlight: number, tookMs: number, now: number): void {
    const isUsed = inFlight >= 0.7 * this.#size;
    if (share === undefined ? !this.#hasShrunk : share >= WELL) {
      if (isUsed)
        this.#size = Math.min(MAX_WINDOW, this.#size + (this.#hasShrunk ? 4 / this.#size : 1));
    } else if (share !== undefined && share < CRAWLING && now - this.#shrunkAt > tookMs) {
      this.#shrink(Math.max(3, Math.min(this.#size, inFlight) * 0.7), now);
    }
  }

  timedOut(inFlight: number, now: number): void {
    if (now - this.#shrunkAt > 5000) {
      this.#shrink(Math.max(2, Math.min(this.#size, inFlight + 1) * 0.5), now);
    }
  }

  #shrink(size: number, now: number): void {
    this.#size = size;
    this.#shrunkAt = now;
    this.#hasShrunk = true;
  }
}
