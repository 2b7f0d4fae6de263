/**
 * One limit of one budget in one window. Amounts are pico-dollars or tokens.
 *
 * What is spent and reserved together exceeds the limit only by what calls cost more than was reserved for them. Who needs more
 * than is left gets what is left, but only when nobody else has anything: so one such call is under way at most.
 */
export interface Purse {
  readonly limit: bigint;
  /** Settled, by everybody who shares it. */
  readonly spent: bigint;
  /** Taken, and not settled yet. */
  readonly reserved: bigint;
  /**
   * What a call that may need so much can have now. `wait`: nothing before others settle. `spent`: nothing in this window.
   * `isAlone`: no call of this router has anything of it. `isSure`: it is likely to need no more than that, and not much less.
   */
  offer(amount: bigint, isAlone: boolean, isSure: boolean): bigint | 'wait' | 'spent';
  /** Takes what was offered. */
  take(amount: bigint): void;
  /** Of what was taken so much is no longer needed, and so much was spent; either may be more than the other. */
  settle(taken: bigint, spent: bigint): void;
}

/** What is counted in this process alone. */
export class LocalPurse implements Purse {
  readonly limit: bigint;
  spent = 0n;
  reserved = 0n;

  constructor(limit: bigint) {
    this.limit = limit;
  }

  offer(amount: bigint): bigint | 'wait' | 'spent' {
    const left = this.limit - this.spent;
    // What costs nothing always goes.
    if (amount <= 0n) return 0n;
    if (left <= 0n) return 'spent';
    const needed = amount < left ? amount : left;
    return this.reserved + needed <= left ? needed : 'wait';
  }

  take(amount: bigint): void {
    this.reserved += amount;
  }

  settle(taken: bigint, spent: bigint): void {
    this.reserved -= taken;
    this.spent += spent;
  }
}
