import type { RouterPools } from '../stores/router-pools.ts';
import type { PoolName, SharedPool } from '../stores/types.ts';
import type { Clock } from '../types.ts';
import type { Budget, OpenPurse } from './budget.ts';
import type { Purse } from './purse.ts';

/**
 * Limits that several routers share. Dollars are in nano-dollars there: reservations are rounded up, what is spent is carried
 * until it makes a whole one. What a call is short of is taken when nobody else holds anything, as in one process.
 */
export function sharedPurses(
  pools: RouterPools,
  clock: Clock,
  onChange: (budget: Budget) => void,
): OpenPurse {
  return (budget, unit, { startsAt, endsAt }) => {
    const { maxUsd = 0n, maxTokens = 0n } = budget.rule.settings;
    const [limit, scale] = unit === 'usd' ? [maxUsd, PICO_PER_NANO] : [maxTokens, 1n];
    const key = `budget:${unit}:${startsAt}:${budget.key}`;
    const units = toUnits(limit, scale);
    const name = (): PoolName => ({
      key,
      limit: units,
      window: { kind: 'fixed', endsInMs: Math.max(1, endsAt - clock.wallNow()) },
    });
    const open = (onAnswer: () => void): SharedPool =>
      pools.open(name, () => {
        onAnswer();
        onChange(budget);
      });
    return new SharedPurse(open, limit, scale, clock);
  };
}

const PICO_PER_NANO = 1000n;

class SharedPurse implements Purse {
  readonly limit: bigint;
  readonly #pool: SharedPool;
  /** So much is one unit of the pool. */
  readonly #scale: bigint;
  readonly #clock: Clock;
  /** Spent, and less than a unit. */
  #rest = 0n;
  /** What stands in the line of the store for this router; 0 for nothing. */
  #asked = 0;

  constructor(
    open: (onAnswer: () => void) => SharedPool,
    limit: bigint,
    scale: bigint,
    clock: Clock,
  ) {
    this.#pool = open(() => {
      this.#asked = 0;
    });
    this.limit = limit;
    this.#scale = scale;
    this.#clock = clock;
  }

  get spent(): bigint {
    return BigInt(this.#pool.snapshot(this.#clock.now()).used) * this.#scale + this.#rest;
  }

  get reserved(): bigint {
    return BigInt(this.#pool.snapshot(this.#clock.now()).held) * this.#scale;
  }

  offer(amount: bigint, isAlone: boolean, isSure: boolean): bigint | 'wait' | 'spent' {
    if (amount <= 0n) return 0n;
    const now = this.#clock.now();
    const { limit, used, held, isAway } = this.#pool.snapshot(now);
    if (used >= limit) return 'spent';
    const needed = Math.min(toUnits(amount + this.#scale - 1n, this.#scale), limit - used);
    // Who asks for much stands in the line of the store, and nobody behind gets the little that is there.
    const mayWait = !isSure && !isAlone;
    if (mayWait && limit - used - held < needed * AMPLE) return 'wait';
    // Others have spent what stands in line. The pool forgets it soon, unless somebody asks again.
    if (this.#asked > limit - used) return 'wait';
    if (this.#pool.waitMs(needed, now) === 0) return BigInt(needed) * this.#scale;
    if (this.#asked === 0) this.#asked = needed;
    return isAway && isAlone ? this.#restOfShare(needed, now) : 'wait';
  }

  /** Without the store only a share of the limit is there, and nobody says how much of it is left. */
  #restOfShare(needed: number, now: number): bigint | 'wait' {
    for (let units = Math.floor(needed / 2); units > 0; units = Math.floor(units / 2)) {
      if (this.#pool.waitMs(units, now) === 0) return BigInt(units) * this.#scale;
    }
    return 'wait';
  }

  take(amount: bigint): void {
    this.#pool.take(toUnits(amount, this.#scale), this.#clock.now());
  }

  settle(taken: bigint, spent: bigint): void {
    const whole = this.#rest + spent;
    this.#rest = whole % this.#scale;
    const used = toUnits(whole, this.#scale);
    this.#pool.settle(toUnits(taken, this.#scale), used, this.#clock.now());
  }
}

/** Room for so many calls of a size is enough for all that ask at once. */
const AMPLE = 4;

/** Pools count in safe integers. */
function toUnits(amount: bigint, scale: bigint): number {
  return Math.min(Number(amount / scale), Number.MAX_SAFE_INTEGER);
}
