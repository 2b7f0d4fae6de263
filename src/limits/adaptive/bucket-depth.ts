import { clamp } from './foreign-use.ts';
import type { ProbeEvidence } from './probe.ts';

const FIRST_DEPTH = 2;
/** One probe is half of the belief: depths vary by what was sent before it. */
const WEIGHT = 0.5;
/** What one probe may say at most; after one that went on to higher rates, more is saved up. */
const MOST = 30;
const MOST_LATER = 60;
/** The refusal that follows so soon after a probe is its consequence. */
const DOUBT_MS = 60_000;

/**
 * How many requests above the limit a provider admits in a probe before it refuses: what its bucket had saved up. To be taken
 * off what a probe shows.
 */
export class BucketDepth {
  #requests = FIRST_DEPTH;
  #doubt: { readonly evidence: ProbeEvidence; readonly at: number } | undefined;

  get requests(): number {
    return this.#requests;
  }

  /** A probe was refused before any of it was believed: what it got was saved up, and the limit as it was. */
  refuted(evidence: ProbeEvidence, limit: number): void {
    this.#learn(evidence.depth(limit), MOST);
  }

  /** A probe was believed in part. Whether it was the limit or savings, the next refusal tells. */
  doubt(evidence: ProbeEvidence, now: number): void {
    this.#doubt = { evidence, at: now };
  }

  /** The next refusal came, and shows this limit: what the probe got above it was saved up. */
  settle(limit: number, now: number): void {
    const doubt = this.#doubt;
    this.#doubt = undefined;
    if (doubt !== undefined && now - doubt.at < DOUBT_MS)
      this.#learn(doubt.evidence.depth(limit), MOST_LATER);
  }

  #learn(depth: number, most: number): void {
    this.#requests += WEIGHT * (clamp(depth, 1, most) - this.#requests);
  }
}
