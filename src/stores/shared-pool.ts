import type { Clock, Random } from '../types.ts';
import { PoolAccount } from './pool-account.ts';
import type { AwayOptions, PoolName, SharedPool, SharedPoolSnapshot, Store } from './types.ts';

export interface SharedPoolOptions {
  /** Asked whenever it matters: limit and key may change. A new key is a new window; what was taken is settled under the old one. */
  readonly pool: () => PoolName;
  readonly store: Store;
  /** Names the router. No two at a time have the same name. */
  readonly holder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly away: AwayOptions;
  /** Who waits should ask again. Never called within a call of the pool. */
  readonly onChange: () => void;
  /** Default 10 s. */
  readonly leaseMs?: number | undefined;
  /** How long the store may take to answer before it counts as away. Default 250. */
  readonly timeoutMs?: number | undefined;
}

export function createSharedPool(options: SharedPoolOptions): SharedPool {
  return new Pool(options);
}

class Pool implements SharedPool {
  readonly #options: SharedPoolOptions;
  #account: PoolAccount;
  /** Of windows that are over, until their calls have ended. */
  #earlier: { readonly account: PoolAccount; readonly endedAt: number }[] = [];

  constructor(options: SharedPoolOptions) {
    this.#options = options;
    this.#account = this.#open(options.pool());
  }

  waitMs(units: number, now: number): number {
    return this.#current(now).waitMs(Math.ceil(units), now);
  }

  take(units: number, now: number): void {
    this.#current(now).take(Math.ceil(units), now);
  }

  settle(taken: number, used: number, now: number, takenAt?: number): void {
    const current = this.#current(now);
    const earlier = this.#earlier.find(({ account, endedAt }) =>
      takenAt === undefined ? account.taken > 0 : takenAt < endedAt,
    );
    const account = earlier?.account ?? current;
    account.settle(Math.ceil(taken), Math.ceil(used), now, takenAt ?? now);
  }

  snapshot(now: number): SharedPoolSnapshot {
    return this.#current(now).snapshot(now);
  }

  isIdle(now: number): boolean {
    return this.#current(now).isIdle && this.#earlier.length === 0;
  }

  async close(): Promise<void> {
    const accounts = [...this.#earlier.map(({ account }) => account), this.#account];
    await Promise.all(accounts.map(async (account) => account.close()));
  }

  #open(pool: PoolName): PoolAccount {
    const { leaseMs = 10_000, timeoutMs = 250, ...options } = this.#options;
    // The account has timers while it holds anything; through this they keep the pool too, for who knows it only weakly.
    const onChange = (): void => this.#options.onChange();
    return new PoolAccount(pool, { ...options, leaseMs, timeoutMs, onChange });
  }

  #current(now: number): PoolAccount {
    const pool = this.#options.pool();
    if (pool.key === this.#account.key) {
      this.#account.rename(pool);
    } else {
      this.#account.retire();
      this.#earlier.push({ account: this.#account, endedAt: now });
      if (this.#earlier.length > MAX_EARLIER) void this.#earlier.shift()?.account.close();
      this.#account = this.#open(pool);
    }
    if (this.#earlier.length > 0) {
      this.#earlier = this.#earlier.filter(({ account }) => !account.isDone);
    }
    return this.#account;
  }
}

/** Windows that are over. More are open only when they are shorter than calls, or the store is away for long. */
const MAX_EARLIER = 8;
