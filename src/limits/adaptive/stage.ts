import type { AdmissionLog } from './admission-log.ts';

/** A rate that is not asked for says nothing. After so long of that the stage begins anew. */
const MAX_UNUSED_MS = 2000;
const UNUSED_SHARE = 0.85;

/** A stretch of time for which one rate is tried. It counts only as far as the rate is used. */
export class Stage {
  readonly #log: AdmissionLog;
  #since: number;

  constructor(log: AdmissionLog, now: number) {
    this.#log = log;
    this.#since = now;
  }

  get since(): number {
    return this.#since;
  }

  restart(now: number): void {
    this.#since = now;
  }

  /** Nobody waits: begins anew unless the rate is used all the same. */
  idle(perMs: number, now: number): void {
    if (now - this.#since > MAX_UNUSED_MS && !this.isUsed(perMs, UNUSED_SHARE, now))
      this.#since = now;
  }

  /** Whether this share of the rate was used. */
  isUsed(perMs: number, share: number, now: number): boolean {
    const span = now - this.#since;
    return span > 0 && this.#log.count(this.#since, now) + 1 >= share * perMs * span;
  }
}
