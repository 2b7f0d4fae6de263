import type { RateLimiting } from '../types.ts';

/**
 * What the tokens of an answer count against a limit. `kept`: all that it may have, from its admission on. `refunded`: the same,
 * but what it did not need is given back at its end. `written`: as they are written. `none`: nothing.
 */
export type OutputCharge = 'kept' | 'refunded' | 'written' | 'none';

/** What answers took between two moments at which requests were sent, in tokens. */
export interface OutputUse {
  /** What the answers might have that were asked for. */
  readonly most: number;
  /** What answers that ended did not need of that. */
  readonly unused: number;
  /** What was written, partly by estimate. */
  readonly written: number;
}

/**
 * Finds out which of the charges is true: what is left of the limit goes down with one of them, and differs from the others
 * by more than others' use and rounding explain.
 */
export class OutputChargeLearner {
  #belief: OutputCharge;
  /** How much there is to judge by: predictions that are far apart are worth more. */
  #evidence = 0;
  #refutations = 0;
  readonly #hypotheses: ReadonlyMap<OutputCharge, Hypothesis>;

  constructor(belief: OutputCharge) {
    this.#belief = belief;
    // That answers count nothing explains too much together with others' use: only documentation can say so.
    const charges: readonly OutputCharge[] =
      belief === 'none' ? [...TOLD_APART, 'none'] : TOLD_APART;
    this.#hypotheses = new Map(charges.map((charge) => [charge, new Hypothesis()]));
  }

  get belief(): OutputCharge {
    return this.#belief;
  }

  /**
   * `used`: how much less is left than at the head before, with what flowed in since added. `since`: what the answers took
   * meanwhile. `doubt`: how far off that may be by rounding and by the order of requests.
   */
  observe(
    used: number,
    { most, unused, written }: OutputUse,
    elapsedMs: number,
    doubt: number,
  ): void {
    const expected = { kept: most, refunded: most - unused, written, none: 0 };
    const spread = Math.max(most, written) - Math.min(expected.refunded, written);
    if (spread <= 2 * doubt) return;
    this.#evidence += Math.min(ENOUGH, spread / (2 * doubt));
    for (const [charge, hypothesis] of this.#hypotheses) {
      hypothesis.add(used - expected[charge], elapsedMs, doubt);
    }
    if (this.#evidence < ENOUGH) return;
    let best = this.#belief;
    for (const charge of this.#hypotheses.keys()) {
      if (this.#error(charge) < this.#error(best)) best = charge;
    }
    const error = this.#error(this.#belief);
    if (error > doubt && this.#error(best) < CLEARLY * error) {
      this.#belief = best;
      this.#evidence = 0;
    }
  }

  /** A request was refused that nothing but all that its answer may have explains. */
  refuted(whenReserved: OutputCharge): void {
    if (this.#belief !== 'written' || ++this.#refutations < SEVERAL) return;
    this.#belief = whenReserved;
    this.#refutations = 0;
    this.#evidence = 0;
  }

  #error(charge: OutputCharge): number {
    return this.#hypotheses.get(charge)?.error ?? Infinity;
  }
}

/** How well one charge explains what happens. What is always missing at the same rate is taken by others. */
class Hypothesis {
  #rate = 0;
  error = 0;

  add(missing: number, elapsedMs: number, doubt: number): void {
    const unexplained = Math.max(0, Math.abs(missing - this.#rate * elapsedMs) - doubt);
    this.error += WEIGHT * (unexplained - this.error);
    this.#rate += WEIGHT * (missing / elapsedMs - this.#rate);
  }
}

/** The first belief: as the provider's documentation says. */
export function firstCharge(
  unit: 'tokens' | 'outputTokens',
  documented: RateLimiting['outputCharge'] | undefined,
): OutputCharge {
  if (unit === 'outputTokens') return documented === 'max' ? 'refunded' : 'written';
  if (documented === 'actual') return 'written';
  return documented === 'none' ? 'none' : 'kept';
}

const TOLD_APART: readonly OutputCharge[] = ['kept', 'refunded', 'written'];
/** One may be chance. */
const SEVERAL = 2;
const WEIGHT = 0.15;
/** Of evidence. */
const ENOUGH = 4;
/** Another charge must explain things so much better. */
const CLEARLY = 0.6;
