/**
 * What a store does in one exchange, as plain code. `memoryStore` runs it; the Lua script of `redisStore` repeats it line by line, and
 * a test sends both the same exchanges.
 */
import type { Exchange, Exchanged, Heard, PoolName } from './types.ts';
import { UseLog } from './use-log.ts';

interface Holder {
  held: number;
  /** From then on what it holds counts as used. */
  expiresAt: number;
  sequence: number;
  /** So many more it waits for; 0 when for none. */
  want: number;
  /** Its place in the line: the lower, the earlier. */
  ticket: number;
  wantUntil: number;
}

/** How long a holder that is not heard of any more is remembered: then what it held is used for good. */
const KEEP_MS = 600_000;
/** Who waits asks again within a second. Who does not for so long has lost its place. */
const WANT_MS = 3_000;

/** One pool. All times are the store's, whole milliseconds. */
export class PoolState {
  readonly #window: PoolName['window'];
  readonly #log: UseLog;
  /** What is used for good (`fixed`). */
  #used = 0;
  readonly #holders: Map<string, Holder> = new Map();
  #tickets = 0;
  /** When this memory of the pool begins. */
  #since: number;
  #at: number;
  /** Until then holders may not have told what they heard before. */
  #recoversUntil = 0;
  /** Nothing that it says matters any more. */
  forgetAt = 0;

  constructor(window: PoolName['window'], time: number) {
    this.#window = window;
    this.#log = new UseLog(window.kind === 'sliding' ? window.windowMs : 0);
    this.#since = time;
    this.#at = time;
  }

  exchange(exchange: Exchange, time: number): Exchanged {
    const now = Math.max(time, this.#at);
    this.#log.total(now);
    this.#expire(now);
    if (exchange.heard !== undefined) this.#recall(exchange, exchange.heard, now);
    this.#at = now;
    const known = this.#holders.get(exchange.holder);
    const me = known ?? { ...NOBODY };
    const isLate = known !== undefined && exchange.sequence <= known.sequence;
    let waitMs: number | undefined = 0;
    if (!isLate) {
      this.#holders.set(exchange.holder, me);
      this.#report(exchange, me, now);
      waitMs = this.#grant(exchange, me, now);
    }
    this.#setForgetAt(exchange, now);
    return {
      held: me.held,
      used: this.#usedAt(now),
      heldByAll: this.#heldByAll(now),
      wanted: this.#wantedByOthers(me, Infinity, now),
      waitMs,
      at: now,
      isRecovering: now < this.#recoversUntil,
    };
  }

  /** What it has used, and what is left of its grant. */
  #report(exchange: Exchange, me: Holder, now: number): void {
    if (me.sequence < exchange.usedSince) {
      for (const { units, agoMs } of exchange.used) {
        if (units > 0) me.held -= units;
        this.#use(units, now - agoMs, now);
      }
    }
    me.held = Math.max(0, me.held);
    me.sequence = exchange.sequence;
    me.expiresAt = now + exchange.leaseMs;
  }

  #grant(exchange: Exchange, me: Holder, now: number): number | undefined {
    const { pool, taken, hold, atLeast } = exchange;
    const heldByOthers = this.#heldByAll(now) - me.held;
    const free = pool.limit - this.#usedAt(now) - heldByOthers;
    const wanted = this.#wantedByOthers(me, Infinity, now);
    const recoverMs = Math.max(0, this.#recoversUntil - now);
    const holders = this.#liveHolders(now);
    if (atLeast <= taken) {
      me.want = 0;
      const keep = Math.max(taken, Math.min(hold, me.held));
      const rest = recoverMs > 0 ? 0 : Math.max(0, free - wanted - keep);
      me.held = Math.max(keep, Math.min(hold, keep + Math.floor(rest / holders)));
      return 0;
    }
    const isWaiting = me.want > 0 && me.wantUntil > now;
    const room = free - this.#wantedByOthers(me, isWaiting ? me.ticket : Infinity, now);
    if (recoverMs === 0 && room >= atLeast) {
      me.want = 0;
      const share = Math.floor(Math.max(0, free - wanted - atLeast) / holders);
      me.held = Math.max(atLeast, Math.min(hold, atLeast + share));
      return 0;
    }
    me.held = taken;
    me.want = atLeast - taken;
    if (!isWaiting) me.ticket = ++this.#tickets;
    me.wantUntil = now + WANT_MS;
    return recoverMs > 0 ? recoverMs : this.#waitMs(pool.window, atLeast - room, now);
  }

