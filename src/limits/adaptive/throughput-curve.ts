/** Numbers of requests at once are told apart by so much: finer steps take longer to fill. */
const STEP = 1.18;
/** Answers that a step must have had before it counts, and before a look at it is over. */
const ENOUGH = 8;
const LOOKED = 12;
/** What a step's mean speed remembers, in answers, and how long it counts without new ones. */
const MEMORY = 25;
const MAX_AGE_MS = 600_000;
/** The least number whose tokens a second come within 3 % of the most is enough. */
const NEARLY_BEST = 0.97;

interface Step {
  /** Tokens a second of one answer, mean. */
  speed: number;
  answers: number;
  at: number;
}

/**
 * Finds how many requests at once bring the most tokens a second, from the speed of answers at different numbers. Speeds alone
 * drift over the day; total throughput at two numbers, side by side, does not lie. Holds to the least number that is nearly
 * best, and looks one step up or down from time to time, the less often the less it finds.
 */
export class ThroughputCurve {
  readonly #steps = new Map<number, Step>();
  #limit = Infinity;
  #bestSpeed = 0;
  /** The step that is being looked at, since when, and when the next look is due. */
  #look: number | undefined;
  #lookedAt = 0;
  #nextLookAt = 0;
  #holdMs = 30_000;

  get limit(): number {
    return this.#limit;
  }

  /** The best speed of a single answer, in tokens a second; 0 while unknown. */
  get bestSpeed(): number {
    return this.#bestSpeed;
  }

  /** An answer came at `speed` while `atOnce` were under way, in the mean. `inFlight`: now, with it. */
  ended(speed: number, atOnce: number, inFlight: number, isWaitedFor: boolean, now: number): void {
    const own = this.#note(stepOf(atOnce), speed, now);
    if (own.answers >= 3 && own.speed > this.#bestSpeed) this.#bestSpeed = own.speed;
    else this.#bestSpeed *= 0.9998;

    const known = this.#known(now);
    if (known.length < 2) return;
    const most = Math.max(...known.map(({ throughput }) => throughput));
    const nearly = known.filter(({ throughput }) => throughput >= NEARLY_BEST * most);
    const pick = Math.min(...nearly.map(({ step }) => step));
    const top = Math.max(...known.map(({ step }) => step));
    if (this.#limit === Infinity) {
      const atTop = known.find(({ step }) => step === top)!.throughput;
      const isPast = top > pick && stepOf(inFlight) >= pick && sizeOf(pick) >= 2;
      const isFlat = atTop < 1.03 * most && (top >= pick + 2 || atTop < NEARLY_BEST * most);
      if (isPast && isFlat) this.#settle(pick, now);
      return;
    }
    if (this.#look !== undefined && !this.#finishLook(this.#look, pick, top, now)) return;
    if (this.#limit === Infinity) return;
    this.#limit = Math.max(2, Math.ceil(sizeOf(pick)));
    if (isWaitedFor && now > this.#nextLookAt) this.#beginLook(pick, most, now);
  }

  #settle(pick: number, now: number): void {
    this.#limit = Math.ceil(sizeOf(pick));
    this.#nextLookAt = now + this.#holdMs;
  }

  #note(step: number, speed: number, now: number): Step {
    let own = this.#steps.get(step);
    if (own === undefined) this.#steps.set(step, (own = { speed, answers: 0, at: now }));
    own.answers++;
    own.speed += (speed - own.speed) / Math.min(own.answers, MEMORY);
    own.at = now;
    return own;
  }

  #known(now: number): Array<{ step: number; throughput: number }> {
    const known = [];
    for (const [step, { speed, answers, at }] of this.#steps) {
      if (now - at > MAX_AGE_MS) this.#steps.delete(step);
      else if (answers >= ENOUGH) known.push({ step, throughput: sizeOf(step) * speed });
    }
    return known;
  }

  #beginLook(pick: number, most: number, now: number): void {
    const here = this.#steps.get(pick)!;
    const below = this.#steps.get(pick - 1);
    if (here.speed > this.#bestSpeed) this.#bestSpeed = here.speed;
    // Streams are slower than they could be, and where perfect sharing would put the knee is further down.
    const isDown =
      here.speed < 0.85 * this.#bestSpeed &&
      sizeOf(pick - 1) > (0.8 * most) / this.#bestSpeed &&
      (below === undefined || below.answers < LOOKED || now - below.at > 180_000);
    const step = isDown ? pick - 1 : pick + 1;
    this.#look = step;
    this.#lookedAt = now;
    const known = this.#steps.get(step);
    if (known !== undefined) known.answers = 0;
    if (isDown) this.#holdMs = 15_000;
    this.#limit = isDown
      ? Math.max(2, Math.round(sizeOf(step)))
      : Math.max(this.#limit + 1, Math.ceil(sizeOf(step)));
  }

  /** Whether the look is over. */
  #finishLook(look: number, pick: number, top: number, now: number): boolean {
    const seen = this.#steps.get(look);
    const isSeen = seen !== undefined && seen.answers >= LOOKED && seen.at > this.#lookedAt;
    if (!isSeen && now - this.#lookedAt <= 30_000) return false;
    const here = sizeOf(pick) * (this.#steps.get(pick)?.speed ?? 0);
    if (isSeen && (sizeOf(look) * seen.speed > 1.04 * here || pick >= look)) {
      this.#holdMs = 20_000;
      if (pick >= top) this.#limit = sizeOf(look) > 300 ? Infinity : Math.ceil(sizeOf(look));
    } else {
      this.#holdMs = Math.min(MAX_AGE_MS, this.#holdMs * 2);
    }
    this.#look = undefined;
    this.#nextLookAt = now + this.#holdMs;
    return true;
  }
}

function stepOf(size: number): number {
  return Math.round(Math.log(Math.max(1, size)) / Math.log(STEP));
}

function sizeOf(step: number): number {
  return STEP ** step;
}
