import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../types.ts';

export interface TurnBudgetOptions {
  clock: Clock;
  /** Milliseconds of work per turn of the event loop. */
  budgetMs: number;
  /** Resolves in a later turn of the event loop. Default: `setImmediate`. */
  yieldTurn?: (() => Promise<unknown>) | undefined;
}

/** Also yields after so many steps, for clocks that stand still while work is done. */
export const MAX_STEPS_PER_TURN = 8;

/**
 * Shares the event loop: everyone who works through one budget together gets `budgetMs` per turn, however many
 * they are. Overdrawn at most by what a step takes longer than those before it in the turn.
 */
export class TurnBudget {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  readonly #yieldTurn: () => Promise<unknown>;
  #steps = 0;
  #spentMs = 0;
  #longestMs = 0;
  #turn: Promise<void> | undefined;

  constructor(options: TurnBudgetOptions) {
    this.#clock = options.clock;
    this.#budgetMs = options.budgetMs;
    this.#yieldTurn = options.yieldTurn ?? nextTurn;
  }

  /** Runs a short piece of work, in this turn of the event loop or the first that has time for it. */
  async run<T>(step: () => T): Promise<T> {
    while (this.#isSpent()) await this.#endOfTurn();
    const startedAt = this.#clock.now();
    try {
      return step();
    } finally {
      const tookMs = this.#clock.now() - startedAt;
      this.#steps++;
      this.#spentMs += tookMs;
      this.#longestMs = Math.max(this.#longestMs, tookMs);
      void this.#endOfTurn();
    }
  }

  #isSpent(): boolean {
    if (this.#steps === 0) return false;
    // The next step may take as long as the longest so far, so stop while there is still time for it.
    return this.#steps >= MAX_STEPS_PER_TURN || this.#spentMs + this.#longestMs > this.#budgetMs;
  }

  #endOfTurn(): Promise<void> {
    this.#turn ??= this.#startTurn();
    return this.#turn;
  }

  async #startTurn(): Promise<void> {
    await this.#yieldTurn();
    this.#turn = undefined;
    this.#steps = 0;
    this.#spentMs = 0;
    this.#longestMs = 0;
  }
}
