import type { Clock, Random } from '../types.ts';
import { askStore } from './ask-store.ts';
import { shareWaitMs } from './away-share.ts';
import { AwayTime } from './away-time.ts';
import { LastAnswer } from './last-answer.ts';
import { OwnUse } from './own-use.ts';
import { oncePerTurn } from './once-per-turn.ts';
import { poolTiming, type PoolTiming } from './pool-timing.ts';
import { TakeRate } from './take-rate.ts';
import type { AwayOptions, Exchanged, PoolName, SharedPoolSnapshot, Store } from './types.ts';

export interface AccountOptions {
  readonly store: Store;
  readonly holder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly away: AwayOptions;
  readonly onChange: () => void;
  readonly leaseMs: number;
  readonly timeoutMs: number;
}

/**
 * One router's part of one pool under one key.
 *
 * - What it holds and has neither taken nor used is spare. `waitMs` and `take` look at that alone.
 * - One exchange at a time. What an exchange offers to give back is not spare from the moment it is sent.
 * - It exchanges when more is asked for than is spare, when little is left at the present rate, half a second after anything
 *   changed, and often enough to keep its lease. It sets no timer when nothing is held and nothing is to be reported.
 * - While others wait for units it keeps none in reserve.
 * - When the store was away, it keeps to its share for one more lease: by then the others have reported what they used.
 */
export class PoolAccount {
  readonly #options: AccountOptions;
  #pool: PoolName;
  readonly #timing: PoolTiming;

  #held = 0;
  #heldUntil = 0;
  #taken = 0;
  readonly #use: OwnUse;
  #last: LastAnswer | undefined;
  readonly #away: AwayTime;

  /** What the first in line needs. */
  #want: Want | undefined;
  /** When to ask for it again. */
  #askAt = 0;
  /** When it might be there. */
  #readyAt = Infinity;

  #sequence = 0;
  #flight: Promise<void> | undefined;
  #exchangedAt = -Infinity;
  #reportedTaken = 0;

  readonly #rate: TakeRate = new TakeRate();
  #takenLastAt = -Infinity;
  #timer: unknown;
  #timerAt = Infinity;
  /** Exchanges once what happens in this turn has happened. */
  readonly #kick: () => void;
  readonly #notify: () => void;
  #isRetired = false;
  #isClosed = false;

