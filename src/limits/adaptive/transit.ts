import type { HeaderLookup } from '../../types.ts';
import type { Demand, Permit, RequestEnd } from '../types.ts';
import type { Entry } from './ledger.ts';
import type { Sent } from './types.ts';

/** Who is told of what happens to a request. Each comes at most once, but for progress. */
export interface TransitOwner {
  begun(request: Transit, header: HeaderLookup, now: number): void;
  progressed(request: Transit, outputTokens: number, now: number): void;
  ended(request: Transit, end: RequestEnd, now: number): void;
}

/** One request under way: what is known of it, and the permit that its sender holds. */
export class Transit implements Entry, Permit {
  readonly #owner: TransitOwner;
  readonly demand: Demand;
  readonly sentAt: number;
  readonly inFlight: number;
  headAt: number | undefined = undefined;
  fate: Sent['fate'] = 'open';
  number = -1;
  input = 0;
  most = 0;
  expected = 0;
  unusedBefore = 0;
  writtenBefore = 0;
  /** Those that learn without headers know of it. */
  isLearnt = false;
  #isOver = false;

  constructor(owner: TransitOwner, demand: Demand, sentAt: number, inFlight: number) {
    this.#owner = owner;
    this.demand = demand;
    this.sentAt = sentAt;
    this.inFlight = inFlight;
  }

  begin(header: HeaderLookup, now: number): void {
    if (!this.#isOver && this.headAt === undefined) this.#owner.begun(this, header, now);
  }

  progress(outputTokens: number, now: number): void {
    if (!this.#isOver && outputTokens > this.expected) {
      this.#owner.progressed(this, outputTokens, now);
    }
  }

  end(end: RequestEnd, now: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.ended(this, end, now);
  }

  /**
   * How fast the answer was written; `undefined` when it came too quickly or too short to tell, as answers do that come whole.
   */
  tokensPerSecond(tokens: number, now: number): number | undefined {
    const writingMs = now - (this.headAt ?? now);
    const isTold = tokens >= LEAST_TOKENS && writingMs > WRITING_SHARE * (now - this.sentAt);
    return isTold ? (tokens * 1000) / writingMs : undefined;
  }
}

const LEAST_TOKENS = 24;
/** Of an answer's whole time. */
const WRITING_SHARE = 0.1;