  /** Until so much has left the window. */
  #waitMs(window: PoolName['window'], units: number, now: number): number | undefined {
    if (window.kind === 'fixed') return window.endsInMs;
    const at = this.#log.leavesUntil(this.#log.total(now) - units);
    return at === undefined ? undefined : at - now;
  }

  #usedAt(now: number): number {
    let used = this.#used + this.#log.total(now);
    for (const holder of this.#holders.values()) {
      if (holder.expiresAt <= now) used += holder.held;
    }
    return used;
  }

  #heldByAll(now: number): number {
    let held = 0;
    for (const holder of this.#holders.values()) {
      if (holder.expiresAt > now) held += holder.held;
    }
    return held;
  }

  #liveHolders(now: number): number {
    let count = 0;
    for (const holder of this.#holders.values()) {
      if (holder.expiresAt > now) count++;
    }
    return count;
  }

  /** What others wait for who are in the line before this ticket. */
  #wantedByOthers(me: Holder, ticket: number, now: number): number {
    let wanted = 0;
    for (const holder of this.#holders.values()) {
      const isWaiting = holder !== me && holder.wantUntil > now && holder.ticket < ticket;
      if (isWaiting) wanted += holder.want;
    }
    return wanted;
  }

  #use(units: number, takenAt: number, now: number): void {
    const window = this.#window;
    if (window.kind === 'fixed') this.#used = Math.max(0, this.#used + units);
    if (window.kind !== 'sliding') return;
    // A millisecond more for the fractions that whole milliseconds cut off.
    const leavesAt = takenAt + window.windowMs + 1;
    if (leavesAt > now) this.#log.add(units, leavesAt);
  }

  /** Lets go of holders that have not been heard of for long. */
  #expire(now: number): void {
    const window = this.#window;
    const keepMs = window.kind === 'held' ? 0 : KEEP_MS;
    for (const [name, { held, expiresAt }] of this.#holders) {
      const windowMs = window.kind === 'sliding' ? window.windowMs : keepMs;
      if (expiresAt + Math.min(keepMs, windowMs) > now) continue;
      this.#holders.delete(name);
      this.#use(held, expiresAt, now);
    }
  }

  /** This memory is younger than what a holder has heard, or older than that: what it heard is true. */
  #recall({ leaseMs }: Exchange, heard: Heard, now: number): void {
    const isOutdated = heard.at > this.#at;
    if (!isOutdated && heard.at >= this.#since) return;
    if (isOutdated) this.#since = now;
    if (isOutdated || this.#recoversUntil === 0) this.#recoversUntil = now + leaseMs;
    const missing = heard.used - this.#usedAt(now);
    if (missing > 0) this.#use(missing, now - heard.agoMs, now);
  }

  #setForgetAt({ pool: { window }, leaseMs }: Exchange, now: number): void {
    const windowMs = window.kind === 'sliding' ? window.windowMs : 0;
    const endsInMs = window.kind === 'fixed' ? window.endsInMs + KEEP_MS : 0;
    this.forgetAt = Math.max(this.forgetAt, now + leaseMs + windowMs + endsInMs + 60_000);
  }
}

const NOBODY: Holder = {
  held: 0,
  expiresAt: 0,
  sequence: 0,
  want: 0,
  ticket: 0,
  wantUntil: 0,
};
