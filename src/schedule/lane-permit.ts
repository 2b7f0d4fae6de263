import type { Permit, RequestEnd } from '../limits/types.ts';
import type { HeaderLookup } from '../types.ts';
import type { SharedLimiter } from './shared-limiter.ts';

/** Who is told when a request may have made room for others: of the lane's limits, and of these. */
export interface PermitOwner {
  begun(shared: readonly SharedLimiter[]): void;
  ended(shared: readonly SharedLimiter[]): void;
}

/** The permits of one request as one. */
export class LanePermit implements Permit {
  readonly #owner: PermitOwner;
  readonly #permits: readonly Permit[];
  readonly #shared: readonly SharedLimiter[];
  #isOver = false;

  constructor(owner: PermitOwner, permits: readonly Permit[], shared: readonly SharedLimiter[]) {
    this.#owner = owner;
    this.#permits = permits;
    this.#shared = shared;
  }

  begin(header: HeaderLookup, now: number): void {
    for (const permit of this.#permits) permit.begin(header, now);
    this.#owner.begun(this.#shared);
  }

  progress(outputTokens: number, now: number): void {
    for (const permit of this.#permits) permit.progress(outputTokens, now);
  }

  end(end: RequestEnd, now: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const permit of this.#permits) permit.end(end, now);
    this.#owner.ended(this.#shared);
  }
}
