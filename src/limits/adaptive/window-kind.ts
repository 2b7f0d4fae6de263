import type { NamedReading } from '../read-limits.ts';

/**
 * What kind of limit a meter has, and how long its period is. A bucket refills all the time. A fixed window starts anew all at
 * once. A sliding one gives back what was taken when that is a period ago. Headers rarely say, but the time until the
 * reset tells: of a bucket, it is what is missing divided by the rate; of a fixed window it ends at the same moment
 * until that is past; of a sliding one that moment moves on a little all the time.
 */
export class WindowKind {
  #windowMs: number = MINUTE_MS;
  /** How often the time until the reset was too long for a bucket. */
  #tooLong = 0;
  /** How often it ended neither when it did before nor a period later. */
  #moved = 0;
  /** The period that the last readings speak for, and how many of them in a row. */
  #candidateMs: number = MINUTE_MS;
  #votes = 0;
  /** When the current period ends, as the first reading of it told. */
  #endsAt = -Infinity;

  get windowMs(): number {
    return this.#windowMs;
  }

  get kind(): 'bucket' | 'fixed' | 'sliding' {
    if (this.#tooLong < CERTAIN) return 'bucket';
    return this.#moved < CERTAIN ? 'fixed' : 'sliding';
  }

  /** The limit has changed: a new one may be of another kind. */
  forget(): void {
    this.#tooLong = 0;
    this.#moved = 0;
  }

  /** `sentAt`: when the request was sent whose answer it is. */
  observe(reading: NamedReading, sentAt: number): void {
    const { limit, remaining, resetMs, coarseMs, quantum, windowMs } = reading;
    if (windowMs !== undefined) this.#become(windowMs);
    if (resetMs === undefined) return;
    if (this.#tooLong >= CERTAIN) this.#follow(sentAt + resetMs, STEADY_MS + 2 * coarseMs);
    if (remaining === 0) return;
    if (windowMs === undefined && quantum === 1) this.#measure(reading, resetMs);
    const refillMs = ((limit - remaining) * this.#windowMs) / limit;
    const roundingMs = (quantum / 2 / limit) * this.#windowMs;
    if (resetMs > refillMs + roundingMs + SLACK_MS + coarseMs) {
      this.#tooLong = Math.min(CERTAIN, this.#tooLong + 1);
    } else if (resetMs < refillMs - SLACK_MS && this.kind === 'bucket') {
      this.#tooLong = Math.max(0, this.#tooLong - 1);
    }
  }

  /** More went through in one period than can: it must be shorter. */
  refute(): void {
    this.#become(SHORTER.find((period) => period < this.#windowMs) ?? this.#windowMs);
  }

  /** Hours and days show in the time that what is missing takes to come back, also while little is missing. */
  #measure({ limit, remaining, coarseMs }: NamedReading, resetMs: number): void {
    const missing = limit - remaining;
    if (missing < 1 || resetMs < 1000) return;
    const wholeMs = (resetMs * limit) / missing;
    const tolerance = 0.01 + coarseMs / resetMs;
    const leastMs = resetMs - SLACK_MS - coarseMs;
    let candidate = LONG.find(
      (period) => tolerance < 0.1 && Math.abs(wholeMs / period - 1) < tolerance,
    );
    candidate ??=
      leastMs <= this.#windowMs
        ? this.#windowMs
        : (LONG.find((period) => period >= leastMs) ?? resetMs);
    this.#votes = candidate === this.#candidateMs ? this.#votes + 1 : 1;
    this.#candidateMs = candidate;
    if (this.#votes >= CERTAIN || leastMs > this.#windowMs) this.#become(candidate);
  }

  /** Watches the moment at which the period ends. */
  #follow(endsAt: number, slackMs: number): void {
    const later = endsAt - this.#endsAt;
    if (later >= this.#windowMs - slackMs) {
      this.#endsAt = endsAt;
      this.#moved = Math.max(0, this.#moved - 1);
    } else if (later > slackMs && this.#moved < CERTAIN) this.#moved++;
  }

  #become(windowMs: number): void {
    if (windowMs === this.#windowMs) return;
    this.#windowMs = windowMs;
    this.forget();
  }
}

export const MINUTE_MS = 60_000;
const LONG: readonly number[] = [MINUTE_MS, 3_600_000, 86_400_000];
const SHORTER: readonly number[] = [3_600_000, MINUTE_MS, 10_000, 1000];
/** So many readings make it certain. */
const CERTAIN = 3;
/** Clocks, and the way there and back. */
const SLACK_MS = 3000;
/** The moment at which a window ends is told so exactly. */
const STEADY_MS = 500;
