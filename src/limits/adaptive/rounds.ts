import type { AdmissionLog } from './admission-log.ts';
import { MOMENT_MS } from './refusal-facts.ts';
import { MINUTE_MS } from './window-kind.ts';

/** Older rounds were of another limit, or too few to tell from newer ones. */
const MAX_ROUNDS = 6;
const MAX_AGE_MS = 90_000;
/** What is counted between two moments may have been nearly one more. */
const HALF_A_REQUEST = 0.5;

/**
 * From one recovery to the next is a round: at both ends the limit is just used up, so what was admitted in between is what it
 * gave. Over several rounds chance and bursts even out.
 */
export class Rounds {
  readonly #log: AdmissionLog;
  #recoveries: number[] = [];
  #since: number | undefined;

  constructor(log: AdmissionLog) {
    this.#log = log;
  }

  /** When this round's first request was sent. */
  get since(): number | undefined {
    return this.#since;
  }

  get lastRecoveredAt(): number | undefined {
    return this.#recoveries.at(-1);
  }

  sent(sentAt: number): void {
    this.#since ??= sentAt;
  }

  recovered(sentAt: number): void {
    this.#recoveries.push(sentAt);
    if (this.#recoveries.length > MAX_ROUNDS) this.#recoveries.shift();
    this.#since = sentAt;
  }

  /** The limit is higher than it was: rounds before now say nothing about it. */
  forget(): void {
    this.#recoveries = [];
  }

  /** The least requests a minute that any time from the start of a round to a refusal, and the recovery after it, shows. */
  leastRate(refusedAt: number, recoveredAt: number): number {
    let least = this.#rate(this.#since ?? refusedAt, refusedAt, recoveredAt);
    for (const at of this.#recoveries) {
      if (at < refusedAt - MAX_AGE_MS) continue;
      least = Math.min(least, this.#rate(at, refusedAt, recoveredAt));
    }
    return least;
  }

  #rate(since: number, refusedAt: number, recoveredAt: number): number {
    const count = this.#log.count(since - MOMENT_MS, refusedAt) + HALF_A_REQUEST;
    return (count * MINUTE_MS) / Math.max(1, recoveredAt - since);
  }
}
