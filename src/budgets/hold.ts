import type { Attempt } from '../call.ts';
import type { Budget, OpenWindow } from './budget.ts';
import type { Purse } from './purse.ts';
import type { SizeReservation } from './sizes.ts';

/** What a call has of one budget. */
export interface Taking {
  readonly budget: Budget;
  readonly open: OpenWindow;
  /** Pico-dollars. */
  readonly usd: bigint;
  readonly tokens: bigint;
}

const isUsedUp = (purse: Purse | undefined): boolean =>
  purse !== undefined && purse.spent >= purse.limit;

/**
 * What is reserved for one call, in all its budgets. It is given back when the call's way through the stages inside is over, and
 * each of its attempts has ended and is charged: until then either the reservation counts, or both do.
 */
export class Hold {
  readonly takings: readonly Taking[];
  readonly reservation: SizeReservation;
  /** The bound of the answer that the request is to have; `undefined` where it stays as it is. */
  readonly maxOutput: number | undefined;
  readonly #number: number;
  /** Attempts that are over for the stages, and not charged yet. */
  readonly #pending: Set<Attempt> = new Set();
  /** How often the call is on its way through the stages inside: a middleware may send it several times. */
  #underWay = 1;
  readonly #onReleased: (budget: Budget) => void;
  #isReleased = false;

  constructor(
    takings: readonly Taking[],
    reservation: SizeReservation,
    maxOutput: number | undefined,
    onReleased: (budget: Budget) => void,
  ) {
    this.takings = takings;
    this.reservation = reservation;
    this.maxOutput = maxOutput;
    this.#onReleased = onReleased;
    this.#number = reservation.kind.start(reservation.relies);
    for (const { budget, open, usd, tokens } of takings) {
      budget.holds++;
      open.usd?.take(usd);
      open.tokens?.take(tokens);
    }
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Nothing is left of one of its budgets. */
  get isSpent(): boolean {
    return this.takings.some(({ open: { usd, tokens } }) => isUsedUp(usd) || isUsedUp(tokens));
  }

  /** The call is sent once more: as with second attempts, what was reserved for it has to do. */
  again(): void {
    this.#underWay++;
  }

  /** One way through the stages is over, with these attempts, those left out that are charged already. */
  over(attempts: readonly Attempt[]): void {
    this.#underWay--;
    for (const attempt of attempts) this.#pending.add(attempt);
    for (const attempt of attempts) {
      attempt.whenEnded(() => {
        // A provider bills no request that it refused, and not every one of them has a record.
        if (attempt.status !== undefined && attempt.status >= 400) this.charged(attempt);
      });
    }
    this.#check();
  }

  charged(attempt: Attempt): void {
    this.#pending.delete(attempt);
    this.#check();
  }

  takingOf(budget: Budget): Taking | undefined {
    return this.takings.find((taking) => taking.budget === budget);
  }

  #check(): void {
    if (this.#isReleased || this.#underWay > 0 || this.#pending.size > 0) return;
    this.#isReleased = true;
    const { kind, relies } = this.reservation;
    kind.end(this.#number, relies);
    for (const { budget, open, usd, tokens } of this.takings) {
      budget.holds--;
      open.usd?.settle(usd, 0n);
      open.tokens?.settle(tokens, 0n);
      this.#onReleased(budget);
    }
  }
}