  constructor(pool: PoolName, options: AccountOptions) {
    this.#options = options;
    this.#pool = pool;
    this.#timing = poolTiming(pool.window);
    this.#use = new OwnUse(pool.window);
    this.#away = new AwayTime(options.leaseMs, options.random);
    this.#notify = oncePerTurn(options.onChange);
    this.#kick = oncePerTurn(() => {
      if (!this.#isClosed) this.#exchange(options.clock.now());
    });
  }

  get key(): string {
    return this.#pool.key;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Nothing is left to do for it. */
  get isDone(): boolean {
    return this.#taken === 0 && !this.#isHolding && this.#flight === undefined;
  }

  get isIdle(): boolean {
    return this.isDone && this.#want === undefined;
  }

  /** The limit, or the end of the window, has changed. */
  rename(pool: PoolName): void {
    this.#pool = pool;
  }

  /** From now on only what was taken is settled. */
  retire(): void {
    this.#isRetired = true;
    this.#want = undefined;
    this.#kick();
  }

  waitMs(units: number, now: number): number {
    if (units > this.#pool.limit || this.#isClosed) return Infinity;
    const { isAway, endsAt } = this.#away;
    const isSharing = this.#options.away.whenAway === 'share';
    const cautiousMs = isSharing ? this.#away.cautiousMs(now) : 0;
    if (cautiousMs > 0) {
      const waitMs = this.#waitByShare(units, now);
      if (waitMs > 0) return Math.min(waitMs, cautiousMs);
      if (this.#last?.isRecovering === true) return 0;
    }
    if (this.#spare(now) >= units) return 0;
    this.#want ??= { units, askedAt: now };
    this.#want.askedAt = now;
    if (now >= (isAway ? endsAt : this.#askAt)) this.#kick();
    else this.#arm(now);
    if (!isAway) return this.#readyAt > now ? Math.max(1, this.#readyAt - now) : Infinity;
    return isSharing ? this.#waitByShare(units, now) : Infinity;
  }

  take(units: number, now: number): void {
    this.#taken += units;
    this.#takenLastAt = now;
    this.#rate.add(units, now);
    if (this.#isRunningLow(now)) this.#kick();
    this.#arm(now);
  }

  settle(taken: number, used: number, now: number, takenAt: number): void {
    const spare = Math.max(0, this.#spare(now));
    this.#taken = Math.max(0, this.#taken - taken);
    this.#use.add(used, takenAt);
    if (this.#last?.othersWait === true && this.#spare(now) > spare) {
      // It is their turn.
      this.#offer(spare);
      this.#kick();
    } else if (this.#want !== undefined && this.#spare(now) >= this.#want.units) {
      this.#want = undefined;
      this.#notify();
    }
    this.#arm(now);
  }

  snapshot(now: number): SharedPoolSnapshot {
    const { window, limit } = this.#pool;
    return {
      limit,
      used: (this.#last?.usedByAll(window, now) ?? 0) + this.#use.spent,
      held: (this.#last?.heldByOthers(window, now) ?? 0) + this.#taken,
      isAway: this.#away.isAway,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#want = undefined;
    this.#options.clock.clearTimeout(this.#timer);
    for (let attempt = 0; attempt < CLOSE_ATTEMPTS; attempt++) {
      await this.#flight;
      if (!this.#isHolding && this.#reportedTaken === this.#taken) return;
      this.#exchange(this.#options.clock.now());
    }
    await this.#flight;
  }

  /** The store has to be told of something sooner or later. */
  get #isHolding(): boolean {
    return this.#held > 0 || !this.#use.isConfirmed;
  }

  /** What may be taken without asking. */
  #spare(now: number): number {
    if (now >= this.#heldUntil || this.#isRetired) return 0;
    return this.#held - this.#taken - this.#use.spent;
  }

  /** Keeps no more than so much spare; the store learns of it with the next exchange. */
  #offer(spare: number): void {
    this.#held = Math.min(this.#held, this.#taken + this.#use.spent + spare);
  }

  #waitByShare(units: number, now: number): number {
    const { away, leaseMs } = this.#options;
    const { instances } = away;
    const pool = this.#pool;
    const known = this.#away.before?.known(pool.limit);
    const taken = this.#taken;
    const question = { pool, instances, known, use: this.#use, taken, leaseMs };
    return shareWaitMs(question, units, now);
  }

  /** So much spare is enough for a while. While others wait only what is left beside them. */
  #portion(now: number): number {
    const isIdle = now - this.#takenLastAt > this.#timing.syncMs;
    const isTheirTurn = this.#last?.othersWait === true && this.#want === undefined;
    if (isIdle || isTheirTurn || this.#isRetired || this.#isClosed) return 0;
    return Math.ceil(this.#rate.perMs(now) * PORTION_MS);
  }

  #isRunningLow(now: number): boolean {
    if (this.#flight !== undefined || this.#away.isAway) return false;
    if (now - this.#exchangedAt < REFILL_GAP_MS) return false;
    const hasRoom = this.#last !== undefined && this.#last.room(this.#pool.limit) > 0;
    return hasRoom && this.#spare(now) < this.#portion(now) / 3;
  }

  #dueAt(now: number): number {
    const isNeeded = this.#want !== undefined || this.#taken > 0 || this.#isHolding;
    if (this.#flight !== undefined || !isNeeded) return Infinity;
    if (this.#away.isAway) return this.#away.endsAt;
    const isChanged =
      !this.#use.isConfirmed || this.#taken !== this.#reportedTaken || this.#spare(now) > 0;
    const dueAt = this.#exchangedAt + (isChanged ? this.#timing.syncMs : this.#options.leaseMs / 3);
    return this.#want === undefined ? dueAt : Math.min(dueAt, this.#askAt);
  }

  /** Sees to it that the timer rings when something is due. One that rings too early is set anew. */
  #arm(now: number): void {
    if (this.#isClosed) return;
    const dueAt = this.#dueAt(now);
    if (dueAt >= this.#timerAt) return;
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    const delayMs = Math.max(1, Math.ceil(dueAt - now));
    this.#timerAt = now + delayMs;
    this.#timer = clock.setTimeout(() => this.#ring(), delayMs);
  }

  #ring(): void {
    this.#timerAt = Infinity;
    const now = this.#options.clock.now();
    if (this.#dueAt(now) <= now) this.#exchange(now);
    this.#arm(now);
  }

  #exchange(now: number): void {
    if (this.#flight !== undefined || (now < this.#away.endsAt && !this.#isClosed)) return;
    const { store, holder, clock, leaseMs, timeoutMs } = this.#options;
    const pool = this.#pool;
    const want = this.#want;
    const isWaiting = want !== undefined && want.units > this.#spare(now);
    const need = isWaiting ? want.units : 0;
    // Who waits asks for as much as the others do, however little it got of late.
    const least = isWaiting ? Math.floor(pool.limit / WAITING_PART) : 0;
    const keep = Math.max(need, least, this.#portion(now));
    // Who waits gives back what it has: else several could wait for each other.
    this.#offer(isWaiting ? 0 : keep);
    const sequence = ++this.#sequence;
    this.#exchangedAt = now;
    this.#reportedTaken = this.#taken;
    const report = this.#use.report(sequence, now);
    const taken = this.#taken + this.#use.unsent;
    const exchange = {
      pool,
      holder,
      ...report,
      taken,
      hold: taken + keep,
      atLeast: taken + need,
      leaseMs,
      sequence,
      heard: this.#last?.heard(pool.window, now),
    };
    const accept = (exchanged: Exchanged): void => this.#accept(exchanged, sequence, now, want);
    this.#flight = askStore(store, exchange, clock, timeoutMs, accept).then((exchanged) => {
      this.#flight = undefined;
      if (exchanged === undefined) this.#fail();
      else accept(exchanged);
    });
  }

  #accept(exchanged: Exchanged, sequence: number, sentAt: number, asked: Want | undefined): void {
    // When another was sent meanwhile, that one's answer says what holds.
    if (sequence !== this.#sequence) return;
    const now = this.#options.clock.now();
    this.#use.confirm();
    this.#held = exchanged.held;
    this.#heldUntil = sentAt + this.#options.leaseMs;
    if (this.#away.isAway || exchanged.isRecovering) {
      this.#away.end(this.#last, now);
      this.#notify();
    }
    this.#last = new LastAnswer(exchanged, this.#use.total(now) - this.#use.spent, now);
    this.#serve(exchanged, asked, now);
    this.#arm(now);
  }

  /** Tells who waits, or sees to it that it is asked for again. */
  #serve(exchanged: Exchanged, asked: Want | undefined, now: number): void {
    this.#askAt = 0;
    this.#readyAt = Infinity;
    const want = this.#want;
    if (want === undefined) return;
    const isThere = this.#spare(now) >= want.units;
    if (isThere || now - want.askedAt > WANT_MS) {
      this.#want = undefined;
      this.#notify();
    }
    if (isThere) return;
    if (want !== asked) {
      this.#kick();
      return;
    }
    const { waitMs, held, heldByAll } = exchanged;
    const pollMs = heldByAll > held ? this.#timing.pollMs : QUIET_POLL_MS;
    this.#readyAt = waitMs === undefined ? Infinity : now + waitMs;
    this.#askAt = now + Math.max(MIN_GAP_MS, Math.min(waitMs ?? Infinity, pollMs));
  }

  #fail(): void {
    const now = this.#options.clock.now();
    this.#away.fail(this.#last, now);
    this.#notify();
    this.#arm(now);
  }
}

interface Want {
  readonly units: number;
  askedAt: number;
}

/** Of use at the present rate, kept in reserve. */
const PORTION_MS = 250;
const REFILL_GAP_MS = 20;
/** How often to ask again when nobody holds anything. */
const QUIET_POLL_MS = 1_000;
const MIN_GAP_MS = 5;
/** Who waited has to ask again after so long; it may have given up. */
const WANT_MS = 2_000;
/** Of the limit: so much who waits would take, if it were there. */
const WAITING_PART = 64;
const CLOSE_ATTEMPTS = 2;
