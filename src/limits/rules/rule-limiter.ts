import type { LimitRule } from '../settings.ts';
import type { Demand, Limiter, LimiterSnapshot, Permit, RequestEnd } from '../types.ts';
import {
  concurrencyOf,
  type MakeWindow,
  type Meter,
  metersOf,
  MINUTE_MS,
  ownWindow,
} from './meter.ts';
import { RefusedShare } from './refused-share.ts';
import { type Reservation, tokenCount, TokenSizes } from './token-sizes.ts';

/** The numbers of one rule for one combination of what it counts separately for. */
export interface RuleLimiter extends Limiter {
  readonly name: string;
  readonly inFlight: number;
  /** Nothing is under way and nothing counted: one made anew would let through just as much. */
  isIdle(now: number): boolean;
}

/**
 * A limit of the user's own, which always holds: in any 60 seconds (24 hours for those of a day) no more is counted than the
 * rule says, however requests interleave.
 *
 * - Tokens are reserved when a request is sent (`TokenSizes`), raised while its answer grows beyond that, and settled with what
 *   the provider reports. Without that report the larger of the usual reservation and what was seen of the answer stays. An
 *   answer that is longer than its reservation is the only way past the limit, by as much as it is longer.
 * - A request that was never answered gives its tokens and its place in the day back; that in the minute it keeps.
 * - A request larger than a whole limit goes when nothing else is counted; or alone, when its input fits and half of the limit
 *   is free, because it may well be shorter than the longest answer of late.
 */
export function createRuleLimiter(
  rule: LimitRule,
  name = 'limits',
  makeWindow: MakeWindow = ownWindow,
): RuleLimiter {
  return new Rule(rule, name, makeWindow);
}

class Rule implements RuleLimiter {
  readonly name: string;
  inFlight = 0;
  /** Requests under way, where their number is limited. */
  readonly underWay: Meter | undefined;
  readonly #requestsPerMinute: number | undefined;
  readonly meters: readonly Meter[];
  readonly #hasTokens: boolean;
  readonly sizes: TokenSizes;
  readonly refusedShare: RefusedShare = new RefusedShare(MINUTE_MS);

  constructor(rule: LimitRule, name: string, makeWindow: MakeWindow) {
    this.name = name;
    this.underWay = concurrencyOf(rule, makeWindow);
    this.#requestsPerMinute = rule.requestsPerMinute;
    this.meters = metersOf(rule, makeWindow);
    this.#hasTokens = this.meters.some(({ unit }) => unit !== 'requests');
    const ofOutput = this.meters.filter(
      (meter) => meter.amountOf(0, 1) === 1 && meter.unit !== 'requests',
    );
    const smallest = Math.min(...ofOutput.map(({ limit }) => limit));
    this.sizes = new TokenSizes(smallest, rule.countCacheReads ?? true);
  }

  waitMs(demand: Demand, now: number): number {
    let longest = this.underWay?.window.waitMs(this.underWay.limit - 1, now) ?? 0;
    if (longest === Infinity) return longest;
    const reservation = this.#reservationFor(demand);
    for (const meter of this.meters) {
      const wait = meter.window.waitMs(this.#mostBefore(meter, reservation), now);
      if (wait > longest) longest = wait;
    }
    return longest;
  }

  admit(demand: Demand, now: number): Permit {
    this.inFlight++;
    return new RulePermit(this, this.#reservationFor(demand), now);
  }

  isIdle(now: number): boolean {
    return this.inFlight === 0 && this.meters.every(({ window }) => window.total(now) === 0);
  }

  snapshot(now: number): LimiterSnapshot {
    let closedMs = 0;
    for (const { window, limit } of this.meters) {
      // To ask how long one has to wait is to ask for room, where it is shared with others.
      if (window.total(now) >= limit) closedMs = Math.max(closedMs, window.waitMs(limit - 1, now));
    }
    return {
      name: this.name,
      state: 'normal',
      requestsPerMinute: this.#requestsPerMinute,
      refusedShare: this.refusedShare.at(now),
      inFlight: this.inFlight,
      maxInFlight: this.underWay?.limit,
      closedMs,
      meters: this.meters.map((meter) => meter.snapshot(now)),
    };
  }

  #reservationFor(demand: Demand): Reservation | undefined {
    return this.#hasTokens ? this.sizes.reserve(demand) : undefined;
  }

  /** How much may be counted already for this request to go. */
  #mostBefore(meter: Meter, reservation: Reservation | undefined): number {
    if (reservation === undefined || meter.unit === 'requests') return meter.limit - 1;
    const { input, output, likelyInput } = reservation;
    const room = meter.limit - meter.amountOf(input, output);
    if (room >= 0) return room;
    if (this.inFlight > 0) return 0;
    return Math.max(0, Math.min(meter.limit / 2, meter.limit - meter.amountOf(likelyInput, 0)));
  }
}

