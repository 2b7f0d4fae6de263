import type { LimitKind } from './limit-kind.ts';
import type { Recovery } from './recovery.ts';

/** The newest recovery's share in the mean, and the most it may count: one that took very long is an exception. */
const WEIGHT = 0.4;
const MOST_TOKENS = 8;
/** A minute's count that is lower by more than this than one of so little time before is no chance. */
const FALLEN_BY = 2;
const FALLEN_WITHIN_MS = 90_000;
/** A recovery that took longer has a reason of its own. */
const QUICK_TOKENS = 3;

/** What recoveries are like one after the other: how long they take, and how many had been admitted in the minute before. */
export class UsualRecovery {
  #tokens: number | undefined;
  #last: Pick<Recovery, 'at' | 'minuteCount'> | undefined;

  /** How long they take where windows are fixed, in requests' times; `undefined` before the first. */
  get tokens(): number | undefined {
    return this.#tokens;
  }

  /** Whether it was refused with fewer in the last minute than the time before, though there was room again soon. */
  hasFallen({ at, minuteCount, leastMs, tokenMs }: Recovery): boolean {
    const last = this.#last;
    if (last === undefined || at - last.at >= FALLEN_WITHIN_MS) return false;
    return minuteCount < last.minuteCount - FALLEN_BY && leastMs < QUICK_TOKENS * tokenMs;
  }

  saw({ at, minuteCount, leastMs, tokens }: Recovery, kind: LimitKind['kind']): void {
    this.#last = { at, minuteCount };
    if (leastMs === 0 || kind !== 'fixed') return;
    if (this.#tokens === undefined) this.#tokens = tokens;
    else this.#tokens += WEIGHT * (Math.min(tokens, MOST_TOKENS) - this.#tokens);
  }
}
