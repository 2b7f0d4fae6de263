/** Counts lose half their weight in three minutes. */
const HALF_LIFE_MS = 180_000;
/** Where refusals come from a ceiling, it is asked again after a minute, then after twice as long each time it stands. */
const FIRST_HOLD_MS = 60_000;
const MAX_HOLD_MS = 900_000;
/** After half an hour without a refusal at the ceiling, a new one is looked at afresh. */
const TRUSTED_MS = 1_800_000;
/** Below this many at once a ceiling cannot be told from a rate. */
const LEAST = 3;

interface Count {
  admitted: number;
  refused: number;
}

/** Finds a fixed number of requests at once above which a provider refuses: refusals come at that number, whatever the rate. */
export class RefusalCeiling {
  readonly #counts = new Map<number, Count>();
  #decayedAt = -Infinity;
  #limit = Infinity;
  /** Where it was found first. */
  #found = Infinity;
  #foundAt = -Infinity;
  #movedAt = -Infinity;
  #holdMs = FIRST_HOLD_MS;

  get limit(): number {
    return this.#limit;
  }

  admitted(inFlight: number, now: number): void {
    this.#countOf(inFlight, now).admitted++;
  }

  /** Whether this refusal came from the ceiling. Those behind the first only add to what is known. */
  refused(inFlight: number, isFirst: boolean, now: number): boolean {
    this.#countOf(inFlight, now).refused++;
    if (!isFirst) return false;
    if (
      this.#limit < Infinity &&
      inFlight >= this.#limit &&
      inFlight >= LEAST &&
      now - this.#foundAt < TRUSTED_MS
    ) {
      // It was asked whether there is more, and there is not.
      this.#limit = Math.max(2, Math.min(this.#limit, inFlight) - 1);
      this.#holdMs = Math.min(MAX_HOLD_MS, this.#holdMs * 2);
      this.#movedAt = now;
      return true;
    }
    const level = this.#levelOfRefusals();
    if (level === undefined) return false;
    this.#limit = this.#found = level - 1;
    this.#foundAt = this.#movedAt = now;
    this.#holdMs = FIRST_HOLD_MS;
    return true;
  }

  /** Now and then one more is tried. */
  tick(now: number): void {
    if (this.#limit === Infinity || now <= this.#movedAt + this.#holdMs) return;
    this.#limit++;
    this.#movedAt = now;
    if (this.#limit > 3 * this.#found) this.#limit = Infinity;
  }

  /** The least number from which on most are refused, while below almost none is. */
  #levelOfRefusals(): number | undefined {
    let all = { admitted: 0, refused: 0 };
    for (const count of this.#counts.values()) all = sum(all, count);
    let above = { admitted: 0, refused: 0 };
    for (const level of [...this.#counts.keys()].sort((a, b) => b - a)) {
      if (level < LEAST) return undefined;
      above = sum(above, this.#counts.get(level)!);
      const isWall =
        above.refused >= 2.4 && above.refused >= 0.7 * (above.admitted + above.refused);
      const isFreeBelow =
        all.admitted - above.admitted > 10 &&
        all.refused - above.refused < 0.25 * above.refused + 0.01 * all.admitted;
      if (isWall && isFreeBelow) return level;
    }
    return undefined;
  }

  #countOf(inFlight: number, now: number): Count {
    const factor = 0.5 ** ((now - this.#decayedAt) / HALF_LIFE_MS);
    if (factor < 0.98) {
      for (const [level, count] of this.#counts) {
        count.admitted *= factor;
        count.refused *= factor;
        if (count.admitted + count.refused < 0.01) this.#counts.delete(level);
      }
      this.#decayedAt = now;
    }
    let count = this.#counts.get(inFlight);
    if (count === undefined) this.#counts.set(inFlight, (count = { admitted: 0, refused: 0 }));
    return count;
  }
}

function sum(a: Count, b: Count): Count {
  return { admitted: a.admitted + b.admitted, refused: a.refused + b.refused };
}
