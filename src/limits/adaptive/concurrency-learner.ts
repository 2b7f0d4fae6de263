import type { Demand } from '../types.ts';
import { CongestionWindow } from './congestion-window.ts';
import { RefusalCeiling } from './refusal-ceiling.ts';
import { ThroughputCurve } from './throughput-curve.ts';
import type { ConcurrencyLearner, Sent, Surroundings } from './types.ts';

/** The least of three: what is found from refusals, from throughput, and what is safe while nothing is found. */
export function createConcurrencyLearner(surroundings: Surroundings): ConcurrencyLearner {
  return new Learner(surroundings);
}

class Learner implements ConcurrencyLearner {
  readonly #surroundings: Surroundings;
  readonly #ceiling = new RefusalCeiling();
  readonly #curve = new ThroughputCurve();
  readonly #window = new CongestionWindow();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  limitFor({ priority }: Demand): number {
    // One more for the most urgent, where nothing is refused for it.
    const best = this.#curve.limit + (priority === 'urgent' ? 1 : 0);
    return Math.min(this.#ceiling.limit, best, Math.max(1, Math.floor(this.#window.size)));
  }

  admitted({ inFlight }: Sent, now: number): void {
    this.#ceiling.admitted(inFlight, now);
  }

  explains({ inFlight }: Sent, isFirst: boolean, now: number): boolean {
    return this.#ceiling.refused(inFlight, isFirst, now);
  }

  ended(request: Sent, tokensPerSecond: number | undefined, now: number): void {
    // It is not among them any more.
    const inFlight = this.#surroundings.inFlight + 1;
    this.#ceiling.tick(now);
    if (tokensPerSecond !== undefined) {
      const atOnce = (request.inFlight + inFlight) / 2;
      this.#curve.ended(tokensPerSecond, atOnce, inFlight, this.#surroundings.waiting > 0, now);
    }
    const { bestSpeed } = this.#curve;
    const share =
      tokensPerSecond === undefined || bestSpeed === 0 ? undefined : tokensPerSecond / bestSpeed;
    this.#window.ended(share, inFlight, now - request.sentAt, now);
  }

  timedOut(now: number): void {
    this.#window.timedOut(this.#surroundings.inFlight, now);
  }
}
