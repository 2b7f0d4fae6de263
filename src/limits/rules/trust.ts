/**
 * How many requests may rely on what others took. A limit has to hold although the next request may take more than any before:
 * of `n + 1` requests, one is likely to be larger than `n` others.
 */
export class Trust {
  #seen = 0;
  /** Requests under way that rely on it. */
  #relying = 0;

  /** Whether one more may rely on it. When enough was seen, what some take more the others leave. */
  get hasRoom(): boolean {
    return this.#seen >= ENOUGH || this.#relying < 1 + this.#seen / SEEN_PER_ONE;
  }

  /** The same where a few of the largest size make up the limit, so that hardly more than one may turn out larger. */
  get hasRoomIfTight(): boolean {
    return this.#relying < 1 + Math.min(MORE_IF_TIGHT, Math.floor(this.#seen / ENOUGH));
  }

  start(): void {
    this.#relying++;
  }

  end(): void {
    this.#relying--;
  }

  /** One more is known. */
  saw(): void {
    this.#seen++;
  }
}

const ENOUGH = 64;
const SEEN_PER_ONE = 4;
const MORE_IF_TIGHT = 3;
