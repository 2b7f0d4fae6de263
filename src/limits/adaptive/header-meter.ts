import type { Priority } from '../../types.ts';
import type { NamedReading } from '../read-limits.ts';
import type { MeterSnapshot } from '../types.ts';
import { clamp, ForeignUse } from './foreign-use.ts';
import type { Around, Entry, Ledger } from './ledger.ts';
import { LimitWindow, TURN_MS } from './limit-window.ts';
import type { Surroundings } from './types.ts';
import { MINUTE_MS } from './window-kind.ts';

export interface MeterParts {
  readonly ledger: Ledger;
  readonly surroundings: Surroundings;
}

/**
 * What is left of one limit that headers tell, by a count of our own that each head sets right. What a head says is true of the
 * moment at which its request was decided, and rounded, so it only bounds what is left now; within these bounds our own count
 * stands. Pure arithmetic; time must not go back.
 */
export class HeaderMeter {
  readonly name: string;
  readonly unit: NamedReading['unit'];
  readonly window: LimitWindow;
  readonly #ledger: Ledger;
  readonly #surroundings: Surroundings;
  readonly #foreign = new ForeignUse();
  readonly #quantum: number;
  #level: number;
  #time: number;
  /** When it was last full, or nothing was known of it. A full bucket loses what would flow into it. */
  #fullAt: number;
  /** When the newest request was sent whose head was believed. */
  #syncedAt: number;
  #isNew = true;
  #meanCost = 1;

  constructor(reading: NamedReading, entry: Entry, parts: MeterParts, now: number) {
    this.name = reading.name;
    this.unit = reading.unit;
    this.window = new LimitWindow(reading.limit);
    this.#ledger = parts.ledger;
    this.#surroundings = parts.surroundings;
    this.#quantum = reading.quantum;
    this.#level = reading.remaining;
    this.#time = now;
    this.#fullAt = now;
    this.#syncedAt = entry.sentAt;
    this.sync(reading, entry, 0, now);
  }

  /** When the newest request was sent that a head has accounted for. */
  get syncedAt(): number {
    return this.#syncedAt;
  }

  /** What is ours to take, per millisecond. */
  get rate(): number {
    const { rate } = this.window;
    const foreign = this.#foreign.rateAt(this.#time - this.#syncedAt);
    return Math.max(LEAST_SHARE * rate, rate - foreign);
  }

