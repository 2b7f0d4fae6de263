import { RecentShare } from './recent-share.ts';

/**
 * Whether there is a limit of which the headers do not tell, beside those of which they do: heads promise room, and refusals come
 * all the same. One may be chance, several are not.
 */
export class HiddenLimit {
  readonly #unexplained = new RecentShare(60_000);
  #suspectedUntil = -Infinity;

  isSuspected(now: number): boolean {
    return now < this.#suspectedUntil;
  }

  /** `isExplained`: what heads tell leaves no room for the request. */
  refused(isExplained: boolean, now: number): void {
    if (isExplained) return;
    this.#unexplained.add(true, now);
    if (this.isSuspected(now) || this.#unexplained.hits(now) >= SEVERAL) {
      this.#suspectedUntil = now + SUSPECTED_MS;
    }
  }
}

/** Within a minute. */
const SEVERAL = 3;
/** After the last of them. */
const SUSPECTED_MS = 600_000;
