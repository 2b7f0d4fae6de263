import { LRUCache } from 'lru-cache';
import type { TokenUsage } from '../types.ts';

/** How well expectations fit what the provider reports, for one account and model. */
export class Calibration {
  #scale: number | undefined;
  #missedInARow = 0;
  #standDowns = 0;
  #standDownUntil = -Infinity;

  /** Tokens by the provider's count per token estimated here; 1 until something was reported. */
  get scale(): number {
    return this.#scale ?? 1;
  }

  /** Whether the provider has reported how many tokens a request had. */
  get isMeasured(): boolean {
    return this.#scale !== undefined;
  }

  /** Expectations have failed so often that nothing is to be marked until then. */
  isStandingDown(now: number): boolean {
    return now < this.#standDownUntil;
  }

  /** Learns the size of a token here. `estimated` is not calibrated. */
  measured(usage: TokenUsage, estimated: number): void {
    const total = usage.inputTokens.total;
    if (usage.grade !== 'exact' || total === undefined || estimated < LEAST_MEASURED) return;
    const scale = Math.min(MAX_SCALE, Math.max(1 / MAX_SCALE, total / estimated));
    this.#scale = this.#scale === undefined ? scale : this.#scale + (scale - this.#scale) * WEIGHT;
  }

  /** Whether an expected read came true. After three that did not, one in a row, the planner stands down for a while. */
  compared(isTrue: boolean, now: number): void {
    if (isTrue) {
      this.#missedInARow = 0;
      this.#standDowns = 0;
      return;
    }
    if (++this.#missedInARow < MISSES_IN_A_ROW) return;
    this.#missedInARow = 0;
    this.#standDownUntil =
      now + FIRST_STAND_DOWN_MS * 2 ** Math.min(this.#standDowns++, MAX_DOUBLINGS);
  }
}

/** One calibration for each account, host and model. */
export function createCalibrations(): (scope: string) => Calibration {
  const known = new LRUCache<string, Calibration>({ max: 1000 });
  return (scope) => {
    let found = known.get(scope);
    if (found === undefined) known.set(scope, (found = new Calibration()));
    return found;
  };
}

/** Below, the tokens around a prompt (roles, a hidden system prompt) weigh too much. */
const LEAST_MEASURED = 200;
const MAX_SCALE = 4;
/** Of the newest measurement against all before it. */
const WEIGHT = 0.2;
const MISSES_IN_A_ROW = 3;
const FIRST_STAND_DOWN_MS = 10 * 60_000;
/** Ten minutes become ten and a half hours. */
const MAX_DOUBLINGS = 6;