  /** Requests a minute of the usual cost that there is room for. */
  get requestsPerMinute(): number {
    return (this.rate * MINUTE_MS) / (this.unit === 'requests' ? 1 : Math.max(1, this.#meanCost));
  }

  /** How long a request of this cost has to wait; always finite. */
  waitMs(cost: number, priority: Priority, now: number): number {
    this.#advance(now);
    const blind = this.#waitForHead(priority, now);
    if (blind > 0) return blind;
    const missing = this.#need(cost, priority, now) - this.#level;
    if (missing <= 1e-9) return 0;
    const wait = Math.max(1, this.#refillMs(missing, now));
    // Nobody said when it is whole again: ask from time to time whether it is as it is thought to be.
    const isTold = this.window.hasReset && this.#kind !== 'sliding';
    if (isTold || this.#surroundings.unanswered > 0) return wait;
    return Math.min(wait, Math.max(0, this.#syncedAt + ASK_AGAIN_MS - now));
  }

  charge(cost: number, now: number): void {
    this.#meanCost += MEAN_WEIGHT * (cost - this.#meanCost);
    this.#advance(now);
    this.#level = Math.min(this.#level, this.window.cap) - cost;
    this.window.expectWhole(Math.max(now, this.window.wholeAt) + cost / this.window.rate);
  }

  /** Something was charged that was not used, or the other way round. */
  correct(amount: number, now: number): void {
    this.#advance(now);
    this.#level = Math.min(this.window.cap, this.#level + amount);
  }

  /** Takes over what the head of an answer says. `error`: how far off estimates of the input are, as a share. */
  sync(reading: NamedReading, entry: Entry, error: number, now: number): void {
    const { sentAt } = entry;
    const around = this.#ledger.around(this.unit, entry, now);
    if (around === undefined || sentAt < this.#syncedAt - REORDER_MS) return;
    this.#advance(now);
    if (this.window.observe(reading, sentAt, now)) this.#foreign.forget();
    if (this.unit === 'requests') this.#countRequests(reading, sentAt, around);
    this.#learnForeign(reading, entry, around, error);
    const { low, high } = this.#bounds(reading, sentAt, around, now);
    this.#level = this.#isNew ? low : clamp(this.#level, low, high);
    this.#isNew = false;
    this.#syncedAt = Math.max(this.#syncedAt, sentAt);
  }

  /** What was missing is explained otherwise: nobody else took it. */
  forgetForeign(): void {
    this.#foreign.forget();
  }

  snapshot(now: number): MeterSnapshot {
    this.#advance(now);
    const { limit, windowMs } = this.window;
    return {
      unit: this.unit,
      windowMs,
      limit,
      remaining: clamp(Math.floor(this.#level), 0, limit),
    };
  }

  /** What was written cannot be told apart by when it was: to that, a sliding window is a bucket. */
  get #kind(): LimitWindow['kind'] {
    const { kind } = this.window;
    return kind === 'sliding' && this.#ledger.chargeOf(this.unit) === 'written' ? 'bucket' : kind;
  }

  get #isBucket(): boolean {
    return this.#kind === 'bucket';
  }

  get #isShared(): boolean {
    return this.#foreign.isShared(this.window.rate);
  }

  /** What flows in while a request is on its way: one that is sent later may arrive sooner after the one before. */
  get #slack(): number {
    return this.#isBucket ? ON_THE_WAY_MS * this.rate : 0;
  }

  /** Requests are counted exactly, by both sides. */
  #countRequests({ remaining, resetMs }: NamedReading, sentAt: number, around: Around): void {
    const { after, unordered } = around;
    this.window.check(
      remaining,
      sentAt,
      (since) => this.#ledger.sent('requests', since, sentAt) - unordered,
    );
    if (resetMs === undefined) return;
    this.window.expectWhole(sentAt + resetMs + TURN_MS + (after + unordered) / this.window.rate);
  }

  /** Bounds of what is left now, from what a head says of then. */
  #bounds(
    { remaining }: NamedReading,
    sentAt: number,
    { after, outstanding, unordered }: Around,
    now: number,
  ): { readonly low: number; readonly high: number } {
    const { cap, debt, limit, turnedAt } = this.window;
    // A window that started anew since then has all that was not sent since.
    const isNew = this.#kind === 'fixed' && turnedAt > sentAt;
    const then = isNew ? limit : remaining - debt + this.#refilled(sentAt, now);
    const left = Math.min(cap, then) - after - outstanding;
    const rounding = this.#quantum > 1 ? this.#quantum / 2 : 0;
    const above = this.#quantum > 1 ? rounding : this.#isShared ? 0.2 : 0.98;
    return { low: left - rounding - unordered, high: left + above };
  }

  #learnForeign(reading: NamedReading, entry: Entry, around: Around, error: number): void {
    // What comes back all at once, or with what we took, does not tell what others take.
    if (!this.#isBucket) return;
    const isExact = this.unit === 'requests';
    if (!this.#foreign.isDue(entry.sentAt, isExact)) return;
    const since = this.#foreign.since;
    const own = since === undefined ? undefined : this.#ledger.used(this.unit, since, entry);
    const doubt = around.unordered + WRITING_DOUBT * around.outstanding;
    this.#foreign.observe(
      { entry, remaining: reading.remaining, cost: around.itself, doubt },
      own,
      {
        rate: this.window.rate,
        cap: this.window.cap,
        fullAt: this.#fullAt,
        quantum: this.#quantum,
        isExact,
        error: this.unit === 'inputTokens' || this.unit === 'tokens' ? error : 0,
      },
    );
  }

  #advance(now: number): void {
    if (now <= this.#time) return;
    if (this.window.turn(now)) this.#level = this.window.limit;
    const full = this.window.cap + this.#slack;
    this.#level += this.#refilled(this.#time, now);
    if (this.#level >= full || (this.#isBucket && now >= this.#wholeAt)) {
      this.#level = full;
      this.#fullAt = now;
    }
    this.#time = now;
  }

  /** What flows in for us from one moment to another. */
  #refilled(from: number, to: number): number {
    switch (this.#kind) {
      case 'bucket':
        return Math.max(0, to - from) * this.rate;
      case 'fixed':
        return 0;
      case 'sliding':
        return this.#ledger.sent(this.unit, from - this.#goneMs, to - this.#goneMs);
    }
  }

  /** How long it takes until so much has flowed in. */
  #refillMs(amount: number, now: number): number {
    switch (this.#kind) {
      case 'bucket':
        return Math.min(amount / this.rate, Math.max(1, this.#wholeAt - now));
      case 'fixed':
        return this.window.endsAt - now;
      case 'sliding':
        return (
          this.#ledger.sentWithin(this.unit, amount, now - this.#goneMs, now) ?? amount / this.rate
        );
    }
  }

  /** When all of it is there again, as the provider says of what it knows: not of what others will take meanwhile. */
  get #wholeAt(): number {
    return this.#isShared ? Infinity : this.window.wholeAt;
  }

  /** So long ago it must be that something was sent, for a sliding window to have forgotten it. */
  get #goneMs(): number {
    return this.window.windowMs + ON_THE_WAY_MS;
  }

  /** What has to be left for a request to go. Urgent ones may take the last of it. One larger than the bucket goes when it is full. */
  #need(cost: number, priority: Priority, now: number): number {
    const { cap, endsAt, kind, windowMs } = this.window;
    const left = kind === 'fixed' ? 2 * clamp((endsAt - this.#time) / windowMs, 0, 1) : 1;
    const reserve = RESERVE[priority] * cap * left;
    const need = cost + reserve + CAUTION[priority] * this.#margin(now);
    return Math.min(need, Math.max(NEARLY_FULL * cap, 1)) + this.#slack;
  }

  /** What others may have taken since the last head. */
  #margin(now: number): number {
    if (!this.#isShared) return 0;
    const unseenMs = clamp(now - this.#syncedAt, 0, 3000) + this.#surroundings.headMs / 2 + 300;
    return Math.min(0.35 * this.window.cap, this.#foreign.margin(unseenMs, this.#meanCost));
  }

  /** A limit is not to be used up on an old view of it where a head that is on its way will tell more. */
  #waitForHead(priority: Priority, now: number): number {
    const { unanswered } = this.#surroundings;
    const { kind, limit, turnedAt } = this.window;
    // That a window has started anew is certain when a head says so.
    if (kind === 'fixed' && this.#syncedAt < turnedAt)
      return unanswered > UNPROVEN_SHARE * limit ? HEAD_MS : 0;
    // Others use it too, and more than is known.
    if (unanswered <= (priority === 'urgent' ? 1 : 0) || !this.#isShared) return 0;
    if (now - this.#syncedAt > STALE_MS) return HEAD_MS;
    if (this.unit !== 'requests') return 0;
    const missing = (unanswered - 1) / SHARED_BURST + this.#margin(now) - this.#level;
    return missing > 0 ? clamp(missing / this.rate, 60, HEAD_MS) : 0;
  }
}

/** Of the bucket, what less urgent requests leave to more urgent ones, and to errors. */
const RESERVE: Readonly<Record<Priority, number>> = {
  urgent: 0,
  high: 0.01,
  normal: 0.04,
  low: 0.06,
};
/** How much of the margin for others each class leaves. */
const CAUTION: Readonly<Record<Priority, number>> = { urgent: 0.1, high: 0.3, normal: 1, low: 1.3 };
/** Of the rate, what is ours whatever others take. */
const LEAST_SHARE = 0.05;
const NEARLY_FULL = 0.97;
/** Of a new window's limit, what may be sent before a head has shown that it is one. */
const UNPROVEN_SHARE = 0.05;
/** By how much the time that requests take to arrive differs. */
const ON_THE_WAY_MS = 20;
const MEAN_WEIGHT = 0.05;
/** Heads so much older than the newest say nothing new. */
const REORDER_MS = 50;
const ASK_AGAIN_MS = 60_000;
const STALE_MS = 3000;
/** When to ask again while a head is awaited, if none comes. */
const HEAD_MS = 1000;
/** Of what answers under way are thought to have still to write, what may be wrong. */
const WRITING_DOUBT = 0.35;
/** Share of what is left that may be sent without a head. */
const SHARED_BURST = 0.3;