class RulePermit implements Permit {
  readonly #rule: Rule;
  readonly #reservation: Reservation | undefined;
  /** Where each meter counts it. */
  readonly #entries: number[] = [];
  /** The same of requests under way. */
  readonly #underWay: number | undefined;
  /** What is counted of it now. */
  #input: number;
  #output: number;
  #seenOutput = 0;
  #isAnswered = false;
  #isOver = false;

  constructor(rule: Rule, reservation: Reservation | undefined, now: number) {
    this.#rule = rule;
    this.#reservation = reservation;
    this.#input = reservation?.input ?? 0;
    this.#output = reservation?.output ?? 0;
    this.#underWay = rule.underWay?.window.add(1, now);
    for (const meter of rule.meters) {
      this.#entries.push(meter.window.add(meter.amountOf(this.#input, this.#output), now));
    }
    if (reservation !== undefined) rule.sizes.open(reservation);
  }

  begin(): void {
    this.#isAnswered = true;
  }

  progress(outputTokens: number, now: number): void {
    const seen = tokenCount(outputTokens) ?? 0;
    if (this.#isOver || seen <= this.#seenOutput) return;
    this.#seenOutput = seen;
    if (this.#reservation === undefined || seen <= this.#output) return;
    this.#rule.sizes.grew(this.#reservation, seen);
    this.#count(this.#input, seen, now);
  }

  end(end: RequestEnd, now: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const rule = this.#rule;
    rule.inFlight--;
    const { kind } = end.verdict;
    if (kind !== 'aborted') rule.refusedShare.record(kind === 'rate', now);
    const isRefused = kind === 'rate' || kind === 'spent';
    const hasUsage = end.inputTokens !== undefined || end.outputTokens !== undefined;
    const isTaken = hasUsage || this.#seenOutput > 0 || (this.#isAnswered && !isRefused);
    if (!isTaken) this.#giveDayBack(now);
    if (this.#reservation !== undefined) {
      rule.sizes.close(this.#reservation);
      if (isTaken) this.#countAnswer(this.#reservation, end, now);
      else this.#count(0, 0, now);
    }
    if (this.#underWay !== undefined) rule.underWay?.window.settle(this.#underWay, now);
    for (let i = 0; i < rule.meters.length; i++) {
      rule.meters[i]!.window.settle(this.#entries[i]!, now);
    }
  }

  #countAnswer(reservation: Reservation, end: RequestEnd, now: number): void {
    const { sizes } = this.#rule;
    const input = sizes.countedInput(end.inputTokens, end.cacheReadTokens);
    const output = tokenCount(end.outputTokens);
    const seen = this.#seenOutput;
    sizes.learn(reservation, {
      input,
      output: output ?? (seen > 0 ? seen : undefined),
      isWhole: end.verdict.kind === 'ok',
    });
    this.#count(
      input ?? reservation.likelyInput,
      output ?? Math.max(reservation.likelyOutput, seen),
      now,
    );
  }

  #count(input: number, output: number, now: number): void {
    const { meters } = this.#rule;
    for (let i = 0; i < meters.length; i++) {
      const meter = meters[i]!;
      const by = meter.amountOf(input, output) - meter.amountOf(this.#input, this.#output);
      if (by !== 0) meter.window.correct(this.#entries[i]!, by, now);
    }
    this.#input = input;
    this.#output = output;
  }

  #giveDayBack(now: number): void {
    const { meters } = this.#rule;
    for (let i = 0; i < meters.length; i++) {
      const { unit, windowMs, window } = meters[i]!;
      if (unit === 'requests' && windowMs !== MINUTE_MS) window.correct(this.#entries[i]!, -1, now);
    }
  }
}
